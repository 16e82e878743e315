/**
 * What our schemas accept, AWS's models accept: specs by chance are created, and led from one to another by the kinds' own
 * updaters, over a handle that sends nothing and holds every request against the models.
 */

import assert from "node:assert/strict";
import { before, test } from "node:test";
import fc from "fast-check";
import { kinds } from "../../reconcilers/index.ts";
import type { OperationName, Writer } from "../../src/aws/service.ts";
import { ownershipTags } from "../../src/aws/tags.ts";
import { diff } from "../../src/core/diff.ts";
import { canonical, type JsonObject } from "../../src/core/json.ts";
import type { AnyKind, StaticResource } from "../../src/kind/kind.ts";
import { valuesOf } from "./arbitrary.ts";
import { findings } from "./checking.ts";
import { loadKindModels } from "./model.ts";
import { answerOf, FOUND, KNOWN, repaired } from "./pretence.ts";

// Enough that every pair of edges of the larger specs meets now and then; each takes about a millisecond.
const RUNS = 300;
// Routes and associations go one a round, and a spec has up to three of each.
const ROUNDS_MAX = 60;
const UID = "0".repeat(26);

before(() => loadKindModels(kinds));

for (const kind of kinds.values()) {
  if (kind.lookup) {
    test(`AWS takes every look of ${kind.name} that our schema accepts`, () =>
      fc.assert(
        fc.asyncProperty(valuesOf(kind.specSchema), async (spec) => {
          const { writer, problems } = checking();
          await kind.resolve.run(writer, repaired(kind, spec as JsonObject));
          assert.deepEqual(problems, []);
        }),
        { numRuns: RUNS },
      ));
  } else {
    const specs = (valuesOf(kind.specSchema) as fc.Arbitrary<JsonObject>)
      .map((spec) => repaired(kind, spec))
      .filter((spec) => isSound(kind, spec));
    test(`AWS takes every request for ${kind.name} that our schema accepts`, () =>
      fc.assert(
        fc.asyncProperty(specs, specs, (one, other) => life(kind, one, other)),
        { numRuns: RUNS },
      ));
  }
}

function isSound(kind: AnyKind, spec: JsonObject): boolean {
  const resource: StaticResource = { key: `${kind.name}/x`, spec, refersTo: () => undefined, spanOf: () => undefined };
  return kind.specSchema.safeParse(spec).success && (kind.check?.([resource]) ?? []).length === 0;
}

/** Made by the one spec, settled, led to the other, and deleted. */
async function life(kind: AnyKind, one: JsonObject, other: JsonObject): Promise<void> {
  const { writer, problems } = checking();
  const first = named(kind, one);
  const late = Object.entries(kind.spec.fields).flatMap(([name, { meta }]) => (meta?.late ? [name] : []));
  const sent = Object.fromEntries(Object.entries(first).filter(([name]) => !late.includes(name)));
  const made = await kind.create.run(writer, sent, { token: "f".repeat(64) });
  const id = made.id === "undefined" ? "id-1" : made.id; // Not every answer is pretended.
  let observed: JsonObject = { ...made.values, ...sent, ...KNOWN };
  observed = await settle(kind, writer, { id, desired: first, observed, applied: {} });
  const fixed = Object.entries(kind.spec.fields).flatMap(([name, { meta }]) => (meta?.immutable ? [name] : []));
  const kept = Object.fromEntries(fixed.map((name) => [name, first[name]]));
  const second = repaired(kind, { ...named(kind, other), ...kept });
  const desired = Object.fromEntries(Object.entries(second).filter(([, value]) => value !== undefined)) as JsonObject;
  // What had to be repaired may be fixed for good: then the two specs are not one object's.
  const moved = fixed.filter((name) => canonical(desired[name] ?? null) !== canonical(first[name] ?? null));
  if (moved.length > 0 || !isSound(kind, withoutOwner(desired))) return;
  observed = await settle(kind, writer, { id, desired, observed, applied: first });
  await kind.delete.run(writer, { id, observed });
  assert.deepEqual(problems, []);
}

async function settle(
  kind: AnyKind,
  writer: Writer,
  ways: { id: string; desired: JsonObject; observed: JsonObject; applied: JsonObject },
): Promise<JsonObject> {
  let { observed } = ways;
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const comparable = kind.comparable(observed, ways.desired);
    const { changes } = diff({ shape: kind.spec, desired: ways.desired, observed: comparable, applied: ways.applied, ignore: [] });
    const updater = kind.updates.find(({ fields }) => fields.some((name) => changes[name]));
    if (!updater) return observed;
    const effect = await updater.run(writer, { id: ways.id, desired: ways.desired, observed, changes });
    observed = { ...observed, ...effect.values, ...KNOWN };
  }
  return assert.fail(`${kind.name} does not settle: ${JSON.stringify({ ...ways, observed })}`);
}

/** As the engine sends it: with a name, and with the ownership tags. */
function named(kind: AnyKind, spec: JsonObject): JsonObject {
  const name = kind.identity.by === "name" ? kind.identity.name?.field : undefined;
  const owner = { stack: "beacon/prod", resource: `${kind.name}/x`, uid: UID, generation: 1, deletion: "protect" } as const;
  return {
    ...spec,
    ...(name !== undefined && spec[name] === undefined ? { [name]: "beacon-prod-x" } : {}),
    ...(kind.taggable ? { tags: { ...(spec.tags as JsonObject | undefined), ...ownershipTags(owner) } } : {}),
  };
}

function withoutOwner(spec: JsonObject): JsonObject {
  if (spec.tags === undefined) return spec;
  const tags = Object.entries(spec.tags as JsonObject).filter(([key]) => !key.startsWith("beacon:"));
  return { ...spec, tags: Object.fromEntries(tags) };
}

/** A handle that sends nothing. */
function checking(): { readonly writer: Writer; readonly problems: string[] } {
  const problems: string[] = [];
  const call = async (service: { id: string }, name: string, input: object): Promise<object> => {
    const operation: OperationName = `${service.id}:${name}`;
    problems.push(...findings({ operation, input }));
    return answerOf(operation, input);
  };
  const pages = async (service: { id: string }, name: string, input: object): Promise<object[]> => {
    await call(service, name, input);
    return [...(FOUND[`${service.id}:${name}`] ?? [])];
  };
  return { writer: { read: call, write: call, pages } as unknown as Writer, problems };
}
