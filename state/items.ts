/**
 * How a stack lies in the table.
 *
 * | partition            | sort key          | item                                                            |
 * |----------------------|-------------------|-----------------------------------------------------------------|
 * | `stack#beacon/prod`  | `lease`           | who holds it, epoch, heartbeat                                  |
 * |                      | `record#VPC/main` | one resource                                                    |
 * |                      | `request#check#*` | what people ask of the holder                                   |
 * |                      | `revision`        | the newest revision; large ones go on in `revision#1`, ...      |
 * |                      | `status`          | how the stack stands, as its controller says                    |
 * | `events#beacon/prod` | time and number   | events, with a TTL; apart, so that a load does not read them    |
 * | `revisions#...`      | number            | every revision that is kept, the newest among them              |
 * | `sources#...`        | number and chunk  | what each was compiled from                                     |
 * | `stacks`             | `beacon/prod`     | every stack that has a revision, and a mark that moves with news |
 * | `members`            | id                | the controllers that share this table, with a TTL               |
 *
 * What moves without the lease (requests, revision, status) sorts last in its partition, so that one query reads it alone.
 * Every item carries its format. Values are JSON text, compressed where that saves a write unit.
 */

import { gunzipSync, gzipSync } from "node:zlib";
import { BeaconError } from "../src/core/errors.ts";
import {
  type LeaseView,
  type ResourceRecord,
  type Revision,
  type SourceBundle,
  STATE_FORMAT,
  type StackEvent,
  type StackRequest,
  type StackStatus,
} from "../src/core/record.ts";
import { type ResourceKey, type Stack, stackName } from "../src/core/resource.ts";
import type { LeaseSight, Member, Reach, StackMark, StackNews, StackState } from "../src/core/store.ts";
import type { Item, ItemKey, Write } from "./table.ts";

/** The lease item. `owner` is random and new with each acquire: two processes never share one. */
export type LeaseItem = Item & {
  readonly owner: string;
  readonly holder: string;
  readonly epoch: number;
  readonly heartbeat: number;
  readonly since: string;
  readonly renewedAt: string;
  /** How long its heartbeat must stay still before somebody may take it. */
  readonly ttlMs: number;
  /** Given up in order: it is taken at once. */
  readonly free: boolean;
  readonly controller?: boolean;
  readonly replica?: string;
};

/** The partition with an item for every stack. */
export const STACKS_PARTITION = "stacks";
/** The partition with an item for every controller. */
export const MEMBERS_PARTITION = "members";
/** Everything of a stack's partition that sorts above this moves without the lease. */
export const NEWS_AFTER = "request";
const RECORD = "record#";
const REQUEST = "request#";
const REVISION = "revision";
const STATUS = "status";
// Below 1 KB, DynamoDB's write unit, compression saves nothing.
const COMPRESS_FROM_BYTES = 1024;
// DynamoDB's item limit is 400 KB, names included.
const CHUNK_BYTES = 380_000;
const EVENT_DAYS = 30;
// Half a year of a change a week, and far more than anybody rolls back.
const REVISIONS_KEPT = 50;
// 1.5 MB compressed is some 10 MB of manifests; beside a revision it must fit into one transaction of 4 MB.
const SOURCE_CHUNKS_MAX = 4;
// A controller that has not beaten for an hour is no member any more, whatever the clocks.
const MEMBER_SECONDS = 3600;

/** Lease, records and revision of a stack. */
export function stackPartition(stack: Stack): string {
  return `stack#${stackName(stack)}`;
}

/** The events of a stack, by time. */
export function eventsPartition(stack: Stack): string {
  return `events#${stackName(stack)}`;
}

/** Where the stack's lease lies, whether there is one or not. */
export function leaseKey(stack: Stack): ItemKey {
  return { pk: stackPartition(stack), sk: "lease" };
}

/** Where the record of a resource lies. */
export function recordKey(stack: Stack, key: ResourceKey): ItemKey {
  return { pk: stackPartition(stack), sk: `${RECORD}${key}` };
}

/** A record, with the epoch of the holder that writes it. */
export function recordItem(stack: Stack, record: ResourceRecord, epoch: number): Item {
  return { ...recordKey(stack, record.key), format: STATE_FORMAT, epoch, data: packed(record) };
}

/** Accepted revisions of a stack, by number. */
export function revisionsPartition(stack: Stack): string {
  return `revisions#${stackName(stack)}`;
}

/** What revisions of a stack were compiled from. */
export function sourcesPartition(stack: Stack): string {
  return `sources#${stackName(stack)}`;
}

/** Where a request lies: one of each type and target. */
export function requestKey(stack: Stack, request: StackRequest): ItemKey {
  const target = "target" in request ? request.target : "";
  return { pk: stackPartition(stack), sk: `${REQUEST}${request.type}#${target}` };
}

/** A request as stored. */
export function requestItem(stack: Stack, request: StackRequest): Item {
  return { ...requestKey(stack, request), format: STATE_FORMAT, at: request.at, data: packed(request) };
}

