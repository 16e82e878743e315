/** What every kind must do, as scenarios over its example; each gets a fresh stack. */

import assert from "node:assert/strict";
import { isMutating, type OperationName } from "../../src/aws/service.ts";
import { equal, isObject, type Json, type JsonObject } from "../../src/core/json.ts";
import { holdsUnknown } from "../../src/core/unknown.ts";
import { isAlwaysThere } from "../../src/kind/kind.ts";
import { differingFields, mutableFields } from "./example.ts";
import { type Subject, unsetOf } from "./subject.ts";

/** One thing that must hold of every kind. `whole`: with everything the example needs in the same stack. */
export type Scenario = { readonly title: string; readonly whole?: true; readonly run: (subject: Subject) => Promise<void> };

export const SCENARIOS: readonly Scenario[] = [
  { title: "settles, and a second pass changes nothing", whole: true, run: settlesOnce },
  { title: "reads back what its schemas say", run: readsBack },
  { title: "a field changed by the manifest is updated in place", run: updatedByManifest },
  { title: "a field changed by an outside hand is drift, and put back", run: driftPutBack },
  { title: "a change that an outside hand makes first is taken as made", run: overtaken },
  { title: "a field nobody declared is left alone, also while another is updated", run: foreignFieldLeftAlone },
  { title: "a field that leaves the manifest is unset", run: removedIsUnset },
  { title: "an immutable change replaces, in the right order", run: immutableReplaces },
  { title: "an object of somebody else is refused and untouched", run: foreignRefused },
  { title: "lost tags are restored, and nothing is doubled", run: tagsRestored },
  { title: "lost records are rebuilt, and nothing is changed", whole: true, run: recordsRebuilt },
  { title: "deletion settles, and a second does nothing", whole: true, run: deletionSettles },
  { title: "deleted behind our back, it is created again", run: recreated },
  { title: "a deletion that AWS refuses for now is tried again", run: blockedDeletion },
];

async function settlesOnce(subject: Subject): Promise<void> {
  await subject.settle(subject.base);
  const calls = await mutatingCalls(subject, () => subject.settle(subject.base));
  assert.deepEqual(calls, [], subject.says("a second pass makes mutating calls"));
  await subject.assertAtRest(subject.base, "after two passes");
}

async function readsBack(subject: Subject): Promise<void> {
  const { kind } = subject;
  const schema = kind.specSchema.partial().extend(kind.statusSchema.shape);
  for (const [index, state] of subject.example.states.entries()) {
    await subject.settle(state);
    const { id, values } = await subject.object(stepText(index));
    const parsed = schema.safeParse(values);
    const issues = parsed.error?.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; ");
    assert.ok(parsed.success, subject.says(`after ${stepText(index)}, what is observed is no spec and status: ${issues}`));
    assert.equal(values[kind.idField], id, subject.says(`status.${kind.idField} is not the object's id`));
  }
}

async function updatedByManifest(subject: Subject): Promise<void> {
  await subject.settle(subject.base);
  const { id } = await subject.object("before the updates");
  for (const [index, state] of subject.example.states.entries()) {
    if (index === 0) continue;
    const what = `the manifest's ${stepText(index)}`;
    const change = await subject.change(state);
    assert.equal(change.action, "update", subject.says(`${what} is no update in place`));
    const causes = change.differences.filter(({ cause }) => cause !== "pending").map(({ path, cause }) => `${path}: ${cause}`);
    assert.deepEqual(causes, [], subject.says(`${what}: not every difference is pending`));
    await subject.settle(state, what);
    await subject.assertAtRest(state, what);
    assert.equal((await subject.object(what)).id, id, subject.says(`${what} made another object`));
  }
}

async function driftPutBack(subject: Subject): Promise<void> {
  for (const [index, state] of subject.example.states.entries()) {
    if (index === 0) continue;
    const earlier = subject.example.states[index - 1] as JsonObject;
    const what = `an outside hand undoes ${stepText(index)}`;
    const canGo = (name: string) => name in earlier || unsetOf(subject.kind, name) !== undefined;
    const undone = differingFields(earlier, state).filter(canGo);
    const own = undone.filter((name) => name in state);
    // What the step took out of the manifest comes back with the rest where AWS does not take one without the other.
    const known = "problems" in subject.tryManifests(withMembers(state, earlier, own)) ? undone : own;
    if (own.length === 0) continue;
    await subject.settle(state);
    const before = await subject.object(what);
    const values = only(await subject.resolved(earlier), known);
    const changed = Object.keys(subject.difference(values, before).changes);
    const fields = changed.filter((name) => name in state && isNoticed(state[name], earlier[name]));
    if (fields.length === 0) continue;
    await subject.meddle(values);
    await assertDrift(subject, state, fields, what);
    await subject.settle(state, what);
    await subject.assertAtRest(state, what);
    const after = await subject.object(what);
    assert.equal(after.id, before.id, subject.says(`${what}: it became another object`));
    const left = subject.difference(only(await subject.resolved(state), fields), after).differences;
    assert.deepEqual(left, [], subject.says(`${what}: it was not put back`));
  }
}

