import { stackName } from "../../core/resource.ts";
import { askConsent, type ConsentOptions, consentOptions } from "../asking.ts";
import { defineCommand } from "../command.ts";
import { type AwsOptions, awsOptions, type SourceOptions, sourceOptions } from "../options.ts";
import { type StackOptions, stackOption, withChange } from "../session.ts";

export default defineCommand<SourceOptions & AwsOptions & StackOptions & ConsentOptions>({
  description:
    "Frees a stack's lease whoever holds it. Seldom needed: a dead holder's lease is taken over after 15 s. A live holder starts no further call.",
  options: [...sourceOptions, stackOption, ...awsOptions, ...consentOptions],
  examples: ["beaconctl unlock --env dev --yes"],
  async run(invocation) {
    const { io } = invocation;
    return withChange(invocation, { manifests: "optional" }, async (session) => {
      const { stack, store } = session.context;
      const { lease } = await store.load(stack);
      if (!lease) {
        io.out(`Nobody holds ${stackName(stack)}.`);
        return 0;
      }
      io.err(`${lease.holder} holds ${stackName(stack)} since ${lease.since}, last heartbeat ${lease.renewedAt}`);
      await askConsent(invocation, { environment: stack.environment, verb: "unlock", needed: { delete: 0, replace: 0, missing: 0 } });
      const freed = await session.way.store.unlock(stack);
      io.out(freed ? `Took the lease of ${stackName(stack)} from ${freed.holder}.` : `Nobody holds ${stackName(stack)}.`);
      return 0;
    });
  },
});