/** How the stack stands, as stored. */
export function statusItem(stack: Stack, status: StackStatus, epoch: number): Item {
  return { pk: stackPartition(stack), sk: STATUS, format: STATE_FORMAT, epoch, data: packed(status) };
}

/** A controller that lives. `now`: epoch milliseconds. */
export function memberItem({ id, beat, ...reach }: Member, now: number): Item {
  const expiresAt = Math.floor(now / 1000) + MEMBER_SECONDS;
  return { pk: MEMBERS_PARTITION, sk: id, format: STATE_FORMAT, beat, ...reach, expiresAt };
}

/** A member as others see it. */
export function memberOf({ sk, beat, only, watches }: Item): Member {
  const reach: Reach = {
    ...(only === undefined ? {} : { only: String(only) }),
    ...(watches === undefined ? {} : { watches: String(watches) }),
  };
  return { id: sk, beat: Number(beat), ...reach };
}

/** A stack's place in the list of all; `mark`: one that no earlier place had. */
export function stackItem(stack: Stack, mark: string): Item {
  return { pk: STACKS_PARTITION, sk: stackName(stack), format: STATE_FORMAT, mark };
}

/** A stack of the list. */
export function stackMark({ sk, mark = "" }: Item): StackMark {
  const slash = sk.indexOf("/");
  return { stack: { project: sk.slice(0, slash), environment: sk.slice(slash + 1) }, mark: String(mark) };
}

/** `number` tells events of one holder apart that happened in the same millisecond. */
export function eventItem(stack: Stack, event: StackEvent, epoch: number, number: number): Item {
  const sk = `${event.at}#${event.id ?? `${epoch}.${String(number).padStart(6, "0")}`}`;
  const expiresAt = Math.floor(Date.parse(event.at) / 1000) + EVENT_DAYS * 86_400;
  return { pk: eventsPartition(stack), sk, format: STATE_FORMAT, expiresAt, data: packed(event) };
}

/** A revision as it is written. `mark`: see {@link stackItem}. */
export type Revising = { readonly revision: Revision; readonly source: SourceBundle | undefined; readonly mark: string };

/**
 * The writes of a revision, the stack's entry in the list of stacks with it, and its place in the history, from which the
 * oldest drops out. The first write requires what was there before.
 */
export function revisionWrites(stack: Stack, { revision, source, mark }: Revising): readonly Write[] {
  const chunks = chunksOf(revision);
  const pk = stackPartition(stack);
  const { number, digest } = revision;
  const before = [{ number: number - 1 }, { number, digest }, ...(number === 1 ? (["absent"] as const) : [])];
  const items = chunks.map((data, n) => ({ pk, sk: n === 0 ? REVISION : `${REVISION}#${n}`, format: STATE_FORMAT, number, data }));
  const [head, ...rest] = items.map((item, n) => ({ put: n === 0 ? { ...item, digest, chunks: chunks.length } : item }));
  return [
    ...(head ? [{ ...head, when: before }] : []),
    ...rest,
    { put: stackItem(stack, mark) },
    { put: { pk: revisionsPartition(stack), sk: numbered(number), format: STATE_FORMAT, data: packed(revision) } },
    ...(source ? sourceWrites(stack, number, source) : []),
    ...droppedOut(stack, number - REVISIONS_KEPT),
  ];
}

function sourceWrites(stack: Stack, number: number, source: SourceBundle): readonly Write[] {
  const chunks = chunksOf(source);
  if (chunks.length > SOURCE_CHUNKS_MAX) return [];
  const pk = sourcesPartition(stack);
  return chunks.map((data, n) => ({ put: { pk, sk: sourceKey(number, n), format: STATE_FORMAT, chunks: chunks.length, data } }));
}

function droppedOut(stack: Stack, number: number): readonly Write[] {
  if (number < 1) return [];
  const sources = Array.from({ length: SOURCE_CHUNKS_MAX }, (_, n) => ({ pk: sourcesPartition(stack), sk: sourceKey(number, n) }));
  return [{ pk: revisionsPartition(stack), sk: numbered(number) }, ...sources].map((remove) => ({ remove }));
}

function numbered(number: number): string {
  return String(number).padStart(8, "0");
}

/** Where the chunks of a revision's source lie. */
export function sourceKey(number: number, chunk: number): string {
  return `${numbered(number)}#${chunk}`;
}

function chunksOf(value: Revision | SourceBundle): readonly Uint8Array[] {
  const bytes = gzipSync(JSON.stringify(value));
  return Array.from({ length: Math.ceil(bytes.length / CHUNK_BYTES) }, (_, n) => bytes.subarray(n * CHUNK_BYTES, (n + 1) * CHUNK_BYTES));
}

/** A source from its chunks; undefined where one is missing. Throws `StateTooNew`. */
export function sourceOf(items: readonly Item[]): SourceBundle | undefined {
  for (const item of items) assertReadable(item);
  if (items.length === 0 || items.length < Number(items[0]?.chunks)) return undefined;
  return JSON.parse(gunzipSync(Buffer.concat(items.map(({ data }) => data as Uint8Array))).toString()) as SourceBundle;
}

