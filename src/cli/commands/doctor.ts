import { defineCommand, type Invocation } from "../command.ts";
import { diagnose, type Finding } from "../diagnosis.ts";
import { type AwsOptions, awsOptions, outputOption, type SourceOptions, sourceOptions } from "../options.ts";
import { renderDocument } from "../render/document-output.ts";
import { findingLines, findingSummary, isWrong } from "../render/findings.ts";

type Options = SourceOptions & AwsOptions;

export default defineCommand<Options>({
  description:
    "Looks whether an apply could work here: Node.js and Python, manifests, region, credentials, account, state table, lease, and the permissions that these manifests need, by IAM's own simulation. Changes nothing; ends with 8 when something is missing.",
  options: [...sourceOptions, ...awsOptions, outputOption("json", "yaml")],
  examples: ["beaconctl doctor --env prod", "beaconctl doctor --env prod -v", "beaconctl doctor --sandbox -o json"],
  async run(invocation) {
    const findings = await diagnose(invocation);
    await show(invocation, findings);
    return findings.some(isWrong) ? 8 : 0;
  },
});

async function show({ io, options }: Invocation<Options>, findings: readonly Finding[]): Promise<void> {
  if (options.output === "json" || options.output === "yaml") {
    io.out(await renderDocument({ well: !findings.some(isWrong), checks: findings }, options.output));
    return;
  }
  io.out([...findingLines(findings, io.style, { verbose: options.verbose ?? false }), "", findingSummary(findings, io.style)].join("\n"));
}
