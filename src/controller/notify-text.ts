/**
 * What people are told by messages, as pure functions: an event becomes a note, notes of a stack gather in a digest, a digest
 * becomes one message.
 *
 * A digest is bounded however much happens: it counts everything, and keeps the first lines of each topic.
 */

import { formatDuration } from "../core/duration.ts";
import type { Drift } from "../core/record.ts";
import { stackName } from "../core/resource.ts";
import { escapeSlack } from "../monitor/alert.ts";
import type { ControllerEvent } from "./events.ts";
import { clipped, driftWords, whoWords } from "./words.ts";

/** What a note is about. A closed set, the most urgent first: the order of a message's lines. */
export type Topic = keyof typeof TOPICS;

/** One line for people. */
export type Note = { readonly topic: Topic; readonly text: string };

/** A line, and how often it was said. */
type Line = Note & { readonly times: number };

/** What gathered of one stack. */
export type Digest = {
  readonly stack: string;
  readonly counts: Readonly<Partial<Record<Topic, number>>>;
  readonly lines: readonly Line[];
};

const ALARM = ":rotating_light:";
const ATTENTION = ":warning:";
const GOOD = ":white_check_mark:";

const TOPICS = {
  stalled: { icon: ALARM, counted: "stalled" },
  monitorFailed: { icon: ALARM, counted: "not healthy" },
  sourceInvalid: { icon: ALARM, counted: "invalid source" },
  approvalNeeded: { icon: ATTENTION, counted: "awaiting approval" },
  drifted: { icon: ATTENTION, counted: "drifted" },
  attributed: { icon: ATTENTION, counted: "attributed" },
  corrected: { icon: GOOD, counted: "corrected" },
  gone: { icon: GOOD, counted: "no longer drifted" },
  recovered: { icon: GOOD, counted: "recovered" },
  monitorRecovered: { icon: GOOD, counted: "healthy again" },
} as const;

const ORDER = Object.keys(TOPICS) as readonly Topic[];

// Slack advises at most 4,000 characters a message (https://docs.slack.dev/reference/methods/chat.postMessage, "Truncating
// content"): 14 lines of 250 leave room for the head, and for the letters that are written longer.
const LINES_MAX = 14;
const LINE_MAX = 250;
const PATHS_MAX = 3;

/** The note of an event; undefined where nobody needs to be told. */
export function noteOf(event: ControllerEvent): Note | undefined {
  switch (event.type) {
    case "driftFound":
      return note("drifted", `${event.resource} ${driftText(event.drift)}${event.mode === "report" ? " (only reported)" : ""}`);
    case "driftAttributed":
      return note("attributed", `${event.resource} ${driftText(event.drift)}`);
    case "driftCorrected":
      return note("corrected", `${event.resource} ${paths(event.drift)}, ${formatDuration(event.afterMs)} after the change`);
    case "driftGone":
      return note("gone", `${event.resource} ${paths(event.drift)}`);
    case "stalled":
      return note("stalled", `${event.resource ?? "the stack"} ${event.reason}: ${event.message}`);
    case "recovered":
      return note("recovered", `${event.resource ?? "the stack"}: ${event.message}`);
    case "approvalNeeded":
      return note("approvalNeeded", `${event.message}: beaconctl approve --stack ${stackName(event.stack)} --expect ${event.digest}`);
    case "sourceInvalid":
      return note("sourceInvalid", event.message);
    case "monitorFailed":
      return note("monitorFailed", `${event.monitor} (${event.subject}): ${event.message}`);
    case "monitorRecovered":
      return note("monitorRecovered", `${event.monitor} (${event.subject}), after ${formatDuration(event.afterMs)}`);
    case "leaseTaken":
    case "leaseLost":
    case "leaseReleased":
    case "passEnded":
    case "passFailed":
    case "revisionAccepted":
    case "revisionConverged":
    case "paused":
    case "resumed":
      return undefined;
  }
}

/** The digest with one note more. */
export function withNote(digest: Digest, { topic, text }: Note): Digest {
  return merged(digest, { stack: digest.stack, counts: { [topic]: 1 }, lines: [{ topic, text, times: 1 }] });
}

