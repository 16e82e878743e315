import { defineCommand } from "../command.ts";
import { compileManifests } from "../manifests.ts";
import { type SandboxOptions, type SourceOptions, sandboxOptions, sourceOptions } from "../options.ts";
import { neededOperations } from "../policy.ts";

// "The size of each managed policy can't exceed 6,144 characters", whitespace not counted; a role's inline policies may have 10,240
// (IAM and STS quotas).
const MANAGED_CHARACTERS_MAX = 6144;

type Options = SourceOptions & SandboxOptions & { readonly controller?: true };

export default defineCommand<Options>({
  description:
    "Prints the IAM policy that applying these manifests needs: the operations their kinds and Monitors declare, what these depend on, and the state table. Offline.",
  options: [
    ...sourceOptions,
    ...sandboxOptions,
    { flags: "--controller", description: "also what a controller needs: the queue of AWS's events, and CloudTrail" },
  ],
  examples: ["beaconctl iam-policy --env prod > policy.json", "beaconctl iam-policy --env prod --controller"],
  async run(invocation) {
    const { services, io, options } = invocation;
    const compiled = await compileManifests(invocation);
    const { accountId, region } = compiled.environment;
    const scope = { ...(accountId === undefined ? {} : { accountId }), ...(region === undefined ? {} : { region }) };
    const needed = neededOperations(compiled, await services.kinds());
    const { CONTROLLER_OPERATIONS } = await import("../../aws/permissions.ts");
    const policy = await services.iamPolicy([...needed, ...(options.controller ? CONTROLLER_OPERATIONS : [])], scope);
    io.out(JSON.stringify(policy, null, 2));
    const { length } = JSON.stringify(policy);
    if (length > MANAGED_CHARACTERS_MAX) {
      io.err(
        `This policy has ${length} characters, and a managed policy takes ${MANAGED_CHARACTERS_MAX}: make it an inline policy of the role.`,
      );
    }
    return 0;
  },
});
