/** Kinds whose verbs tell which operations they call: a verb may call what it declares, and should need all of it. */

import assert from "node:assert/strict";
import type { OperationName, Reader, Writer } from "../../src/aws/service.ts";
import type { AnyKind, AnyLookup, Kinds } from "../../src/kind/kind.ts";

/** What was called, as `create ec2:CreateVpc`, by kind id. */
export type Calls = Map<string, Set<string>>;

/** The kinds, each verb of which writes down its calls, and fails when it calls what it does not declare. */
export function watchedKinds(kinds: Kinds, calls: Calls): Kinds {
  return new Map([...kinds].map(([id, kind]) => [id, kind.lookup ? watchedLookup(kind, calls) : watchedKind(kind, calls)]));
}

/** Everything a kind declares, in the words of {@link Calls}; without updates of those fields alone that are tested elsewhere. */
export function declaredCalls(kind: AnyKind | AnyLookup, elsewhere: readonly string[]): ReadonlySet<string> {
  const verbs = verbsOf(kind).filter(({ fields = [] }) => fields.length === 0 || fields.some((name) => !elsewhere.includes(name)));
  return new Set(verbs.flatMap(({ name, operations }) => operations.map((operation) => `${name} ${operation}`)));
}

/** Every operation that any of the kinds declares. */
export function operationsOf(kinds: Kinds): ReadonlySet<OperationName> {
  return new Set([...kinds.values()].flatMap(verbsOf).flatMap(({ operations }) => operations));
}

type Verb = { readonly name: string; readonly operations: readonly OperationName[]; readonly fields?: readonly string[] };

function verbsOf(kind: AnyKind | AnyLookup): readonly Verb[] {
  if (kind.lookup) return [{ name: "resolve", operations: kind.resolve.operations }];
  return [
    { name: "list", operations: kind.list.operations },
    { name: "create", operations: kind.create.operations },
    ...kind.updates.map(({ fields, operations }) => ({ name: `update of ${fields.join(", ")}`, operations, fields })),
    { name: "delete", operations: kind.delete.operations },
    ...(kind.explainBlocked ? [{ name: "explainBlocked", operations: kind.explainBlocked.operations }] : []),
  ];
}

function watchedLookup(kind: AnyLookup, calls: Calls): AnyLookup {
  return { ...kind, resolve: watched(kind, "resolve", kind.resolve, calls) };
}

function watchedKind(kind: AnyKind, calls: Calls): AnyKind {
  return {
    ...kind,
    list: watched(kind, "list", kind.list, calls),
    create: watched(kind, "create", kind.create, calls),
    updates: kind.updates.map((updater) => watched(kind, `update of ${updater.fields.join(", ")}`, updater, calls)),
    delete: watched(kind, "delete", kind.delete, calls),
    ...(kind.explainBlocked ? { explainBlocked: watched(kind, "explainBlocked", kind.explainBlocked, calls) } : {}),
  };
}

// biome-ignore lint/suspicious/noExplicitAny: verbs differ in their arguments only, which pass through untouched.
type AnyVerb = { readonly operations: readonly OperationName[]; readonly run: (aws: any, ...rest: any[]) => Promise<any> };

function watched<V extends AnyVerb>(kind: AnyKind | AnyLookup, name: string, verb: V, calls: Calls): V {
  const note = (operation: OperationName) => {
    assert.ok(verb.operations.includes(operation), `${kind.name}: ${name} calls ${operation}, and does not declare it`);
    const known = calls.get(kind.id) ?? new Set();
    calls.set(kind.id, known.add(`${name} ${operation}`));
  };
  return { ...verb, run: (aws: Reader | Writer, ...rest: unknown[]) => verb.run(noting(aws, note), ...rest) };
}

function noting(aws: Reader | Writer, note: (operation: OperationName) => void): Writer {
  const inner = aws as Writer;
  return {
    read: (service, operation, input) => {
      note(`${service.id}:${operation}`);
      return inner.read(service, operation, input);
    },
    pages: (service, operation, input, items) => {
      note(`${service.id}:${operation}`);
      return inner.pages(service, operation, input, items);
    },
    write: (service, operation, input) => {
      note(`${service.id}:${operation}`);
      return inner.write(service, operation, input);
    },
  };
}
