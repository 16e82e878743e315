import { defineCommand } from "../command.ts";
import { hasManifests, readSources } from "../manifests.ts";
import { type SourceOptions, sourceOptions } from "../options.ts";

export default defineCommand<SourceOptions>({
  description:
    "Prints the JSON Schema of the manifests, for editors: every kind, and the project's own parameters where manifests are given. Offline.",
  options: sourceOptions,
  examples: ["beaconctl schema > .vscode/beacon.schema.json"],
  async run(invocation) {
    const { jsonSchema } = await import("../../manifest/json-schema.ts");
    const sources = hasManifests(invocation.options) ? await readSources(invocation) : undefined;
    invocation.io.out(JSON.stringify(jsonSchema(await invocation.services.kinds(), sources), null, 2));
    return 0;
  },
});
