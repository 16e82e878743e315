import { defineCommand } from "../command.ts";
import { outputOption } from "../options.ts";

export default defineCommand({
  description: "Prints the version of beaconctl and of the Node.js it runs on.",
  options: [outputOption("json")],
  examples: ["beaconctl version", "beaconctl version -o json"],
  async run({ io, options, services }) {
    const facts = { beaconctl: services.version, node: process.versions.node, platform: `${process.platform}-${process.arch}` };
    io.out(
      options.output === "json" ? JSON.stringify(facts, null, 2) : `beaconctl ${facts.beaconctl} (node ${facts.node}, ${facts.platform})`,
    );
    return 0;
  },
});
