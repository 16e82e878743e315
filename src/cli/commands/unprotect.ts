import { BeaconError } from "../../core/errors.ts";
import type { ResourceRecord } from "../../core/record.ts";
import { askConsent, type ConsentOptions, consentOptions } from "../asking.ts";
import { defineCommand, type Invocation } from "../command.ts";
import { type AwsOptions, awsOptions, type SourceOptions, sourceOptions } from "../options.ts";
import { findKey } from "../resources.ts";
import { holderName } from "../run.ts";
import type { Changing } from "../services.ts";
import { type Session, type StackOptions, stackOption, withChange } from "../session.ts";

type Options = SourceOptions & AwsOptions & StackOptions & ConsentOptions;

export default defineCommand<Options>({
  description:
    "Takes the deletion protection off a resource that no manifest declares any more. While a manifest protects it, the manifest decides.",
  arguments: [{ syntax: "<resource>", description: "KIND/NAME" }],
  options: [...sourceOptions, stackOption, ...awsOptions, ...consentOptions],
  examples: ["beaconctl unprotect Table/main-vectors --env prod"],
  async run(invocation) {
    return withChange(invocation, { manifests: "optional" }, async (session) => {
      const { store, stack, kinds } = session.context;
      const state = await store.load(stack);
      const record = state.records.get(findKey(kinds, state.records.keys(), invocation.args[0] ?? "")) as ResourceRecord;
      requireNotDeclared(session, record);
      if (record.lifecycle.deletion !== "protect") {
        invocation.io.out(`${record.key} is not protected.`);
        return 0;
      }
      await approve(invocation, session, state.revision?.confirm.delete ?? session.compiled?.environment.confirm.delete);
      await unprotect(session, record);
      invocation.io.out(`${record.key} is no longer protected. Delete it with: beaconctl delete ${record.key}`);
      return 0;
    });
  },
});

function requireNotDeclared({ compiled }: Session, { key }: ResourceRecord): void {
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

async function unprotect({ way, context }: Session<Changing>, { key }: ResourceRecord): Promise<void> {
  const lease = await way.store.acquire(context.stack, { holder: holderName(), wait: false });
  try {
    // Read again under the lease: another run may have changed the record meanwhile.
    const record = (await context.store.load(context.stack)).records.get(key);
    if (!record) return;
    const at = new Date(context.runtime.now()).toISOString();
    lease.journal.put({ ...record, lifecycle: { ...record.lifecycle, deletion: "delete" } });
    lease.journal.event({ at, resource: key, type: "Unprotected", message: `by ${way.caller}` });
    await lease.journal.commit();
  } finally {
    await lease.release();
  }
}
