/** Every request of the kinds' examples' whole lives, made by the real engine on the sandbox, held against AWS's models. */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { kinds } from "../../reconcilers/index.ts";
import type { OperationName, Writer } from "../../src/aws/service.ts";
import type { KindId } from "../../src/core/resource.ts";
import type { AnyKind, AnyLookup, Kinds } from "../../src/kind/kind.ts";
import { type Example, readExamples } from "../conformance/example.ts";
import { newStand } from "../conformance/stand.ts";
import { Subject } from "../conformance/subject.ts";
import { findings, noting, type Request } from "./checking.ts";
import { loadKindModels } from "./model.ts";

// A region that no other test uses.
const REGION = "ca-central-1";

const seen = new Map<OperationName, Request>();

before(() => loadKindModels(kinds));

describe("AWS takes every request of the examples", { concurrency: 1 }, () => {
  for (const [id, example] of readExamples()) {
    const kind = kinds.get(id as KindId);
    if (kind && !kind.lookup) it(kind.name, () => live(kind, example));
  }
  after(() => assert.ok(seen.size > 30, `only ${seen.size} operations were seen`));
});

async function live(kind: AnyKind, example: Example): Promise<void> {
  const requests: Request[] = [];
  const stand = await newStand(notingKinds(requests), "models", REGION);
  try {
    const subject = new Subject(stand.kinds.get(kind.id) as AnyKind, example, stand);
    for (const [step, spec] of example.states.entries()) await stand.settle(subject.manifests(spec), {}, `${kind.name}, step ${step}`);
    await stand.settle(undefined, { destroy: true }, `${kind.name}, deletion`);
  } finally {
    await stand.close();
  }
  for (const request of requests) seen.set(request.operation, request);
  assert.ok(requests.length > 0, "nothing was sent");
  assert.deepEqual([...new Set(requests.flatMap(findings))], []);
}

function notingKinds(requests: Request[]): Kinds {
  return new Map([...kinds].map(([id, kind]) => [id, kind.lookup ? notingLookup(kind, requests) : notingKind(kind, requests)]));
}

// biome-ignore lint/suspicious/noExplicitAny: verbs differ in their arguments only, which pass through untouched.
type AnyVerb = { readonly run: (aws: any, ...rest: any[]) => Promise<any> };

function noted<V extends AnyVerb>(verb: V, requests: Request[]): V {
  return {
    ...verb,
    run: (aws: Writer, ...rest: unknown[]) =>
      verb.run(
        noting(aws, (request) => requests.push(request)),
        ...rest,
      ),
  };
}

function notingLookup(kind: AnyLookup, requests: Request[]): AnyLookup {
  return { ...kind, resolve: noted(kind.resolve, requests) };
}

function notingKind(kind: AnyKind, requests: Request[]): AnyKind {
  return {
    ...kind,
    list: noted(kind.list, requests),
    create: noted(kind.create, requests),
    updates: kind.updates.map((updater) => noted(updater, requests)),
    delete: noted(kind.delete, requests),
    ...(kind.explainBlocked ? { explainBlocked: noted(kind.explainBlocked, requests) } : {}),
  };
}
