import { BeaconError } from "../../core/errors.ts";
import type { ResourceKey } from "../../core/resource.ts";
import { askConsent, type ConsentOptions, consentOptions } from "../asking.ts";
import { defineCommand, type Invocation } from "../command.ts";
import { underLease } from "../holding.ts";
import { type AwsOptions, awsOptions, type SourceOptions, sourceOptions } from "../options.ts";
import { lookWithOrphans } from "../orphans.ts";
import { unprotect } from "../protection.ts";
import { findKey } from "../resources.ts";
import { type Session, type StackOptions, stackOption, withChange } from "../session.ts";

type Options = SourceOptions & AwsOptions & StackOptions & ConsentOptions;

export default defineCommand<Options>({
  description:
    "Takes the deletion protection off a resource that no manifest declares any more: its tag and its record. While a manifest protects it, the manifest decides.",
  arguments: [{ syntax: "<resource>", description: "KIND/NAME" }],
  options: [...sourceOptions, stackOption, ...awsOptions, ...consentOptions],
  examples: [
    "beaconctl unprotect Table/main-vectors --env prod",
    "beaconctl unprotect VPC/main --stack beacon/prod --confirm destroy-prod",
  ],
  async run(invocation) {
    return withChange(invocation, { manifests: "optional" }, async (session) => {
      const { records, revision, lease } = (await lookWithOrphans(session)).state;
      const key = findKey(session.context.kinds, records.keys(), invocation.args[0] ?? "");
      requireNotDeclared(session, key);
      if (records.get(key)?.lifecycle.deletion !== "protect") {
        invocation.io.out(`${key} is not protected.`);
        return 0;
      }
      await approve(invocation, session, revision?.confirm.delete ?? session.compiled?.environment.confirm.delete);
      const holding = { io: invocation.io, wait: false, yields: lease?.controller ?? false };
      await underLease(session, holding, (held) => unprotect(session, held, key));
      invocation.io.out(`${key} is no longer protected. Delete it with: beaconctl delete ${key}`);
      return 0;
    });
  },
});

function requireNotDeclared({ compiled }: Session, key: ResourceKey): void {
  const declared = compiled?.resources.find((resource) => resource.key === key && resource.lifecycle.deletion === "protect");
  if (!declared) return;
  throw new BeaconError("StillDeclared", `${key} is protected by its manifest, so the next apply would protect it again`, {
    where: declared.declaredAt,
    next: "take `deletion: protect` out of its lifecycle and apply, or remove the document and run this again",
  });
}

async function approve(invocation: Invocation<Options>, { context }: Session, phrase: string | undefined): Promise<void> {
  const needed = { delete: 0, replace: 0, missing: 0 };
  await askConsent(invocation, {
    environment: context.stack.environment,
    verb: "unprotect",
    needed,
    ...(phrase === undefined ? {} : { phrase }),
  });
}
