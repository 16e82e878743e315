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
import type { TrailLookup } from "../events/trail.ts";
import type { AnyKind, Kinds } from "../kind/kind.ts";

// CloudTrail's records come through EventBridge within seconds, seldom minutes; what is older explains nothing that is seen now.
const HEARD_MS = 15 * 60_000;
// A flood must not fill the memory; a thousand changes by other hands within the quarter of an hour are one.
const HEARD_MAX = 1000;

/** Events of the last quarter of an hour, and what other replicas have heard, of all stacks. */
export class Hearsay {
  readonly #runtime: Pick<Runtime, "now">;
  #events: ApiEvent[] = [];
  readonly #told = new Map<string, Attribution>();

  constructor(runtime: Pick<Runtime, "now">) {
    this.#runtime = runtime;
  }

  /** AWS has reported these. */
  heard(events: readonly ApiEvent[]): void {
    const from = this.#runtime.now() - HEARD_MS;
    this.#events = [...this.#events, ...events.filter(({ own }) => !own)].filter(({ at }) => at >= from).slice(-HEARD_MAX);
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

/** Drift of one resource that was just found. `after`: ISO 8601 time of the last look that did not see it. */
export type Case = { readonly record: ResourceRecord; readonly drift: readonly Drift[]; readonly after: string | undefined };

/** Of one stack. See the file's header. */
export class Witness {
  readonly #options: WitnessOptions;

  constructor(options: WitnessOptions) {
    this.#options = options;
  }

  /** From what was heard already. */
  known({ record, drift, after }: Case): Attribution | undefined {
    const { hearsay, kinds, stack } = this.#options;
    const kind = kinds.get(record.kind) as AnyKind | undefined;
    if (!kind) return undefined;
    for (const one of drift) {
      const by = attributionOf(questionOf(record, one, after), { record, kind }, hearsay.events);
      if (by) return by;
    }
    return hearsay.toldOf(stack, record.key, after === undefined ? 0 : Date.parse(after));
  }

  /** Asks CloudTrail until it knows, or would know by now; calls back at most once. */
  ask(found: Case, tell: (by: Attribution) => void): void {
    void this.#askOn(found, tell);
  }

  async #askOn({ record, drift, after }: Case, tell: (by: Attribution) => void): Promise<void> {
    const { kinds, trail, runtime, signal } = this.#options;
    const kind = kinds.get(record.kind) as AnyKind | undefined;
    const [one] = drift;
    if (!kind || !trail || !one) return;
    try {
      for (;;) {
        // An event may still have come: it tells sooner, and costs nothing.
        const heard = this.known({ record, drift, after });
        if (heard) return tell(heard);
        const finding = await trail.find(questionOf(record, one, after), { record, kind });
        if (finding.state === "found") return tell(finding.attribution);
        if (finding.state === "nobody") return;
        await runtime.sleep(Math.max(0, finding.notBefore - runtime.now()), signal);
      }
    } catch (error) {
      // Where CloudTrail may not be asked, or the stack has passed on, the drift stays without a name.
      if (!signal.aborted && !(error instanceof AwsError) && !(error instanceof BeaconError)) throw error;
    }
  }
}

function questionOf({ key }: ResourceRecord, { path, firstSeenAt }: Drift, after: string | undefined) {
  return { key, path, since: Date.parse(firstSeenAt), ...(after === undefined ? {} : { after: Date.parse(after) }) };
}
