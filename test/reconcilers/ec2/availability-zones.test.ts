import assert from "node:assert/strict";
import { test } from "node:test";
import { availabilityZones } from "../../../reconcilers/ec2/availability-zones.ts";
import { connect } from "../../../src/aws/handle.ts";
import type { OperationName } from "../../../src/aws/service.ts";
import { sandboxEndpoint, TEST_REGION } from "../../support/sandbox.ts";

test("the zones of a region come sorted by name, ids in the same order", async (context) => {
  const readOperations = new Set(availabilityZones.resolve.operations as OperationName[]);
  const endpoint = await sandboxEndpoint();
  const session = connect({ endpoint, region: TEST_REGION, sandbox: true, readOperations, operations: readOperations });
  context.after(() => session.close());
  const answer = await availabilityZones.resolve.run(session.reader, { state: "available", zoneType: "availability-zone" });
  assert.deepEqual(answer.names, ["eu-west-1a", "eu-west-1b", "eu-west-1c"]);
  assert.equal((answer.zoneIds as string[]).length, 3);
  const one = await availabilityZones.resolve.run(session.reader, { zoneNames: ["eu-west-1b"] });
  assert.deepEqual(one.names, ["eu-west-1b"]);
});

test("the order does not depend on AWS's", async () => {
  const zones = ["c", "a", "b"].map((letter) => ({ ZoneName: `x-${letter}`, ZoneId: `id-${letter}`, GroupName: "x" }));
  const reader = { read: async () => ({ AvailabilityZones: zones }) };
  const answer = await availabilityZones.resolve.run(reader as never, {});
  assert.deepEqual(answer, { names: ["x-a", "x-b", "x-c"], zoneIds: ["id-a", "id-b", "id-c"], groupNames: ["x"] });
});
