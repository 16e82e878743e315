import assert from "node:assert/strict";
import { test } from "node:test";
import { AwsError } from "../../src/aws/errors.ts";
import type { Caller } from "../../src/aws/handle.ts";
import { BeaconError } from "../../src/core/errors.ts";
import { bootstrap, nextStep } from "../../state/bootstrap.ts";
import { VirtualWorld } from "../support/virtual-runtime.ts";

const DONE = { status: "ACTIVE", protected: true, expires: true, backedUp: true };
const ROWS = [
  { why: "no table", facts: { ...DONE, status: undefined }, step: "create" },
  { why: "a table that is being made", facts: { ...DONE, status: "CREATING", protected: false }, step: "wait" },
  { why: "a table anybody may delete", facts: { ...DONE, protected: false }, step: "protect" },
  { why: "events that stay for ever", facts: { ...DONE, expires: false }, step: "expire" },
  { why: "a table without recovery", facts: { ...DONE, backedUp: false }, step: "backUp" },
  { why: "nothing to do", facts: DONE, step: undefined },
];
for (const { why, facts, step } of ROWS) test(`${why}: ${step ?? "done"}`, () => assert.equal(nextStep(facts), step));

type Fault = "before" | "after" | undefined;

/** A DynamoDB that knows one table, takes a while to make it, and loses answers on demand. */
function fakeDynamo(world: VirtualWorld, fault: (operation: string, nth: number) => Fault = () => undefined) {
  const calls: string[] = [];
  let table: { activeAtMs: number; protected: boolean; ttl: boolean; pitr: boolean } | undefined;
  const refused = (name: string): AwsError => new AwsError(name, name, { operation: "dynamodb", verdict: "refused" });
  const need = () => {
    if (!table) throw refused("ResourceNotFoundException");
    return table;
  };
  const effects: Record<string, () => object> = {
    CreateTable: () => {
      if (table) throw refused("ResourceInUseException");
      table = { activeAtMs: world.elapsedMs + 8000, protected: true, ttl: false, pitr: false };
      return {};
    },
    DescribeTable: () => ({
      Table: { TableStatus: need().activeAtMs <= world.elapsedMs ? "ACTIVE" : "CREATING", DeletionProtectionEnabled: need().protected },
    }),
    DescribeTimeToLive: () => ({ TimeToLiveDescription: { TimeToLiveStatus: need().ttl ? "ENABLED" : "DISABLED" } }),
    DescribeContinuousBackups: () => ({
      ContinuousBackupsDescription: { PointInTimeRecoveryDescription: { PointInTimeRecoveryStatus: need().pitr ? "ENABLED" : "DISABLED" } },
    }),
    UpdateTable: () => Object.assign(need(), { protected: true }),
    UpdateTimeToLive: () => Object.assign(need(), { ttl: true }),
    UpdateContinuousBackups: () => Object.assign(need(), { pitr: true }),
  };
  const call = async (_: unknown, operation: string): Promise<object> => {
    calls.push(operation);
    const met = fault(operation, calls.filter((other) => other === operation).length);
    const lost = new AwsError("InternalServerError", "", { operation, verdict: "ambiguous" });
    if (met === "before") throw lost;
    const result = effects[operation]?.() ?? {};
    if (met === "after") throw lost;
    return result;
  };
  return { aws: { call } as unknown as Caller, calls, weaken: () => Object.assign(need(), { protected: false, pitr: false }) };
}

test("a table is made once, with everything on; a second run changes nothing", async () => {
  const world = new VirtualWorld();
  const { aws, calls } = fakeDynamo(world);
  const runtime = world.process("a");
  await world.run(async () => {
    assert.deepEqual(await bootstrap(aws, runtime, { table: "t" }), { created: true, changed: [] });
    assert.deepEqual(
      calls.filter((call) => !call.startsWith("Describe")),
      ["CreateTable", "UpdateTimeToLive", "UpdateContinuousBackups"],
    );
    calls.length = 0;
    assert.deepEqual(await bootstrap(aws, runtime, { table: "t" }), { created: false, changed: [] });
  });
  assert.deepEqual(calls.sort(), ["DescribeContinuousBackups", "DescribeTable", "DescribeTimeToLive"]);
});

test("what somebody switched off is switched on again", async () => {
  const world = new VirtualWorld();
  const { aws, weaken } = fakeDynamo(world);
  const runtime = world.process("a");
  await world.run(async () => {
    await bootstrap(aws, runtime, { table: "t" });
    weaken();
    assert.deepEqual((await bootstrap(aws, runtime, { table: "t" })).changed, ["protect", "backUp"]);
  });
});

for (const operation of ["CreateTable", "UpdateTimeToLive", "UpdateContinuousBackups", "DescribeTable"]) {
  for (const fault of ["before", "after"] as const) {
    test(`an answer of ${operation} lost ${fault} its effect changes nothing in the end`, async () => {
      const world = new VirtualWorld();
      const { aws, calls } = fakeDynamo(world, (met, nth) => (met === operation && nth === 1 ? fault : undefined));
      await world.run(async () => {
        assert.equal((await bootstrap(aws, world.process("a"), { table: "t" })).created, true);
      });
      assert.ok(calls.filter((call) => call === "CreateTable").length <= 2);
    });
  }
}

test("two bootstraps at once make one table, and one of them says so", async () => {
  const world = new VirtualWorld();
  const { aws } = fakeDynamo(world);
  await world.run(async () => {
    const both = await Promise.all(["a", "b"].map((name) => bootstrap(aws, world.process(name), { table: "t" })));
    assert.deepEqual(both.map(({ created }) => created).sort(), [false, true]);
  });
});

test("a refusal is said in AWS's own words", async () => {
  const world = new VirtualWorld();
  const refuse = async () => {
    throw new AwsError("AccessDeniedException", "not authorized", { operation: "dynamodb:DescribeTable", verdict: "refused", status: 400 });
  };
  await world.run(async () => {
    const refused = bootstrap({ call: refuse } as unknown as Caller, world.process("a"), { table: "t" });
    await assert.rejects(refused, (error) => error instanceof BeaconError && /DescribeTable: not authorized/.test(error.message));
  });
});
