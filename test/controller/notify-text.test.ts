/** Events to notes, notes to digests, digests to messages: tables, and the bounds that hold however much happens. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { ControllerEvent } from "../../src/controller/events.ts";
import { countOf, type Digest, emptyDigest, joinedMessage, merged, messageOf, noteOf, withNote } from "../../src/controller/notify-text.ts";
import { by, drifted, resource, SAMPLES } from "./sample-events.ts";

const four = ["a", "b", "c", "d"].map((path) => drifted(path, { from: 1, to: 2 }));

const notes: readonly { why: string; event: ControllerEvent; told: string | undefined }[] = [
  { why: "drift with its values", event: SAMPLES.driftFound, told: 'drifted: SecurityGroup/backend tags.Team: "a" → "b"' },
  {
    why: "drift that nobody will put right",
    event: { ...SAMPLES.driftFound, mode: "report" },
    told: 'drifted: SecurityGroup/backend tags.Team: "a" → "b" (only reported)',
  },
  {
    why: "who it was, where it is known",
    event: { ...SAMPLES.driftFound, drift: [drifted("tags.Team", { by })] },
    told: 'drifted: SecurityGroup/backend tags.Team: "a" → "b", by arn:aws:iam::111122223333:user/ops from 203.0.113.9 (ec2:CreateTags)',
  },
  {
    why: "many fields are counted",
    event: { ...SAMPLES.driftFound, drift: four },
    told: "drifted: SecurityGroup/backend a: 1 → 2; b: 1 → 2; c: 1 → 2 and 1 more",
  },
  {
    why: "a vanished object",
    event: { ...SAMPLES.driftFound, drift: [{ path: "", firstSeenAt: "" }] },
    told: "drifted: SecurityGroup/backend the object is gone",
  },
  {
    why: "a member that was added",
    event: { ...SAMPLES.driftFound, drift: [{ path: "tags.X", to: "y", firstSeenAt: "" }] },
    told: 'drifted: SecurityGroup/backend tags.X: nothing → "y"',
  },
  {
    why: "a correction, and how fast",
    event: SAMPLES.driftCorrected,
    told: "corrected: SecurityGroup/backend tags.Team, 2.9 s after the change",
  },
  { why: "drift that went by itself", event: SAMPLES.driftGone, told: "gone: SecurityGroup/backend tags.Team" },
  {
    why: "who it was became known later",
    event: SAMPLES.driftAttributed,
    told: 'attributed: SecurityGroup/backend tags.Team: "a" → "b", by arn:aws:iam::111122223333:user/ops from 203.0.113.9 (ec2:CreateTags)',
  },
  { why: "a stalled resource", event: SAMPLES.stalled, told: "stalled: SecurityGroup/backend Contested: somebody undoes it" },
  {
    why: "a stalled stack",
    event: { type: "stalled", stack: SAMPLES.stalled.stack, reason: "MassMissing", message: "40 vanished" },
    told: "stalled: the stack MassMissing: 40 vanished",
  },
  { why: "a recovery", event: SAMPLES.recovered, told: "recovered: SecurityGroup/backend: goes on by itself again" },
  {
    why: "a question, with the command that answers it",
    event: SAMPLES.approvalNeeded,
    told: "approvalNeeded: 1 resource would be replaced: beaconctl approve --stack beacon/prod --expect 7f3a91c2",
  },
  {
    why: "invalid manifests, on one line",
    event: SAMPLES.sourceInvalid,
    told: "sourceInvalid: error: unknown field `cidrblock` ┌─ m.yaml:7:9",
  },
  { why: "a Monitor", event: SAMPLES.monitorFailed, told: "monitorFailed: backend (https://a/): HTTP 503, wanted HTTP 200" },
  { why: "a Monitor's recovery", event: SAMPLES.monitorRecovered, told: "monitorRecovered: backend (https://a/), after 4 min 10 s" },
  ...(
    [
      "leaseTaken",
      "leaseLost",
      "leaseReleased",
      "passEnded",
      "passFailed",
      "revisionAccepted",
      "revisionConverged",
      "paused",
      "resumed",
    ] as const
  ).map((type) => ({ why: `${type} is for metrics and the log`, event: SAMPLES[type], told: undefined })),
];

for (const { why, event, told } of notes) {
  test(`a note: ${why}`, () => {
    const note = noteOf(event);
    assert.equal(note && `${note.topic}: ${note.text}`, told);
  });
}

function digestOf(events: readonly ControllerEvent[], stack = "beacon/prod"): Digest {
  return events.flatMap((event) => noteOf(event) ?? []).reduce(withNote, emptyDigest(stack));
}

test("one message: the most urgent first, equal lines once", () => {
  const { driftFound, driftCorrected, stalled } = SAMPLES;
  assert.equal(
    messageOf(digestOf([driftFound, driftCorrected, driftFound, stalled])),
    [
      ":rotating_light: beacon/prod: 1 stalled, 2 drifted, 1 corrected",
      "• stalled: SecurityGroup/backend Contested: somebody undoes it",
      '• drifted: SecurityGroup/backend tags.Team: "a" → "b" (2 times)',
      "• corrected: SecurityGroup/backend tags.Team, 2.9 s after the change",
    ].join("\n"),
  );
  assert.match(messageOf(digestOf([driftFound, driftCorrected])), /^:warning: /);
  assert.match(messageOf(digestOf([driftCorrected])), /^:white_check_mark: /);
});

const many = Array.from({ length: 1000 }, (_, index) => ({ ...SAMPLES.driftFound, resource: `SecurityGroup/g${index}` as const }));

test("a thousand drifts are one message with their number, and hide no stall", () => {
  const lines = messageOf(digestOf([...many, SAMPLES.stalled])).split("\n");
  assert.equal(lines[0], ":rotating_light: beacon/prod: 1 stalled, 1,000 drifted");
  assert.match(lines[1] ?? "", /^• stalled: /);
  assert.equal(lines.length, 1 + 14 + 1);
  assert.equal(lines.at(-1), "… and 987 more: beaconctl events --stack beacon/prod");
});

test("a digest and its message are bounded, whatever values are in it", () => {
  const huge = [drifted("policy", { from: "f".repeat(100_000), to: "<&>".repeat(100_000) })];
  const events = many.flatMap((event) => [
    { ...event, drift: huge },
    { ...SAMPLES.stalled, resource: event.resource, message: "s".repeat(9000) },
  ]);
  const digest = digestOf(events);
  assert.ok(JSON.stringify(digest).length < 10 * 14 * 350, "a digest holds some lines of each topic");
  assert.ok(messageOf(digest).length < 8000, `${messageOf(digest).length} characters`);
});

test("what Slack takes as its own is escaped", () => {
  const message = messageOf(digestOf([{ ...SAMPLES.stalled, message: "<!channel> & <https://evil|click>" }]));
  assert.match(message, /: &lt;!channel&gt; &amp; &lt;https:\/\/evil\|click&gt;$/);
});

test("merged digests count all, the earlier lines first", () => {
  const [early, late] = [digestOf([SAMPLES.stalled, SAMPLES.driftFound]), digestOf([SAMPLES.driftFound, SAMPLES.recovered])];
  const both = merged(early, late);
  assert.deepEqual(both.counts, { stalled: 1, drifted: 2, recovered: 1 });
  assert.equal(countOf(both), 4);
  assert.deepEqual(
    both.lines.map(({ topic, times }) => [topic, times]),
    [
      ["stalled", 1],
      ["drifted", 2],
      ["recovered", 1],
    ],
  );
});

test("several stacks in one message share its lines, and none is left out of the count", () => {
  const two = joinedMessage([digestOf(many, "a/prod"), digestOf([SAMPLES.stalled], "b/prod")]).split("\n");
  assert.deepEqual(
    two.filter((line) => !line.startsWith("•")),
    [":warning: a/prod: 1,000 drifted", "… and 993 more: beaconctl events --stack a/prod", ":rotating_light: b/prod: 1 stalled"],
  );
  const hundred = joinedMessage(
    Array.from({ length: 100 }, (_, index) => digestOf([SAMPLES.driftFound, SAMPLES.stalled], `s${index}/prod`)),
  );
  assert.match(hundred, /… and 172 more of 86 other stacks$/);
  assert.ok(hundred.length < 8000);
  assert.ok(hundred.includes(resource));
});
