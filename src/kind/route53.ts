/**
 * What the kinds that write DNS records share: Route 53, its records, and their changes.
 *
 * Route 53 takes one change of a zone at a time, and many records in one; so each zone has one writer per handle. Changes that
 * come while a request of their zone is on its way, or in the same moment, leave together in the next. Such a batch is all or
 * nothing: a refused one is sent again change by change, so that each learns what is wrong with it alone.
 */

import type {
  ChangeAction,
  ListResourceRecordSetsRequest,
  ListResourceRecordSetsResponse,
  ResourceRecordSet,
} from "@aws-sdk/client-route-53";
import { isNamed } from "../aws/errors.ts";
import { onceALook } from "../aws/look.ts";
import { type Reader, service, type Writer } from "../aws/service.ts";
import { canonicalDnsName } from "../core/dns-name.ts";
import { canonical } from "../core/json.ts";
import { unlessNamed } from "./listing.ts";

/** Route 53, loaded at its first call. */
export const route53 = service("route53", "Route53Client", () => import("@aws-sdk/client-route-53"));

/** What AWS says when a zone is gone. */
export const NO_ZONE = ["NoSuchHostedZone"];

/** What tells record sets of one zone apart. */
export type RecordKey = {
  readonly Name: string | undefined;
  readonly Type: ResourceRecordSet["Type"];
  readonly SetIdentifier?: string | undefined;
};

/** The key as text, whatever the name's spelling. */
export function recordKey({ Name, Type, SetIdentifier = "" }: RecordKey): string {
  return `${canonicalDnsName(Name ?? "")} ${Type} ${SetIdentifier}`;
}