/** A stack's digest before anything happened. */
export function emptyDigest(stack: string): Digest {
  return { stack, counts: {}, lines: [] };
}

/** Both, the earlier first. */
export function merged(earlier: Digest, later: Digest): Digest {
  const counts = Object.fromEntries(
    ORDER.map((topic) => [topic, (earlier.counts[topic] ?? 0) + (later.counts[topic] ?? 0)] as const).filter(([, count]) => count > 0),
  );
  const lines = [...earlier.lines];
  for (const line of later.lines) {
    const at = lines.findIndex(({ topic, text }) => topic === line.topic && text === line.text);
    const same = lines[at];
    if (same) lines[at] = { ...same, times: same.times + line.times };
    else if (lines.filter(({ topic }) => topic === line.topic).length < LINES_MAX) lines.push(line);
  }
  return { stack: earlier.stack, counts, lines };
}

/** How many notes it holds. */
export function countOf({ counts }: Digest): number {
  return ORDER.reduce((sum, topic) => sum + (counts[topic] ?? 0), 0);
}

/**
 * One message of a stack:
 *
 *     :warning: beacon/prod: 3 drifted, 2 corrected
 *     • drifted: SecurityGroup/backend ingress: [] → [{"fromPort":22}], by arn:… from 203.0.113.9 (ec2:AuthorizeSecurityGroupIngress)
 *     …
 *     … and 1 more: beaconctl events --stack beacon/prod
 */
export function messageOf(digest: Digest, linesMax: number = LINES_MAX): string {
  const topics = ORDER.filter((topic) => digest.counts[topic] !== undefined);
  const [first] = topics;
  const head = `${first ? TOPICS[first].icon : ATTENTION} ${digest.stack}: ${topics.map((topic) => counted(topic, digest)).join(", ")}`;
  const lines = topics.flatMap((topic) => digest.lines.filter((line) => line.topic === topic)).slice(0, linesMax);
  const more = countOf(digest) - lines.reduce((sum, { times }) => sum + times, 0);
  return escapeSlack([head, ...lines.map(lineText), ...(more > 0 ? [moreText(more, digest)] : [])].join("\n"));
}

/** One message of several stacks, with the fewer lines of each the more they are. */
export function joinedMessage(digests: readonly Digest[]): string {
  const shown = digests.slice(0, LINES_MAX);
  const left = digests.slice(LINES_MAX);
  const linesMax = Math.floor(LINES_MAX / Math.max(1, shown.length));
  const messages = shown.map((digest) => messageOf(digest, linesMax));
  const notes = left.reduce((sum, digest) => sum + countOf(digest), 0);
  return [...messages, ...(left.length > 0 ? [`… and ${notes} more of ${left.length} other stacks`] : [])].join("\n");
}

function counted(topic: Topic, { counts }: Digest): string {
  return `${counts[topic]?.toLocaleString("en")} ${TOPICS[topic].counted}`;
}

function lineText({ topic, text, times }: Line): string {
  return `• ${TOPICS[topic].counted}: ${text}${times > 1 ? ` (${times} times)` : ""}`;
}

function moreText(more: number, { stack }: Digest): string {
  return `… and ${more.toLocaleString("en")} more: beaconctl events --stack ${stack}`;
}

function note(topic: Topic, text: string): Note {
  return { topic, text: clipped(text, LINE_MAX) };
}

function driftText(drift: readonly Drift[]): string {
  const by = drift.find((one) => one.by)?.by;
  const words = drift.slice(0, PATHS_MAX).map(driftWords).join("; ");
  return `${words}${andMore(drift)}${by ? `, by ${whoWords(by)}` : ""}`;
}

function paths(drift: readonly Drift[]): string {
  const names = drift.slice(0, PATHS_MAX).map(({ path }) => path || "the object");
  return `${names.join(", ")}${andMore(drift)}`;
}

function andMore({ length }: readonly Drift[]): string {
  return length > PATHS_MAX ? ` and ${length - PATHS_MAX} more` : "";
}
