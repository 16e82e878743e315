/**
 * Who changed what: from the events that were heard, else from CloudTrail.
 *
 * Nobody waits for it. What is not known when a drift is found is asked for, again while records may still be on their way, and
 * told when it comes.
 */

import { AwsError } from "../aws/errors.ts";
import { BeaconError } from "../core/errors.ts";
import type { Attribution, Drift, ResourceRecord } from "../core/record.ts";
import type { ResourceKey } from "../core/resource.ts";
import type { Runtime } from "../core/store.ts";
import { attributionOf } from "../events/attribution.ts";
import type { ApiEvent } from "../events/event.ts";
import type { Finding, TrailLookup } from "../events/trail.ts";
import type { AnyKind, Kinds } from "../kind/kind.ts";

// CloudTrail's records come through EventBridge within seconds, seldom minutes; what is older explains nothing that is seen now.
const HEARD_MS = 15 * 60_000;
// A flood must not fill the memory; a thousand changes by other hands within the quarter of an hour are one.
const HEARD_MAX = 1000;
// Events of calls that were made together come within seconds of each other.
const LATE_MS = 5000;

/** Events of the last quarter of an hour, and what other replicas have heard, of all stacks. */
export class Hearsay {
  readonly #runtime: Pick<Runtime, "now">;
  #events: ApiEvent[] = [];
  readonly #told = new Map<string, Attribution>();

  constructor(runtime: Pick<Runtime, "now">) {
    this.#runtime = runtime;
  }

  /** AWS has reported these, none of them BEACON's own calls. */
  heard(events: readonly ApiEvent[]): void {
    const from = this.#runtime.now() - HEARD_MS;
    this.#events = [...this.#events, ...events].filter(({ at }) => at >= from).slice(-HEARD_MAX);
  }

  /** Another replica has heard who changed this resource. */
  told(stack: string, key: ResourceKey, by: Attribution): void {
    if (this.#told.size >= HEARD_MAX) this.#told.clear();
    this.#told.set(`${stack} ${key}`, by);
  }

  /** Oldest first. */
  get events(): readonly ApiEvent[] {
    return this.#events;
  }

  /** What another replica told of the resource, if it is not older than `after`, epoch milliseconds. */
  toldOf(stack: string, key: ResourceKey, after: number): Attribution | undefined {
    const by = this.#told.get(`${stack} ${key}`);
    return by && Date.parse(by.at) >= after ? by : undefined;
  }
}

/** What a witness works with. */
export type WitnessOptions = {
  /** `beacon/prod`. */
  readonly stack: string;
  readonly kinds: Kinds;
  readonly hearsay: Hearsay;
  /** Absent where CloudTrail is not to be asked. */
  readonly trail?: TrailLookup;
  readonly runtime: Runtime;
  readonly signal: AbortSignal;
};

/** A drift that was just found. `after`: ISO 8601 time of the last look that did not see it. */
export type Case = { readonly record: ResourceRecord; readonly drift: Drift; readonly after: string | undefined };

/** Of one stack. See the file's header. */
export class Witness {
  readonly #options: WitnessOptions;

  constructor(options: WitnessOptions) {
    this.#options = options;
  }

  /** From what was heard already, where that leaves no doubt. */
  known(found: Case): Attribution | undefined {
    return this.#heard(found, { surely: true });
  }

  #heard({ record, drift, after }: Case, how: { readonly surely: boolean }): Attribution | undefined {
    const { hearsay, kinds, stack } = this.#options;
    const kind = kinds.get(record.kind) as AnyKind | undefined;
    if (!kind) return undefined;
    const by = attributionOf(questionOf(record, drift, after), { record, kind }, hearsay.events, how);
    return by ?? hearsay.toldOf(stack, record.key, after === undefined ? 0 : Date.parse(after));
  }

  /** Asks CloudTrail until it knows, or would know by now; calls back at most once. */
  ask(found: Case, tell: (by: Attribution) => void): void {
    void this.#askOn(found, tell);
  }

  async #askOn(found: Case, tell: (by: Attribution) => void): Promise<void> {
    const { runtime, signal } = this.#options;
    const likely = () => this.#heard(found, { surely: false });
    try {
      // What was heard explains it badly: what explains it may have been done at the same time.
      if (likely()) await runtime.sleep(LATE_MS, signal);
      for (;;) {
        // An event may still have come: it tells sooner, and costs nothing.
        const heard = this.known(found);
        if (heard) return tell(heard);
        const finding = await this.#asked(found);
        const by = finding.state === "found" ? finding.attribution : likely();
        if (by) return tell(by);
        if (finding.state !== "later") return;
        await runtime.sleep(Math.max(0, finding.notBefore - runtime.now()), signal);
      }
    } catch (error) {
      // Where CloudTrail may not be asked, or the stack has passed on, the drift stays without a name.
      if (!signal.aborted && !(error instanceof AwsError) && !(error instanceof BeaconError)) throw error;
    }
  }

  async #asked({ record, drift, after }: Case): Promise<Finding> {
    const { kinds, trail } = this.#options;
    const kind = kinds.get(record.kind) as AnyKind | undefined;
    return kind && trail ? trail.find(questionOf(record, drift, after), { record, kind }) : { state: "nobody" };
  }
}

function questionOf({ key }: ResourceRecord, { path, firstSeenAt }: Drift, after: string | undefined) {
  return { key, path, since: Date.parse(firstSeenAt), ...(after === undefined ? {} : { after: Date.parse(after) }) };
}
