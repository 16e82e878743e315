/** A kind under test on a stand of its own: its example's manifests in their variants, and what an outside hand does to the object. */

import assert from "node:assert/strict";
import { stringify } from "yaml";
import type { Writer } from "../../src/aws/service.ts";
import { withoutOwnership } from "../../src/aws/tags.ts";
import type { CompiledStack } from "../../src/core/compiled.ts";
import { type Diff, diff } from "../../src/core/diff.ts";
import type { Json, JsonObject } from "../../src/core/json.ts";
import type { Change } from "../../src/core/plan.ts";
import type { ResourceKey } from "../../src/core/resource.ts";
import type { World } from "../../src/engine/types.ts";
import type { AnyKind, Remote } from "../../src/kind/kind.ts";
import { compile } from "../../src/manifest/compile.ts";
import { formatProblems } from "../../src/manifest/problems.ts";
import { sourcesOf } from "../../src/manifest/source.ts";
import { type Example, keyOf, referrers, withoutSubject } from "./example.ts";
import type { Stand } from "./stand.ts";

/** Effects an outside hand may need for one change; more means that an updater gets nowhere. */
const STEPS_MAX = 30;
// Nothing in the sandbox takes longer by itself.
const PENDING_MS = 5_000;

/** What the manifests say of the subject; undefined: they do not mention it, nor anything that refers to it. */
export type Spec = JsonObject | undefined;

export class Subject {
  readonly kind: AnyKind;
  readonly example: Example;
  readonly stand: Stand;
  readonly #compiled = new Map<string, CompiledStack>();

  constructor(kind: AnyKind, example: Example, stand: Stand) {
    this.kind = kind;
    this.example = example;
    this.stand = stand;
  }

  get key(): ResourceKey {
    return this.example.key;
  }

  get base(): JsonObject {
    return this.example.states[0] as JsonObject;
  }

  /** Begins a failure message. */
  says(what: string): string {
    return `${this.kind.name}: ${what}`;
  }

  /** The example's manifests with this spec of the subject. Fails when they are invalid. */
  manifests(spec: Spec): CompiledStack {
    const compiled = this.tryManifests(spec);
    return "problems" in compiled ? assert.fail(this.says(`the example is invalid:\n${compiled.problems}`)) : compiled;
  }

  /** As {@link manifests}; what is wrong with them is told. */
  tryManifests(spec: Spec): CompiledStack | { readonly problems: string } {
    const id = JSON.stringify(spec ?? null);
    const known = this.#compiled.get(id);
    if (known) return known;
    const { project, environment } = this.stand.stack;
    const own = [
      { apiVersion: "beacon/v1", kind: "Project", metadata: { name: project }, spec: { id: project } },
      { apiVersion: "beacon/v1", kind: "Environment", metadata: { name: environment }, spec: { region: this.stand.region } },
    ];
    const { others, subject } = this.example;
    const documents = [...own, ...(spec ? [...others, { ...subject, spec }] : withoutSubject(this.example))];
    const sources = sourcesOf({ "example.yaml": documents.map((document) => stringify(document)).join("---\n") });
    const compilation = compile(sources, { kinds: this.stand.kinds, environment, params: [], paramsFiles: [] });
    if (!compilation.ok) return { problems: formatProblems(compilation.problems, sources) };
    this.#compiled.set(id, compilation.stack);
    return compilation.stack;
  }

  /** Brings AWS to the spec; fails with what stood in the way. */
  async settle(spec: Spec, what = "settling"): Promise<void> {
    await this.stand.settle(this.manifests(spec), {}, this.says(what));
  }

  /** The subject's part of a plan. */
  async change(spec: JsonObject): Promise<Change> {
    const { plan } = await this.stand.plan(this.manifests(spec));
    return plan.changes.find(({ key }) => key === this.key) ?? assert.fail(this.says("the plan does not mention it"));
  }

  /** The one live object that is the subject's; fails when there is none, or more. */
  async object(what: string): Promise<Remote> {
    const found = await this.stand.objects(this.kind, this.key);
    assert.equal(found.length, 1, this.says(`${what}: AWS holds ${found.length} objects of it: ${found.map(({ id }) => id)}`));
    return found[0] as Remote;
  }

  /** Fails unless nothing is left to do and AWS holds one object of the subject, or none when it is not declared. */
  async assertAtRest(spec: Spec, what: string): Promise<void> {
    const { left, objects } = await this.stand.rest(this.manifests(spec), this.kind, this.key);
    assert.deepEqual(left, [], this.says(`${what}: the plan is not empty`));
    const ids = objects.map(({ id }) => id).join(", ");
    assert.equal(objects.length, spec ? 1 : 0, this.says(`${what}: AWS holds ${objects.length} objects of it (${ids})`));
  }

  /** The spec's values with everything known that a look can tell. */
  async resolved(spec: JsonObject): Promise<JsonObject> {
    const compiled = this.manifests(spec);
    const { world } = await this.stand.plan(compiled);
    return resolveIn(world, compiled, this.key);
  }