async function overtaken(subject: Subject): Promise<void> {
  for (const [index, state] of subject.example.states.entries()) {
    const earlier = subject.example.states[index - 1];
    if (!earlier) continue;
    const what = `${stepText(index)}, made by an outside hand between the look and the calls`;
    await subject.settle(earlier);
    const known = differingFields(earlier, state).filter((name) => name in state || unsetOf(subject.kind, name) !== undefined);
    const wanted = only(await subject.resolved(state), known);
    // AWS may refuse what it has done already; the next pass looks again.
    await subject.stand.pass(subject.manifests(state), {}, { meanwhile: () => subject.meddle(wanted) });
    await subject.settle(state, what);
    await subject.assertAtRest(state, what);
  }
}

/** The spec with these members as the other has them. */
function withMembers(spec: JsonObject, other: JsonObject, names: readonly string[]): JsonObject {
  const taken = Object.fromEntries(names.filter((name) => name in other).map((name) => [name, other[name]]));
  return { ...omit(spec, names), ...taken };
}

/** These members; undefined for one that the spec does not have. */
function only(spec: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(names.map((name) => [name, spec[name]]));
}

// A member that only the outside hand's value has is nobody's: maps are ours key by key.
function isNoticed(declared: Json | undefined, theirs: Json | undefined): boolean {
  if (!isObject(declared) || !isObject(theirs)) return true;
  return Object.entries(declared).some(([name, value]) => !equal(value, theirs[name]));
}

async function assertDrift(subject: Subject, state: JsonObject, fields: readonly string[], what: string): Promise<void> {
  const change = await subject.change(state);
  const seen = new Set(change.differences.map(({ field }) => field));
  const unseen = fields.filter((name) => !seen.has(name));
  assert.deepEqual(unseen, [], subject.says(`${what}: these fields' drift is not seen`));
  assert.equal(change.action, "update", subject.says(`${what}: the plan is no update`));
  const causes = change.differences.filter(({ cause }) => cause !== "drift").map(({ path, cause }) => `${path}: ${cause}`);
  assert.deepEqual(causes, [], subject.says(`${what}: the cause is not drift`));
}

async function foreignFieldLeftAlone(subject: Subject): Promise<void> {
  const { kind, base, example } = subject;
  const undeclared = mutableFields(kind).filter((name) => !(name in base));
  const giving = example.states.find((state) => undeclared.some((name) => name in state)) ?? base;
  const fields = undeclared.filter((name) => name in giving);
  const what = `an outside hand sets ${["a tag", ...fields].join(", ")}`;
  await subject.settle(base);
  const foreign = only(await subject.resolved(giving), fields);
  const tagged = (tags: JsonObject) => (kind.taggable ? { tags: { ...(base.tags as JsonObject), ...tags } } : {});
  await subject.meddle({ ...foreign, ...tagged({ Hand: "outside" }) });
  const seen = await subject.change(base);
  assert.equal(seen.action, "none", subject.says(`${what}, which nobody declared, and the plan is not empty`));
  await subject.settle({ ...base, ...declaredChange(subject), ...tagged({ Declared: "later" }) }, "an update beside foreign fields");
  const after = await subject.object(what);
  assert.deepEqual(subject.difference(foreign, after).differences, [], subject.says(`${what}, and an update changes it`));
  const tags = kind.taggable ? [after.tags?.Hand, after.tags?.Declared] : ["outside", "later"];
  assert.deepEqual(tags, ["outside", "later"], subject.says(`${what}: the tags are wrong`));
  await subject.meddle(only({}, fields)); // Some would keep it from being deleted.
}

/** New values for fields that the base declares, where the manifests' checks allow them: what updates an object without tags. */
function declaredChange(subject: Subject): JsonObject {
  const { base, example, kind } = subject;
  const next = example.states.find((state) =>
    mutableFields(kind).some((name) => name in base && name in state && !equal(base[name], state[name])),
  );
  if (kind.taggable || !next) return {};
  const changed = only(
    next,
    mutableFields(kind).filter((name) => name in base && name in next),
  );
  return "problems" in subject.tryManifests({ ...base, ...changed }) ? {} : changed;
}

