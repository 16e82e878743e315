import assert from "node:assert/strict";
import { test } from "node:test";
import { subnet } from "../../reconcilers/ec2/subnet.ts";
import { AwsError } from "../../src/aws/errors.ts";
import type { Scope } from "../../src/kind/kind.ts";
import { type Batched, batched, chunks, defined, listInScope, picked, unlessNamed } from "../../src/kind/listing.ts";

type Thing = { readonly id: string; readonly name: string };

const world: readonly Thing[] = [
  { id: "1", name: "a" },
  { id: "2", name: "b" },
  { id: "3", name: "c" },
];

async function listed(scope: Partial<Scope>): Promise<{ ids: string[]; asked: string[] }> {
  const asked: string[] = [];
  const found = await listInScope<Thing>(
    { ids: [], names: [], fields: new Set(), ...scope },
    {
      id: ({ id }) => id,
      byTags: async (tags) => {
        asked.push(`tags ${JSON.stringify(tags)}`);
        return world.slice(0, 2);
      },
      byIds: async (ids) => {
        asked.push(`ids ${ids}`);
        return world.filter(({ id }) => ids.includes(id));
      },
      byNames: async (names) => {
        asked.push(`names ${names.map(({ name }) => name)}`);
        return world;
      },
      matches: (thing, name) => thing.name === name.name,
    },
  );
  return { ids: found.map(({ id }) => id), asked };
}

const rows = [
  { why: "nothing wanted asks for nothing", scope: {}, ids: [], asked: [] },
  { why: "the stack's objects are found by their tag", scope: { stack: "p/e" }, ids: ["1", "2"], asked: ['tags {"beacon:stack":"p/e"}'] },
  {
    why: "ids and names the stack's listing answered are not asked again",
    scope: { stack: "p/e", ids: ["1"], names: [{ name: "b" }] },
    ids: ["1", "2"],
    asked: ['tags {"beacon:stack":"p/e"}'],
  },
  {
    why: "what is missing is asked, and comes once",
    scope: { ids: ["1", "3"], names: [{ name: "a" }] },
    ids: ["1", "3"],
    asked: ["ids 1,3", "names a"],
  },
  { why: "an answer to no wanted name is dropped", scope: { names: [{ name: "c" }] }, ids: ["3"], asked: ["names c"] },
  {
    why: "tag sets of what is only read are asked too",
    scope: { tagged: [{ Role: "hub" }] },
    ids: ["1", "2"],
    asked: ['tags {"Role":"hub"}'],
  },
];

for (const { why, scope, ids, asked } of rows) {
  test(why, async () => assert.deepEqual(await listed(scope), { ids, asked }));
}

test("ids go out as filter values, 190 at a time, wildcards as they are", async () => {
  const asked: { Name: string; Values: string[] }[] = [];
  const reader = {
    pages: async (_service: unknown, _operation: string, input: { Filters: { Name: string; Values: string[] }[]; MaxResults: number }) => {
      asked.push(...input.Filters);
      assert.equal(input.MaxResults, 1000);
      return [];
    },
  };
  const ids = Array.from({ length: 450 }, (_, index) => `subnet-${index}`);
  await subnet.list.run(reader as never, { stack: "p/*", ids, names: [], fields: new Set() });
  assert.deepEqual(
    asked.map(({ Name, Values }) => [Name, Values.length]),
    [
      ["tag:beacon:stack", 1],
      ["subnet-id", 190],
      ["subnet-id", 190],
      ["subnet-id", 70],
    ],
  );
  assert.deepEqual(asked[0]?.Values, ["p/\\*"]);
});

test("chunks lose nothing and are never empty", () => {
  assert.deepEqual(chunks([1, 2, 3], 2), [[1, 2], [3]]);
  assert.deepEqual(chunks([], 2), []);
});

test("what AWS writes for none is left out, and false is kept", () => {
  assert.deepEqual(defined({ a: "", b: undefined, c: null, d: false, e: 0 }), { d: false, e: 0 });
});

test("an object that goes while it is looked at is absent; any other failure is told", async () => {
  const failure = (name: string) => Promise.reject(new AwsError(name, "", { operation: "x:Describe", verdict: "refused" }));
  assert.equal(await unlessNamed(["ResourceNotFoundException"], failure("ResourceNotFound")), undefined);
  await assert.rejects(unlessNamed(["ResourceNotFoundException"], failure("AccessDenied")), { name: "AccessDenied" });
});

/** An API that refuses a batch with `z`, which is of nothing; `calls` tells what it was asked. */
function refusing() {
  const calls: string[] = [];
  const api: Batched<Thing> = {
    size: 2,
    notFound: ["ThingNotFound"],
    some: async (some) => {
      calls.push(`some ${some}`);
      if (some.includes("z")) throw new AwsError("ThingNotFound", "", { operation: "x:Describe", verdict: "refused" });
      return world.filter(({ name }) => some.includes(name));
    },
    all: async () => {
      calls.push("all");
      return world;
    },
    key: ({ name }) => name,
  };
  return { api, calls };
}

const batches = [
  { why: "keys are named once, in batches", keys: ["a", "b", "c", "a"], ids: ["1", "2", "3"], asked: ["some a,b", "some c"] },
  { why: "no key asks for nothing", keys: [], ids: [], asked: [] },
  { why: "one that is not there is nothing", keys: ["z"], ids: [], asked: ["some z"] },
  {
    why: "a batch that is refused for one of it is picked out of everything",
    keys: ["a", "z", "c"],
    ids: ["3", "1"],
    asked: ["some a,z", "some c", "all"],
  },
];
for (const { why, keys, ids, asked } of batches) {
  test(`batches: ${why}`, async () => {
    const { api, calls } = refusing();
    const found = await batched(keys, api);
    assert.deepEqual({ ids: found.map(({ id }) => id), calls }, { ids, calls: asked });
  });
}

const doubtful = [
  { why: "one is asked for by itself", keys: ["a"], ids: ["1"], asked: ["some a"] },
  { why: "one that is not there is nothing", keys: ["z"], ids: [], asked: ["some z"] },
  { why: "more are picked out of everything, without a batch that would be refused", keys: ["c", "z"], ids: ["3"], asked: ["all"] },
];
for (const { why, keys, ids, asked } of doubtful) {
  test(`names that no tag answered for: ${why}`, async () => {
    const { api, calls } = refusing();
    const found = await picked(keys, api);
    assert.deepEqual({ ids: found.map(({ id }) => id), calls }, { ids, calls: asked });
  });
}
