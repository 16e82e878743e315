import { defineCommand } from "../command.ts";
import { compileManifests } from "../manifests.ts";
import { type SandboxOptions, type SourceOptions, sandboxOptions, sourceOptions } from "../options.ts";
import { neededOperations } from "../policy.ts";

export default defineCommand<SourceOptions & SandboxOptions>({
  description:
    "Prints the IAM policy that applying these manifests needs: the operations their kinds and Monitors declare, what these depend on, and the state table. Offline.",
  options: [...sourceOptions, ...sandboxOptions],
  examples: ["beaconctl iam-policy --env prod > policy.json"],
  async run(invocation) {
    const { services, io } = invocation;
    const compiled = await compileManifests(invocation);
    const { accountId, region } = compiled.environment;
    const scope = { ...(accountId === undefined ? {} : { accountId }), ...(region === undefined ? {} : { region }) };
    io.out(JSON.stringify(await services.iamPolicy(neededOperations(compiled, await services.kinds()), scope), null, 2));
    return 0;
  },
});