  /** The fields' differences between what is wanted of them (undefined: their `unset`) and the object. */
  difference(wanted: JsonObject, current: Remote): Diff {
    const observed: JsonObject = { ...current.values, ...(current.tags ? { tags: withoutOwnership(current.tags) } : {}) };
    // As if everything that is there had been applied: what is wanted gone then goes.
    const applied = Object.fromEntries(Object.keys(wanted).map((name) => [name, observed[name]]));
    const desired = Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== undefined));
    return diff({ shape: this.kind.spec, desired, observed: this.kind.comparable(observed, desired), applied, ignore: [] });
  }

  /** Changes the object as somebody outside would: by the kind's own updaters, without a lease, a record or ownership. */
  async meddle(wanted: JsonObject): Promise<void> {
    for (let step = 0; step < STEPS_MAX; step++) {
      const current = await this.#usable("before an outside change");
      const { changes } = this.difference(wanted, current);
      const updater = this.kind.updates.find(({ fields }) => fields.some((name) => changes[name]));
      if (!updater) return;
      const unset = Object.fromEntries(Object.entries(wanted).map(([name, value]) => [name, value ?? changes[name]?.after]));
      const observed: JsonObject = current.tags ? { ...current.values, tags: current.tags } : current.values;
      await updater.run(this.stand.hand, { id: current.id, desired: { ...specOf(this.kind, current), ...unset }, observed, changes });
    }
    assert.fail(this.says(`an outside hand cannot bring about ${JSON.stringify(wanted)} in ${STEPS_MAX} steps`));
  }

  /** The subject's object once AWS has carried out what it was told before. */
  async #usable(what: string): Promise<Remote> {
    const until = performance.now() + PENDING_MS;
    let current = await this.object(what);
    while (this.kind.ready(current.values).state === "waiting" && performance.now() < until) current = await this.object(what);
    return current;
  }

  /** Deletes the object and whatever refers to it, as somebody outside would: first they let go of each other. */
  async destroyOutside(): Promise<void> {
    const { hand, kinds } = this.stand;
    const { world } = await this.stand.plan(this.manifests(this.base));
    const keys = [...referrers(this.example).map(keyOf), this.key];
    const held = keys.flatMap((key) => {
      const record = world.state.records.get(key);
      const kind = record && (kinds.get(record.kind) as AnyKind);
      const remote = world.remotes.get(record?.kind ?? "")?.find(({ id }) => id === record?.id);
      return kind && remote ? [{ kind, remote }] : [];
    });
    for (const { kind, remote } of held) await letGo(kind, remote, hand);
    for (const { kind, remote } of held) await kind.delete.run(hand, { id: remote.id, observed: remote.values });
  }

  /** Removes tags from the object, as somebody outside would. */
  async untag(current: Remote, keys: readonly string[]): Promise<void> {
    const updater = this.kind.updates.find(({ fields }) => fields.includes("tags"));
    const before: JsonObject = { ...current.tags };
    const change = { before, after: {}, added: [], removed: [], changed: [], set: {}, drop: keys };
    const observed: JsonObject = { ...current.values, tags: before };
    await updater?.run(this.stand.hand, { id: current.id, desired: {}, observed, changes: { tags: change } });
  }

  async close(): Promise<void> {
    await this.stand.close();
  }
}

/** The spec of a resource as far as the look knows what it refers to. */
export function resolveIn(world: World, compiled: CompiledStack, key: ResourceKey): JsonObject {
  const view = (other: ResourceKey) => {
    const record = world.state.records.get(other);
    return world.pins[other]?.values ?? world.remotes.get(record?.kind ?? "")?.find(({ id }) => id === record?.id)?.values;
  };
  const resource = compiled.resources.find((candidate) => candidate.key === key);
  return resource ? compiled.resolve(resource, view) : {};
}

/** The value a field is brought to when it leaves the manifest; undefined where it is then left as it is. */
export function unsetOf(kind: AnyKind, field: string): Json | undefined {
  return kind.spec.fields[field]?.meta?.unset;
}

/** Empties the late fields, by which objects may hold each other. */
async function letGo(kind: AnyKind, remote: Remote, hand: Writer): Promise<void> {
  for (const [name, { meta }] of Object.entries(kind.spec.fields)) {
    const present = remote.values[name];
    if (!meta?.late || !Array.isArray(present) || present.length === 0) continue;
    const change = { before: present, after: [], added: [], removed: present, changed: [], set: {}, drop: [] };
    const updater = kind.updates.find(({ fields }) => fields.includes(name));
    await updater?.run(hand, { id: remote.id, desired: { [name]: [] }, observed: remote.values, changes: { [name]: change } });
  }
}

function specOf(kind: AnyKind, { values }: Remote): JsonObject {
  return Object.fromEntries(Object.entries(values).filter(([name]) => name in kind.spec.fields));
}
