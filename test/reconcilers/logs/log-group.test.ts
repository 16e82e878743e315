import assert from "node:assert/strict";
import { test } from "node:test";
import { logGroup } from "../../../reconcilers/logs/log-group.ts";
import { assertHolds, type Bench, benchFor, make, ownedBy, removeAll, settle } from "../support.ts";

const nameFor = (bench: Bench, name: string) => `/${bench.stack}/${name}`;

test("a log group is changed in every field, unset again, and deleted", async () => {
  const bench = await benchFor(logGroup);
  const base = { logGroupName: nameFor(bench, "web"), tags: { Name: "web", Gone: "soon" } };
  const made = await make(bench, base);
  const found = await assertHolds(bench, made);
  assert.match(String(found.values.logGroupArn), /:log-group:\/t-.*\/web$/);
  const kmsKeyId = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd";
  const wanted = { ...base, retentionInDays: 30, kmsKeyId, deletionProtectionEnabled: true, tags: { Name: "site" } };
  const changed = await settle(bench, found, wanted, base);
  assert.equal(changed.effects, 5);
  await assertHolds(bench, changed);
  await assert.rejects(logGroup.delete.run(bench.writer, { id: made.id, observed: {} }), "AWS's deletion protection holds");
  const back = await settle(bench, changed, { logGroupName: base.logGroupName, tags: { Name: "site" } }, wanted);
  const after = (await assertHolds(bench, back)).values;
  assert.deepEqual([after.retentionInDays, after.kmsKeyId, after.deletionProtectionEnabled], [undefined, undefined, false]);
  await removeAll(bench, back);
});

test("a look at what the stack owns asks for no group's tags, and for groups by the batch", async () => {
  const bench = await benchFor(logGroup);
  const made = await Promise.all(["a", "b", "c"].map((name) => make(bench, { logGroupName: nameFor(bench, name) })));
  const others = await benchFor(logGroup);
  const foreign = await make(others, { logGroupName: nameFor(bench, "theirs") });
  const found = await ownedBy(bench, { names: [{ logGroupName: foreign.id }, { logGroupName: nameFor(bench, "nobody") }] });
  assert.deepEqual(found.map(({ id }) => id).sort(), [...made.map(({ id }) => id), foreign.id].sort());
  assert.equal(found.find(({ id }) => id === foreign.id)?.tags?.["beacon:stack"], others.stack, "a foreign group's tags say whose it is");
  const tagReads = bench.session.calls().find(({ operation }) => operation === "logs:ListTagsForResource");
  assert.equal(tagReads?.calls, 1, "only the foreign group is asked for its tags");
  await removeAll(bench, ...made, foreign);
});

test("names go out in batches of fifty, and pages are joined", async () => {
  const asked: string[][] = [];
  const group = (logGroupName: string) => ({ logGroupName, logGroupArn: `arn:aws:logs:r:1:log-group:${logGroupName}` });
  const reader = {
    pages: async (_service: unknown, _operation: string, { logGroupIdentifiers }: { logGroupIdentifiers: string[] }) => {
      asked.push(logGroupIdentifiers);
      return logGroupIdentifiers.slice(1).map(group);
    },
    read: async () => ({ tags: {} }),
  };
  const ids = Array.from({ length: 120 }, (_, index) => `group-${index}`);
  const found = await logGroup.list.run(reader as never, { ids, names: [], fields: new Set() });
  assert.deepEqual(
    asked.map((batch) => batch.length),
    [50, 50, 20],
  );
  assert.equal(found.length, 117, "a name that no longer exists is left out");
});