/** A zone's id without the path that AWS puts before it. */
export function zoneIdOf(id: string | undefined): string {
  return String(id).replace(/^\/hostedzone\//, "");
}

// So few that are left to be found are asked for one by one: a large zone's further pages would cost more.
const FEW = 3;

/**
 * The zone's records of these keys; none where there is no such zone. Costs a page for small zones, and for large ones no more
 * calls than pages or keys. Calls route53:ListResourceRecordSets.
 */
export async function recordsIn(aws: Reader, zone: string, keys: readonly RecordKey[]): Promise<ResourceRecordSet[]> {
  const wanted = new Map(keys.map((key) => [recordKey(key), key]));
  const found = new Map<string, ResourceRecordSet>();
  const take = (page: ListResourceRecordSetsResponse | undefined) => {
    for (const record of page?.ResourceRecordSets ?? []) if (wanted.has(recordKey(record))) found.set(recordKey(record), record);
    return page;
  };
  const missing = () => [...wanted].filter(([text]) => !found.has(text)).map(([, key]) => key);
  if (wanted.size === 0) return [];
  let page = take(await pageOf(aws, { HostedZoneId: zone }));
  while (page?.IsTruncated && missing().length > FEW) page = take(await pageOf(aws, { HostedZoneId: zone, ...nextOf(page) }));
  if (page?.IsTruncated) await Promise.all(missing().map(async (key) => take(await pageOf(aws, { HostedZoneId: zone, ...only(key) }))));
  return [...found.values()];
}

/** Every record of the zone. Calls route53:ListResourceRecordSets. */
export async function allRecords(aws: Reader, zone: string): Promise<ResourceRecordSet[]> {
  const records: ResourceRecordSet[] = [];
  let page = await pageOf(aws, { HostedZoneId: zone });
  records.push(...(page?.ResourceRecordSets ?? []));
  while (page?.IsTruncated) {
    page = await pageOf(aws, { HostedZoneId: zone, ...nextOf(page) });
    records.push(...(page?.ResourceRecordSets ?? []));
  }
  return records;
}

// Kinds that look at the same zone in one look share its pages.
function pageOf(aws: Reader, request: ListResourceRecordSetsRequest): Promise<ListResourceRecordSetsResponse | undefined> {
  const ask = () => unlessNamed(NO_ZONE, aws.read(route53, "ListResourceRecordSets", request));
  return onceALook(aws, `route53:ListResourceRecordSets ${canonical({ ...request } as never)}`, ask);
}

function nextOf(page: ListResourceRecordSetsResponse): Partial<ListResourceRecordSetsRequest> {
  return {
    StartRecordName: page.NextRecordName,
    StartRecordType: page.NextRecordType,
    ...(page.NextRecordIdentifier === undefined ? {} : { StartRecordIdentifier: page.NextRecordIdentifier }),
  };
}

function only({ Name, Type, SetIdentifier }: RecordKey): Partial<ListResourceRecordSetsRequest> {
  const start = { StartRecordName: Name, StartRecordType: Type };
  return SetIdentifier === undefined ? start : { ...start, StartRecordIdentifier: SetIdentifier };
}

/** One change of one record set. */
export type RecordChange = { readonly Action: ChangeAction; readonly ResourceRecordSet: ResourceRecordSet };

const writers = new WeakMap<Writer, Map<string, ZoneWriter>>();

/**
 * Resolves when Route 53 has taken the change, which goes out in one batch with others of its zone. Throws what AWS says of it.
 * Calls route53:ChangeResourceRecordSets.
 */
export function changeRecord(aws: Writer, zone: string, change: RecordChange): Promise<void> {
  const zones = writers.get(aws) ?? new Map<string, ZoneWriter>();
  writers.set(aws, zones);
  const writer = zones.get(zone) ?? new ZoneWriter(aws, zone);
  zones.set(zone, writer);
  return writer.send(change);
}

// Route 53 developer guide, "Quotas on ChangeResourceRecordSets requests": 1000 ResourceRecord elements, and 32000 characters in
// their values, where those of an UPSERT count twice. An alias has no such element; it is counted as one, to have a limit.
const ELEMENTS_MAX = 1000;
const CHARACTERS_MAX = 32_000;

// What AWS says of a whole batch for one change in it.
const REFUSED = ["InvalidChangeBatch", "InvalidInput", "NoSuchHealthCheck"];

type Waiting = { readonly change: RecordChange; readonly resolve: () => void; readonly reject: (reason: unknown) => void };

class ZoneWriter {
  readonly #aws: Writer;
  readonly #zone: string;
  #waiting: Waiting[] = [];
  #busy = false;

  constructor(aws: Writer, zone: string) {
    this.#aws = aws;
    this.#zone = zone;
  }

  send(change: RecordChange): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiting.push({ change, resolve, reject });
    if (!this.#busy) void this.#work();
    return promise;
  }

  async #work(): Promise<void> {
    this.#busy = true;
    while (this.#waiting.length > 0) {
      await moment();
      await this.#settle(this.#take());
    }
    this.#busy = false;
  }

  /** The next batch: as many as AWS takes in one, and of each record one change. The rest waits for the batch after it. */
  #take(): Waiting[] {
    const batch = new Map<string, Waiting[]>();
    const rest: Waiting[] = [];
    let [elements, characters] = [0, 0];
    for (const one of this.#waiting) {
      const key = recordKey(one.change.ResourceRecordSet);
      const same = batch.get(key);
      const size = sizeOf(one.change);
      const isFull = batch.size > 0 && (elements + size.elements > ELEMENTS_MAX || characters + size.characters > CHARACTERS_MAX);
      if (rest.length > 0 || (same ? !isSame(same[0] as Waiting, one) : isFull)) rest.push(one);
      else if (same) same.push(one);
      else {
        batch.set(key, [one]);
        elements += size.elements;
        characters += size.characters;
      }
    }
    this.#waiting = rest;
    return [...batch.values()].flat();
  }

  async #settle(batch: readonly Waiting[]): Promise<void> {
    try {
      await this.#request(batch);
      for (const { resolve } of batch) resolve();
    } catch (error) {
      const isOne = batch.every((one) => isSame(one, batch[0] as Waiting));
      if (isOne || !isNamed(error, REFUSED)) for (const { reject } of batch) reject(error);
      else for (const one of batch) await this.#settle([one]);
    }
  }

  async #request(batch: readonly Waiting[]): Promise<void> {
    const changes = new Map(batch.map(({ change }) => [recordKey(change.ResourceRecordSet), change]));
    const Changes = [...changes.values()];
    await this.#aws.write(route53, "ChangeResourceRecordSets", { HostedZoneId: this.#zone, ChangeBatch: { Changes } });
  }
}

function isSame({ change }: Waiting, other: Waiting): boolean {
  return canonical(change as never) === canonical(other.change as never);
}

function sizeOf({ Action, ResourceRecordSet }: RecordChange): { elements: number; characters: number } {
  const values = (ResourceRecordSet.ResourceRecords ?? []).map(({ Value = "" }) => Value.length);
  const times = Action === "UPSERT" ? 2 : 1;
  return { elements: times * Math.max(1, values.length), characters: times * values.reduce((sum, length) => sum + length, 0) };
}

/** Lets everything run that is due by now: changes that several resources want at once leave together. */
function moment(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
