import { defineCommand } from "../command.ts";
import { compileManifests, hasManifests } from "../manifests.ts";
import { type AwsOptions, awsOptions, type SourceOptions, sourceOptions } from "../options.ts";
import { targetOf } from "../session.ts";

export default defineCommand<SourceOptions & AwsOptions>({
  description:
    "Creates the state table of an account and region: on demand, encrypted, with point-in-time recovery and deletion protection. Does nothing where it exists.",
  options: [...sourceOptions, ...awsOptions],
  examples: ["beaconctl bootstrap --env prod", "beaconctl bootstrap --region ap-northeast-2 --profile ops"],
  async run(invocation) {
    const { io, options, services } = invocation;
    // With --region no environment is needed to know where.
    const compiled = options.region === undefined && hasManifests(options) ? await compileManifests(invocation) : undefined;
    const { table, created, region } = await services.bootstrap(targetOf(invocation, compiled), compiled?.environment.accountId);
    io.out(created ? `Created the state table ${table} in ${region}.` : `The state table ${table} exists in ${region}; nothing to do.`);
    return 0;
  },
});
