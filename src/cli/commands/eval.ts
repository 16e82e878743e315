import { BeaconError } from "../../core/errors.ts";
import { defineCommand } from "../command.ts";
import { compileManifests } from "../manifests.ts";
import { outputOption, type SandboxOptions, type SourceOptions, sandboxOptions, sourceOptions } from "../options.ts";
import { renderDocument } from "../render/document-output.ts";

export default defineCommand<SourceOptions & SandboxOptions>({
  description:
    "Evaluates one expression against the manifests of an environment, and prints its type and value. Offline: what AWS will choose is unknown.",
  arguments: [{ syntax: "<expression>", description: "with or without ${...}" }],
  options: [...sourceOptions, ...sandboxOptions, outputOption("json", "yaml")],
  examples: ["beaconctl eval '${params.logRetentionDays * 2}'", "beaconctl eval 'values(subnet.public).map(s, s.cidrBlock)'"],
  async run(invocation) {
    const { io, options, args } = invocation;
    const compiled = await compileManifests(invocation);
    const { evalExpression } = await import("../../manifest/render.ts");
    const result = evalExpression(compiled, args[0] ?? "");
    if (!result.ok) throw new BeaconError("ExpressionInvalid", result.message);
    if (options.output === "json" || options.output === "yaml")
      io.out(await renderDocument({ type: result.type, value: result.value }, options.output));
    else
      io.out(
        `${io.style.dim(`${result.type}:`)} ${result.remote ? `${result.value}, known once it exists` : JSON.stringify(result.value)}`,
      );
    return 0;
  },
});