async function removedIsUnset(subject: Subject): Promise<void> {
  for (const state of subject.example.states) {
    const fields = removable(subject, state);
    if (fields.length === 0) continue;
    const what = `the manifest no longer mentions ${fields.join(", ")}`;
    await subject.settle(state);
    const without = omit(state, fields);
    const change = await subject.change(without);
    const unexpected = change.differences
      .filter(({ field, cause }) => !fields.includes(field) || cause !== "pending")
      .map(({ path }) => path);
    assert.deepEqual(unexpected, [], subject.says(`${what}: other differences`));
    await subject.settle(without, what);
    await subject.assertAtRest(without, what);
    const wanted = Object.fromEntries(fields.map((name) => [name, undefined]));
    const left = subject.difference(wanted, await subject.object(what)).differences;
    assert.deepEqual(left, [], subject.says(`${what}: AWS still has other values than when they are not set`));
  }
}

/** Fields that can leave the manifest together, and that AWS is then asked to change. */
function removable(subject: Subject, state: JsonObject): readonly string[] {
  const fields: string[] = [];
  for (const name of mutableFields(subject.kind)) {
    if (!(name in state) || unsetOf(subject.kind, name) === undefined) continue;
    if (!("problems" in subject.tryManifests(omit(state, [...fields, name])))) fields.push(name);
  }
  return fields;
}

function omit(spec: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(spec).filter(([name]) => !names.includes(name)));
}

async function immutableReplaces(subject: Subject): Promise<void> {
  const { kind, base, example } = subject;
  if (!example.immutable) return;
  await subject.settle(base);
  const before = await subject.object("before the replacement");
  const change = await subject.change(example.immutable);
  assert.equal(change.action, "replace", subject.says("an immutable change is no replacement"));
  const reasons = change.differences.filter(({ immutable }) => immutable).map(({ field }) => field);
  assert.notDeepEqual(reasons, [], subject.says("no difference says that it forces the replacement"));
  const calls = await mutatingCalls(subject, () => subject.settle(example.immutable, "replacing"));
  await subject.assertAtRest(example.immutable, "after the replacement");
  const after = await subject.object("after the replacement");
  const generation = kind.taggable ? after.tags?.["beacon:generation"] : String(await subject.stand.generation(subject.key));
  assert.equal(generation, "2", subject.says("the successor is not of the second generation"));
  const [created, deleted] = [first(calls, kind.create.operations), first(calls, kind.delete.operations)];
  assert.ok(created >= 0 && deleted >= 0, subject.says(`a replacement creates and deletes, and made ${calls.join(", ")}`));
  // Where one operation does both, its name does not tell which came first.
  const order = created === deleted ? change.order : created < deleted ? "createFirst" : "deleteFirst";
  assert.equal(order, change.order, subject.says(`the plan's order is not kept: ${calls.join(", ")}`));
  const gone = await subject.stand.objects(kind, subject.key, [before.id]);
  assert.deepEqual(
    gone.map(({ id }) => id),
    [after.id],
    subject.says("the predecessor is still there"),
  );
}

function first(calls: readonly string[], operations: readonly OperationName[]): number {
  return calls.findIndex((name) => operations.some((operation) => operation === name && isMutating(operation)));
}

async function foreignRefused(subject: Subject): Promise<void> {
  const { kind, base, stand } = subject;
  if (kind.identity.by !== "name" || isAlwaysThere(kind)) return;
  await subject.settle(undefined);
  // Without tags, an object that is just as declared counts as ours: somebody's is another.
  const { desired = {} } = await subject.change(kind.taggable ? base : (subject.example.states.at(1) ?? base));
  const own = Object.entries(desired).filter(([name, value]) => !kind.spec.fields[name]?.meta?.late && !holdsUnknown(value));
  const theirs = { ...Object.fromEntries(own), ...(kind.taggable ? { tags: { Owner: "somebody else" } } : {}) };
  const { id } = await kind.create.run(stand.hand, theirs, { token: "0123456789abcdef0123456789abcdef" });
  const look = () => stand.objects(kind, subject.key, [id]);
  const before = await look();
  const change = await subject.change(base);
  assert.deepEqual(
    [change.action, change.blocked?.reason],
    ["blocked", "NotOwned"],
    subject.says("an object of somebody else is not refused"),
  );
  const done = await stand.pass(subject.manifests(base));
  const result = done?.report.results.find(({ key }) => key === subject.key);
  assert.deepEqual(
    [result?.outcome, result?.reason],
    ["failed", "NotOwned"],
    subject.says("an object of somebody else is not refused by apply"),
  );
  assert.deepEqual(await look(), before, subject.says("an object of somebody else was touched"));
  for (const remote of before) await kind.delete.run(stand.hand, { id, observed: remote.values });
}

