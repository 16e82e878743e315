/**
 * Kinds at work on the sandbox, without the engine: create, settle by the kind's own updaters, look, delete.
 *
 * The session refuses operations that the kind does not declare, so every test here is also a test of the declarations.
 */

import assert from "node:assert/strict";
import { after } from "node:test";
import { type AwsSession, connect } from "../../src/aws/handle.ts";
import type { OperationName, Reader, Writer } from "../../src/aws/service.ts";
import { diff } from "../../src/core/diff.ts";
import { canonical, type Json, type JsonObject } from "../../src/core/json.ts";
import type { Lease } from "../../src/core/store.ts";
import type { AnyKind, Remote, Scope } from "../../src/kind/kind.ts";
import { freshProject, sandboxEndpoint, TEST_REGION } from "../support/sandbox.ts";

const HELD = { assertHeld: () => undefined, signal: new AbortController().signal } as unknown as Lease;

/** A kind with a reader and a writer that know its declared operations only, and a stack of its own. */
export type Bench = {
  readonly kind: AnyKind;
  readonly reader: Reader;
  readonly writer: Writer;
  readonly stack: string;
  readonly session: AwsSession;
};

export async function benchFor(kind: AnyKind, stack = `${freshProject()}/test`, region = TEST_REGION): Promise<Bench> {
  const looks = [...kind.list.operations, ...(kind.explainBlocked?.operations ?? [])] as OperationName[];
  const acts = [
    ...kind.create.operations,
    ...kind.delete.operations,
    ...kind.updates.flatMap((updater) => updater.operations),
  ] as OperationName[];
  const session = connect({
    endpoint: await sandboxEndpoint(),
    region,
    sandbox: true,
    readOperations: new Set(looks),
    operations: new Set([...looks, ...acts]),
  });
  after(() => session.close());
  return { kind, stack, session, reader: session.reader, writer: session.writer(HELD) };
}

/** The spec with this stack's ownership tag. */
export function owned({ kind, stack }: Bench, spec: JsonObject): JsonObject {
  return kind.taggable ? { ...spec, tags: { ...(spec.tags as JsonObject | undefined), "beacon:stack": stack } } : spec;
}

/** Sends the create and answers with what it says now holds. */
export async function make(bench: Bench, spec: JsonObject): Promise<Remote> {
  const desired = owned(bench, spec);
  const late = new Set(Object.entries(bench.kind.spec.fields).flatMap(([name, { meta }]) => (meta?.late ? [name] : [])));
  const sent = Object.fromEntries(Object.entries(desired).filter(([name]) => !late.has(name)));
  return bench.kind.create.run(bench.writer, sent, { token: crypto.randomUUID().replaceAll("-", "") });
}

// More updates than any test asks for: a kind whose effects do not say what holds would go on for ever.
const ROUNDS_MAX = 30;

/** Runs updaters as the engine does until nothing differs; answers with what their effects say now holds, and how many ran. */
export async function settle(
  bench: Bench,
  remote: Remote,
  spec: JsonObject,
  applied?: JsonObject,
): Promise<Remote & { readonly effects: number }> {
  const desired = owned(bench, spec);
  let observed = remote.values;
  for (let effects = 0; effects < ROUNDS_MAX; effects++) {
    const { changes } = diff({ shape: bench.kind.spec, desired, observed: bench.kind.comparable(observed, desired), applied, ignore: [] });
    const updater = bench.kind.updates.find(({ fields }) => fields.some((name) => changes[name]));
    if (!updater) return { ...remote, values: observed, effects };
    const effect = await updater.run(bench.writer, { id: remote.id, desired, observed, changes });
    observed = { ...observed, ...effect.values };
  }
  return assert.fail(`${bench.kind.name} does not settle: ${canonical(observed)}`);
}

/** Looks for the ids, for every spec field. */
export async function seen(bench: Bench, ...ids: string[]): Promise<readonly Remote[]> {
  return bench.kind.list.run(bench.reader, { ids, names: [], fields: everyField(bench.kind) });
}

/** Looks for everything the stack owns. */
export async function ownedBy(bench: Bench, more: Partial<Scope> = {}): Promise<readonly Remote[]> {
  return bench.kind.list.run(bench.reader, { stack: bench.stack, ids: [], names: [], fields: everyField(bench.kind), ...more });
}

/** Looks, and checks that AWS holds exactly what the effects said it would. */
export async function assertHolds(bench: Bench, remote: Remote): Promise<Remote> {
  const [found] = await seen(bench, remote.id);
  assert.ok(found, `${bench.kind.name} ${remote.id} is not listed`);
  // States move on by themselves between the effect and the look.
  const names = Object.keys(remote.values).filter((name) => !/stat(e|us|uses)$/i.test(name));
  const said = Object.fromEntries(names.map((name) => [name, ordered(bench.kind, name, remote.values[name])]));
  const held = Object.fromEntries(names.map((name) => [name, ordered(bench.kind, name, found.values[name])]));
  assert.deepEqual(held, said, `${bench.kind.name}: AWS (actual) differs from what the effects said (expected)`);
  assert.ok(
    bench.kind.specSchema.partial().safeParse(pick(found.values, bench.kind.spec.fields)).success,
    "what is observed fits the spec's schema",
  );
  assert.ok(bench.kind.statusSchema.safeParse(pick(found.values, bench.kind.status.fields)).success, "and the status's");
  return found;
}

/** Deletes, and checks that it is no longer listed (or about to go). */
export async function removeAll(bench: Bench, ...remotes: Remote[]): Promise<void> {
  for (const remote of remotes) {
    const [found] = await seen(bench, remote.id);
    await bench.kind.delete.run(bench.writer, { id: remote.id, observed: found?.values ?? remote.values });
  }
  const left = await seen(bench, ...remotes.map(({ id }) => id));
  assert.deepEqual(
    left.filter(({ deleting }) => !deleting),
    [],
  );
}

function everyField(kind: AnyKind): ReadonlySet<string> {
  return new Set(Object.keys(kind.spec.fields));
}

function ordered(kind: AnyKind, name: string, value: Json | undefined): Json | undefined {
  const isSet = kind.spec.fields[name]?.meta?.compare !== undefined && Array.isArray(value);
  return isSet ? value.toSorted((left, right) => (canonical(left) < canonical(right) ? -1 : 1)) : value;
}

function pick(values: JsonObject, fields: object): JsonObject {
  return Object.fromEntries(Object.keys(fields).flatMap((name) => (values[name] === undefined ? [] : [[name, values[name]]])));
}

/** One call that would have been sent. */
export type Sent = { readonly operation: string; readonly input: unknown };

/** A writer that sends nothing: it notes every call and gives `answer`, for what the sandbox does not implement. */
export function recorder(answer: object = {}): { readonly sent: Sent[]; readonly writer: Writer } {
  const sent: Sent[] = [];
  const write = async (_service: unknown, operation: string, input: unknown) => {
    sent.push({ operation, input });
    return answer;
  };
  return { sent, writer: { write } as never };
}
