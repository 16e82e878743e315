import { defineCommand } from "../command.ts";
import { compileInput, manifestError, readSources, sayAloud } from "../manifests.ts";
import { outputOption, type SandboxOptions, type SourceOptions, sandboxOptions, sourceOptions } from "../options.ts";
import { count } from "../render/table.ts";

export default defineCommand<SourceOptions & SandboxOptions>({
  description:
    "Checks the manifests for every environment, or for --env: schema, references, types, cycles, names, ranges. Offline; shows every problem at once.",
  options: [...sourceOptions, ...sandboxOptions, outputOption("json")],
  examples: ["beaconctl validate -f manifests", "beaconctl validate --env prod"],
  async run(invocation) {
    const { io, options } = invocation;
    const sources = await readSources(invocation);
    const { validateAll } = await import("../../manifest/compile.ts");
    const { problems, notices, environments } = validateAll(sources, await compileInput(invocation));
    sayAloud(notices, io);
    if (problems.length > 0) throw await manifestError(problems, sources, invocation);
    const facts = { files: sources.sources.length, environments };
    if (options.output === "json") io.out(JSON.stringify(facts, null, 2));
    else io.out(`${io.style.green("Valid:")} ${count(facts.files, "file")}, for ${environments.join(", ")}. Nothing was sent to AWS.`);
    return 0;
  },
});