/** A revision of the history. Throws `StateTooNew`. */
export function pastRevision(item: Item): Revision {
  assertReadable(item);
  return unpacked<Revision>(item.data);
}

/** A stack's partition as state. Throws `StateTooNew` on an item of a newer format, `StateDamaged` where the revision cannot be read. */
export function stateOf(items: readonly Item[]): StackState {
  for (const item of items) assertReadable(item);
  const records = items.filter(({ sk }) => sk.startsWith(RECORD)).flatMap(recordOf);
  const lease = items.find(({ sk }) => sk === "lease") as LeaseItem | undefined;
  return {
    records: new Map(records.map((record) => [record.key, record])),
    ...newsOf(items),
    ...(lease && !lease.free ? { lease: leaseView(lease) } : {}),
  };
}

/** The part of a stack's partition that moves without the lease. Throws as {@link stateOf}. */
export function newsOf(items: readonly Item[]): StackNews {
  for (const item of items) assertReadable(item);
  const revision = revisionOf(items);
  const status = items.filter(({ sk }) => sk === STATUS).flatMap(readable<StackStatus>)[0];
  return {
    requests: items.filter(({ sk }) => sk.startsWith(REQUEST)).flatMap(readable<StackRequest>),
    ...(revision ? { revision } : {}),
    ...(status ? { status } : {}),
  };
}

// What a damaged one said is asked, or said, anew.
function readable<T extends StackRequest | StackStatus>(item: Item): readonly T[] {
  try {
    return [unpacked<T>(item.data)];
  } catch {
    return [];
  }
}

// A record that cannot be read is as good as lost: AWS knows the object by its tags, and the next apply writes the record anew.
function recordOf(item: Item): readonly ResourceRecord[] {
  try {
    const record = unpacked<ResourceRecord>(item.data);
    return item.sk === `${RECORD}${record.key}` ? [record] : [];
  } catch {
    return [];
  }
}

/** Throws `StateDamaged`: a revision holds what a person was promised to be asked, and nothing in AWS could say it again. */
function revisionOf(items: readonly Item[]): Revision | undefined {
  const bySortKey = new Map(items.map((item) => [item.sk, item]));
  const head = bySortKey.get(REVISION);
  if (!head) return undefined;
  const parts = Array.from(
    { length: Number(head.chunks) },
    (_, n) => bySortKey.get(n === 0 ? REVISION : `${REVISION}#${n}`)?.data as Uint8Array,
  );
  try {
    return JSON.parse(gunzipSync(Buffer.concat(parts)).toString()) as Revision;
  } catch (cause) {
    const next = "restore the state table, or delete this item of it: the next apply then accepts a revision anew";
    throw new BeaconError("StateDamaged", "the stack's revision cannot be read", { where: `${head.pk} ${head.sk}`, next, cause });
  }
}

/** The part of a lease that others may see: its random owner is the holder's own. */
export function leaseView({ holder, epoch, heartbeat, since, renewedAt, controller }: LeaseItem): LeaseView {
  return { holder, epoch, heartbeat, since, renewedAt, ...(controller ? { controller: true } : {}) };
}

/** A lease as controllers watch it. Throws as {@link assertLease}. */
export function leaseSight(item: Item): LeaseSight {
  assertLease(item);
  const { owner, ttlMs, free, replica } = item;
  return { ...leaseView(item), owner, ttlMs, free, ...(replica === undefined ? {} : { replica }) };
}

/** An event as stored. Throws `StateTooNew`. */
export function eventOf(item: Item): StackEvent {
  assertReadable(item);
  return unpacked<StackEvent>(item.data);
}

/** Throws `StateTooNew` when a newer beaconctl wrote the item. */
export function assertReadable(item: Item): void {
  if (Number(item.format) <= STATE_FORMAT) return;
  const message = `the state was written in format ${item.format}, and this beaconctl reads up to ${STATE_FORMAT}`;
  throw new BeaconError("StateTooNew", message, { where: `${item.pk} ${item.sk}`, next: "update it: npm install -g beaconctl@latest" });
}

/** Also throws `StateDamaged`: of a lease that says nothing of its holder, nobody can tell whether it lives. */
export function assertLease(item: Item): asserts item is LeaseItem {
  assertReadable(item);
  if ([item.owner, item.epoch, item.heartbeat, item.ttlMs].every((member) => member !== undefined)) return;
  const next = "make sure that nobody applies the stack, then delete this item of the state table";
  throw new BeaconError("StateDamaged", "the stack's lease cannot be read", { where: `${item.pk} ${item.sk}`, next });
}

function packed(value: ResourceRecord | StackEvent | StackRequest | StackStatus | Revision): string | Uint8Array {
  const text = JSON.stringify(value);
  return text.length < COMPRESS_FROM_BYTES ? text : gzipSync(text);
}

function unpacked<T>(data: Item[string] | undefined): T {
  return JSON.parse(data instanceof Uint8Array ? gunzipSync(data).toString() : String(data)) as T;
}
