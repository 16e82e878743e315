import assert from "node:assert/strict";
import { test } from "node:test";
import { internetGateway } from "../../../reconcilers/ec2/internet-gateway.ts";
import { vpc } from "../../../reconcilers/ec2/vpc.ts";
import { assertHolds, benchFor, make, ownedBy, removeAll, settle } from "../support.ts";

test("an internet gateway is attached, moved, detached and deleted while attached", async () => {
  const networks = await benchFor(vpc);
  const [first, second] = [await make(networks, { cidrBlock: "10.0.0.0/16" }), await make(networks, { cidrBlock: "10.1.0.0/16" })];
  const bench = await benchFor(internetGateway);
  const made = await make(bench, { vpcId: first.id });
  await assertHolds(bench, made);
  const attached = await settle(bench, made, { vpcId: first.id });
  assert.equal((await assertHolds(bench, attached)).values.vpcId, first.id);
  const moved = await settle(bench, attached, { vpcId: second.id });
  assert.equal(moved.effects, 2, "detached, then attached");
  assert.equal((await assertHolds(bench, moved)).values.vpcId, second.id);
  const detached = await settle(bench, moved, {}, { vpcId: second.id });
  assert.equal((await assertHolds(bench, detached)).values.vpcId, undefined);
  const again = await settle(bench, detached, { vpcId: first.id });
  assert.deepEqual(
    (await ownedBy(bench)).map(({ id }) => id),
    [made.id],
  );
  await removeAll(bench, again);
  await removeAll(networks, first, second);
});

test("deleting an internet gateway that somebody detached meanwhile still succeeds", async () => {
  const networks = await benchFor(vpc);
  const network = await make(networks, { cidrBlock: "10.0.0.0/16" });
  const bench = await benchFor(internetGateway);
  const made = await make(bench, {});
  await internetGateway.delete.run(bench.writer, { id: made.id, observed: { ...made.values, vpcId: network.id } });
  assert.deepEqual(await ownedBy(bench), []);
  await removeAll(networks, network);
});
