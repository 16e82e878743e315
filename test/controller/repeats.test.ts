import assert from "node:assert/strict";
import { test } from "node:test";
import type { ControllerEvent } from "../../src/controller/events.ts";
import { Repeats } from "../../src/controller/repeats.ts";
import { SAMPLES, stack } from "./sample-events.ts";

const { stalled, recovered, passFailed, passEnded, sourceInvalid, revisionAccepted, approvalNeeded, leaseLost, driftFound, monitorFailed } =
  SAMPLES;
const quiet = { ...passEnded, outcome: "quiet" } as const;
const other = { ...stalled, resource: "VPC/main" } as const;

const cases: readonly { why: string; events: readonly ControllerEvent[]; repeats: string }[] = [
  { why: "the same stall again", events: [stalled, stalled, stalled], repeats: ".rr" },
  { why: "another reason is news", events: [stalled, { ...stalled, reason: "Refused" }, stalled], repeats: "..." },
  { why: "another resource is another thing", events: [stalled, other, stalled, other], repeats: "..rr" },
  { why: "it recovered between", events: [stalled, recovered, stalled], repeats: "..." },
  { why: "something else recovered", events: [stalled, { ...recovered, resource: "VPC/main" }, stalled], repeats: "..r" },
  { why: "the whole stack is a thing of its own", events: [{ type: "stalled", stack, reason: "a", message: "b" }, stalled], repeats: ".." },
  { why: "a pass went through between", events: [passFailed, passFailed, quiet, passFailed], repeats: ".r.." },
  { why: "a pass with failures does not end it", events: [passFailed, { ...passEnded, outcome: "failed" }, passFailed], repeats: "..r" },
  { why: "valid manifests end invalid ones", events: [sourceInvalid, sourceInvalid, revisionAccepted, sourceInvalid], repeats: ".r.." },
  {
    why: "another digest is another question",
    events: [approvalNeeded, approvalNeeded, { ...approvalNeeded, digest: "1" }],
    repeats: ".r.",
  },
  { why: "who takes the stack again says it anew", events: [stalled, passFailed, leaseLost, stalled, passFailed], repeats: "....." },
  {
    why: "what happens is never a repeat",
    events: [driftFound, driftFound, monitorFailed, monitorFailed, quiet, quiet],
    repeats: "......",
  },
];

for (const { why, events, repeats } of cases) {
  test(why, () => {
    const memory = new Repeats();
    assert.equal(events.map((event) => (memory.has(event) ? "r" : ".")).join(""), repeats);
  });
}

test("what is remembered is bounded: the oldest goes", () => {
  const memory = new Repeats();
  const of = (index: number): ControllerEvent => ({ ...stalled, resource: `VPC/v${index}` });
  for (let index = 0; index <= 10_000; index++) memory.has(of(index));
  assert.deepEqual([memory.has(of(10_000)), memory.has(of(1)), memory.has(of(0))], [true, true, false]);
});
