/**
 * Who did it, asked of CloudTrail where no event told: LookupEvents by the resource's name.
 *
 * AWS allows two such calls a second per account and region, so that they go through the session's reader, whose rate limit
 * they share with everybody else. What was asked is remembered for each resource and window; who asks for the same meanwhile waits for the same answer.
 * CloudTrail lags: an empty answer is asked for again until records must have come.
 */

import type { Reader } from "../aws/service.ts";
import type { Attribution } from "../core/record.ts";
import type { Runtime } from "../core/store.ts";
import { attributionOf, CLOCK_SLACK_MS, type UnexplainedDrift } from "./attribution.ts";
import { type ApiEvent, parseTrailRecord } from "./event.ts";
import { changesOf, type Subject } from "./mapping.ts";
import { cloudTrailIn, globalRegionOf, isGlobal } from "./services.ts";

/** The answer for now. `later`: nobody is known yet, ask again at that time (runtime's `now`). `nobody`: CloudTrail would know by now. */
export type Finding =
  | { readonly state: "found"; readonly attribution: Attribution }
  | { readonly state: "later"; readonly notBefore: number }
  | { readonly state: "nobody" };

/** What it needs of the outside. `reader` must let `cloudtrail:LookupEvents` through. */
export type TrailOptions = { readonly reader: Reader; readonly region: string; readonly runtime: Pick<Runtime, "now"> };

// "CloudTrail typically delivers events within an average of about 5 minutes of an API call. This time is not guaranteed" (CloudTrail
// user guide, "How CloudTrail works"); in Event history they come within 15 (user guide, "Viewing recent management events").
const LAG_MAX_MS = 20 * 60_000;
const ASK_AGAIN_MS = 60_000;
// How far back a change may lie that nobody saw before: a controller that was off for a day.
const LOOKBACK_MS = 24 * 3_600_000;
// Windows are rounded to this, so that the drifts of one resource that one pass finds are one question.
const WINDOW_STEP_MS = 5 * 60_000;
// One page: the latest 50 calls that name the resource in the window.
const PAGE = 50;
// Questions remembered; each holds a page of parsed records, some 50 kB.
const REMEMBERED_MAX = 500;

type Asked = { readonly askedAt: number; readonly events: Promise<readonly ApiEvent[]> };

/** See the file's header. One per session. */
export class TrailLookup {
  readonly #options: TrailOptions;
  readonly #asked = new Map<string, Asked>();

  constructor(options: TrailOptions) {
    this.#options = options;
  }

  /** Who caused the drift, as far as CloudTrail knows by now. Rejects with what LookupEvents fails with, and remembers no failure. */
  async find(drift: UnexplainedDrift, subject: Subject): Promise<Finding> {
    const now = this.#options.runtime.now();
    for (const name of lookupNames(subject)) {
      // Calls that name it otherwise may explain nothing: an alarm is put with its policy's ARN, which is deleted by its name.
      const attribution = attributionOf(drift, subject, await this.#events(drift, subject, name));
      if (attribution) return { state: "found", attribution };
    }
    if (now > drift.since + LAG_MAX_MS) return { state: "nobody" };
    return { state: "later", notBefore: now + ASK_AGAIN_MS };
  }

  #events(drift: UnexplainedDrift, subject: Subject, name: string): Promise<readonly ApiEvent[]> {
    const from = floor(drift.after === undefined ? drift.since - LOOKBACK_MS : drift.after - CLOCK_SLACK_MS);
    const until = floor(drift.since + CLOCK_SLACK_MS) + WINDOW_STEP_MS;
    return this.#once({ region: this.#regionOf(subject), name, from, until }, drift.since + LAG_MAX_MS);
  }

  #regionOf({ kind }: Subject): string {
    const { region } = this.#options;
    const [operation = ""] = changesOf(kind);
    return isGlobal(operation.slice(0, operation.indexOf(":"))) ? globalRegionOf(region) : region;
  }

  /** The answer to a question, asked again only while records may still be on their way. */
  #once(question: Question, settledAt: number): Promise<readonly ApiEvent[]> {
    const key = Object.values(question).join(" ");
    const now = this.#options.runtime.now();
    const last = this.#asked.get(key);
    if (last && (now < last.askedAt + ASK_AGAIN_MS || last.askedAt > settledAt)) return last.events;
    const events = this.#ask(question);
    this.#asked.delete(key);
    this.#asked.set(key, { askedAt: now, events });
    events.catch(() => this.#asked.get(key)?.events === events && this.#asked.delete(key));
    const [oldest] = this.#asked.keys();
    if (this.#asked.size > REMEMBERED_MAX && oldest !== undefined) this.#asked.delete(oldest);
    return events;
  }

  async #ask({ region, name, from, until }: Question): Promise<readonly ApiEvent[]> {
    const { Events = [] } = await this.#options.reader.read(cloudTrailIn(region), "LookupEvents", {
      LookupAttributes: [{ AttributeKey: "ResourceName", AttributeValue: name }],
      StartTime: new Date(from),
      EndTime: new Date(until),
      MaxResults: PAGE,
    });
    // AWS tells the latest first, and of those within one second only the order tells which it was.
    return Events.toReversed().flatMap(({ CloudTrailEvent }) => parseTrailRecord(CloudTrailEvent) ?? []);
  }
}

type Question = { readonly region: string; readonly name: string; readonly from: number; readonly until: number };

/** What CloudTrail may know the resource by: its id, or the first part of one that has several; else its name. Two questions at most. */
function lookupNames({ record, kind }: Subject): readonly string[] {
  const field = kind.identity.by === "name" ? kind.identity.name?.field : undefined;
  const named = record.name ?? (field === undefined ? undefined : (record.observed[field] ?? record.applied[field]));
  const names = [record.id?.split(/\s/, 1)[0], typeof named === "string" ? named : undefined];
  return [...new Set(names.filter((name) => name !== undefined && name !== ""))] as readonly string[];
}

function floor(ms: number): number {
  return Math.floor(ms / WINDOW_STEP_MS) * WINDOW_STEP_MS;
}
