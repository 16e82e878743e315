/** What stands in the log for each event: a constant message, a level, the facts as fields. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { ControllerEvent } from "../../src/controller/events.ts";
import { logEvents } from "../../src/controller/log.ts";
import { by, drifted, resource, SAMPLES, stack } from "./sample-events.ts";

type Entry = { readonly level: string; readonly message: string; readonly facts: Readonly<Record<string, unknown>> };

function logged(...events: readonly ControllerEvent[]): readonly Entry[] {
  const entries: Entry[] = [];
  const listener = logEvents((level, message, facts = {}) => void entries.push({ level, message, facts }));
  for (const event of events) listener(event);
  return entries;
}

test("every type has one message of its own, which holds no fact, and names its stack", () => {
  const entries = logged(...Object.values(SAMPLES));
  assert.equal(new Set(entries.map(({ message }) => message)).size, Object.keys(SAMPLES).length);
  for (const { message, facts } of entries) {
    assert.match(message, /^[a-z ]+$/);
    assert.equal(facts.stack, "beacon/prod");
    assert.ok(!("type" in facts) && !JSON.stringify(facts).includes("\\n"), `${message}: ${JSON.stringify(facts)}`);
  }
});

const levels: readonly { why: string; event: ControllerEvent; level: string }[] = [
  { why: "a pass that found nothing comes every few seconds", event: { ...SAMPLES.passEnded, outcome: "quiet" }, level: "debug" },
  { why: "one that did something is worth a line", event: SAMPLES.passEnded, level: "info" },
  { why: "one in which something failed is tried again", event: { ...SAMPLES.passEnded, outcome: "failed" }, level: "warn" },
  { why: "one that failed is tried again", event: SAMPLES.passFailed, level: "warn" },
  { why: "somebody changed something", event: SAMPLES.driftFound, level: "warn" },
  { why: "a person is needed", event: SAMPLES.stalled, level: "error" },
  { why: "a person is needed", event: SAMPLES.sourceInvalid, level: "error" },
  { why: "a person is asked", event: SAMPLES.approvalNeeded, level: "warn" },
  { why: "users are hurt", event: SAMPLES.monitorFailed, level: "error" },
  { why: "another holds it by now", event: SAMPLES.leaseLost, level: "warn" },
];

for (const { why, event, level } of levels) {
  test(`${event.type} is ${level}: ${why}`, () => assert.equal(logged(event)[0]?.level, level));
}

test("facts are fields: whole numbers of milliseconds, drift in words, who it was", () => {
  const [pass, found] = logged(SAMPLES.passEnded, { ...SAMPLES.driftFound, drift: [drifted("tags.Team", { by }), drifted("")] });
  assert.deepEqual(pass?.facts, { stack: "beacon/prod", triggers: ["interval"], elapsedMs: 1235, looked: 12, acted: 1, outcome: "acted" });
  assert.deepEqual(found?.facts, {
    stack: "beacon/prod",
    resource,
    mode: "correct",
    drift: ['tags.Team: "a" → "b"', "the object is gone"],
    by,
  });
});

test("an entry stays short however much drifted", () => {
  const drift = Array.from({ length: 500 }, (_, index) => drifted(`field${index}`, { to: "x".repeat(100_000) }));
  const [entry] = logged({ ...SAMPLES.driftFound, drift }, { ...SAMPLES.sourceInvalid, message: "x".repeat(1_000_000) });
  assert.equal(entry?.facts.more, 480);
  assert.ok(JSON.stringify(entry).length < 10_000);
});

test("what goes on is said once, and at debug from then on, until it is over or says something else", () => {
  const failed = SAMPLES.passFailed;
  const other = { ...failed, message: "access denied" };
  const ended = { ...SAMPLES.passEnded, outcome: "quiet" as const };
  const elsewhere = { ...failed, stack: { ...stack, environment: "dev" } };
  const entries = logged(failed, failed, elsewhere, other, other, ended, other, { type: "leaseReleased", stack }, other);
  assert.deepEqual(
    entries.filter(({ message }) => message === "pass failed").map(({ level }) => level),
    ["warn", "debug", "warn", "warn", "debug", "warn", "warn"],
  );
});