async function tagsRestored(subject: Subject): Promise<void> {
  if (!subject.kind.taggable) return;
  await subject.settle(subject.base);
  const before = await subject.object("before its tags are lost");
  await subject.untag(before, Object.keys(before.tags ?? {}));
  const change = await subject.change(subject.base);
  assert.deepEqual([change.action, change.id], ["update", before.id], subject.says("lost tags of a bound object are not drift"));
  assert.ok(
    change.differences.every(({ cause }) => cause === "drift"),
    subject.says("lost tags have another cause than drift"),
  );
  await subject.settle(subject.base, "restoring its tags");
  await subject.assertAtRest(subject.base, "after its tags were restored");
  const after = await subject.object("after its tags were restored");
  assert.deepEqual([after.id, after.tags], [before.id, before.tags], subject.says("its tags are not as before"));
}

async function recordsRebuilt(subject: Subject): Promise<void> {
  await subject.settle(subject.base);
  const before = await subject.object("before the records are lost");
  subject.stand.loseState();
  const calls = await mutatingCalls(subject, () => subject.settle(subject.base, "after the records were lost"));
  assert.deepEqual(calls, [], subject.says("lost records lead to changes"));
  await subject.assertAtRest(subject.base, "after the records were lost");
  assert.equal((await subject.object("after the records were lost")).id, before.id, subject.says("another object was taken"));
}

async function deletionSettles(subject: Subject): Promise<void> {
  const { stand } = subject;
  await subject.settle(subject.base);
  await stand.settle(undefined, { destroy: true }, subject.says("deleting"));
  const left = await stand.objects(subject.kind, subject.key);
  assert.deepEqual(left, [], subject.says("it is still there after its deletion"));
  const calls = await mutatingCalls(subject, () => stand.settle(undefined, { destroy: true }, subject.says("deleting again")));
  assert.deepEqual(calls, [], subject.says("a second deletion makes mutating calls"));
  const { left: open } = await stand.rest(undefined, subject.kind, subject.key);
  assert.deepEqual(open, [], subject.says("after its deletion, the plan is not empty"));
}

async function recreated(subject: Subject): Promise<void> {
  const { kind, base, stand } = subject;
  if (isAlwaysThere(kind)) return;
  await subject.settle(base);
  const before = await subject.object("before it is deleted outside");
  await subject.destroyOutside();
  const change = await subject.change(base);
  assert.deepEqual([change.action, change.vanished], ["create", before.id], subject.says("what was deleted outside is not missed"));
  await subject.settle(base, "creating it again");
  await subject.assertAtRest(base, "after it was created again");
  const after = await subject.object("after it was created again");
  const generation = kind.taggable ? after.tags?.["beacon:generation"] : String(await stand.generation(subject.key));
  assert.equal(generation, "2", subject.says("it is not of the second generation"));
  if (after.id === before.id) return;
  const found = await stand.objects(kind, subject.key, [before.id]);
  assert.deepEqual(
    found.map(({ id }) => id),
    [after.id],
    subject.says("the first object is back"),
  );
}

async function blockedDeletion(subject: Subject): Promise<void> {
  const { kind, stand } = subject;
  const code = kind.errors.wait[0];
  const operation = kind.delete.operations.find(isMutating);
  if (code === undefined || operation === undefined) return;
  await subject.settle(subject.base);
  stand.proxy.inject({ match: { operations: [operation] }, fault: { type: "error", when: "before", status: 400, code } });
  await stand.settle(undefined, { destroy: true }, subject.says(`deleting, while AWS says ${code}`));
  const left = await stand.objects(kind, subject.key);
  assert.deepEqual(left, [], subject.says(`it is still there, after AWS said ${code} once`));
}

/** The mutating calls that go out meanwhile. */
async function mutatingCalls(subject: Subject, act: () => Promise<unknown>): Promise<readonly string[]> {
  const before = subject.stand.proxy.mutatingCalls.length;
  await act();
  return subject.stand.proxy.mutatingCalls.slice(before).map(({ name }) => name);
}

function stepText(index: number): string {
  return index === 0 ? "the base" : `update step ${index}`;
}
