import { defineCommand } from "../command.ts";
import { compileManifests } from "../manifests.ts";
import { outputOption, type SandboxOptions, type SourceOptions, sandboxOptions, sourceOptions } from "../options.ts";
import { renderDocument } from "../render/document-output.ts";

export default defineCommand<SourceOptions & SandboxOptions>({
  description: "Shows the manifests of one environment with everything expanded; what AWS will choose stands as <vpc.main.vpcId>. Offline.",
  options: [...sourceOptions, ...sandboxOptions, outputOption("yaml", "json")],
  examples: ["beaconctl render --env prod", "beaconctl render --env dev -o json"],
  async run(invocation) {
    const compiled = await compileManifests(invocation);
    const { render } = await import("../../manifest/render.ts");
    const documents = render(compiled);
    const { io, options } = invocation;
    if (options.output === "json") io.out(await renderDocument(documents, "json"));
    else io.out((await Promise.all(documents.map((document) => renderDocument(document, "yaml")))).join("\n---\n"));
    return 0;
  },
});
