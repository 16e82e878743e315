import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { systemRuntime } from "../../src/aws/runtime.ts";
import type { Invocation } from "../../src/cli/command.ts";
import type { Looking, Services, Target } from "../../src/cli/services.ts";
import { type StackOptions, withLook } from "../../src/cli/session.ts";
import { BeaconError, type ErrorCode } from "../../src/core/errors.ts";
import type { Revision } from "../../src/core/record.ts";
import { type Stack, stackName } from "../../src/core/resource.ts";
import type { StateReader } from "../../src/core/store.ts";
import { fakeIo } from "./fake-io.ts";

const home = process.cwd();
const folder = mkdtempSync(join(tmpdir(), "beaconctl-session-"));
// No manifests here: these sessions go by the records.
before(() => process.chdir(folder));
after(() => {
  process.chdir(home);
  rmSync(folder, { recursive: true });
});

const prod: Stack = { project: "beacon", environment: "prod" };
const dev: Stack = { project: "beacon", environment: "dev" };

type World = { readonly stacks?: readonly Stack[]; readonly revision?: Partial<Revision>; readonly accountId?: string };

/** Services whose way looks into `world`; `targets` and `closed` tell how it was asked for. */
function servicesOf({ stacks = [prod, dev], revision, accountId = "111122223333" }: World) {
  const targets: Target[] = [];
  let closed = 0;
  const look = async (target: Target): Promise<Looking> => {
    targets.push(target);
    const store: Pick<StateReader, "stacks" | "load" | "events"> = {
      stacks: async () => stacks,
      load: async () => ({ records: new Map(), requests: [], ...(revision ? { revision: revision as Revision } : {}) }),
      events: async () => [],
    };
    const close = async (): Promise<void> => {
      closed += 1;
    };
    const facts = { region: "eu-west-1", accountId, caller: "arn", sandbox: false, local: false };
    return { ...facts, store: store as StateReader, calls: () => [], close, reader: undefined as never };
  };
  const services = { look, kinds: async () => new Map(), runtime: async () => systemRuntime } as unknown as Services;
  return { services, targets, closed: () => closed };
}

function invocation(services: Services, options: StackOptions & { env?: string } = {}): Invocation<typeof options> {
  return { args: [], options: { color: false, ...options }, io: fakeIo(), services, log: () => {} };
}

async function stackOf(world: World, options: StackOptions & { env?: string }): Promise<string> {
  let name = "";
  await withLook(invocation(servicesOf(world).services, options), { manifests: "optional" }, async ({ context }) => {
    name = stackName(context.stack);
    return 0;
  });
  return name;
}

function rejectsWith(promise: Promise<unknown>, code: ErrorCode): Promise<void> {
  return assert.rejects(promise, (error) => error instanceof BeaconError && error.code === code);
}

test("without manifests the stack is the one named, the only one of the environment, or the only one at all", async () => {
  assert.equal(await stackOf({}, { stack: "beacon/dev" }), "beacon/dev");
  assert.equal(await stackOf({}, { env: "prod" }), "beacon/prod");
  assert.equal(await stackOf({ stacks: [dev] }, {}), "beacon/dev");
  await rejectsWith(stackOf({}, {}), "UsageInvalid");
  await rejectsWith(stackOf({}, { env: "staging" }), "StackUnknown");
  await rejectsWith(stackOf({ stacks: [] }, {}), "StackUnknown");
});

test("without manifests the last revision's role is taken on, and the first way is closed", async () => {
  const { services, targets, closed } = servicesOf({
    revision: { roleArn: "arn:aws:iam::111122223333:role/deploy", accountId: "111122223333" },
  });
  await withLook(invocation(services, { env: "prod" }), { manifests: "optional" }, async () => 0);
  assert.deepEqual(
    targets.map(({ roleArn }) => roleArn),
    [undefined, "arn:aws:iam::111122223333:role/deploy"],
  );
  assert.equal(closed(), 2);
});

test("without manifests the last revision's account is held to", async () => {
  await rejectsWith(stackOf({ revision: { accountId: "999999999999" } }, { env: "prod" }), "AccountMismatch");
});
