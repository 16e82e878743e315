/**
 * The item port: the little that BEACON's memory asks of a table with a partition key `pk` and a sort key `sk`.
 *
 * Everything above it (store, lease, journal) is the same over DynamoDB and over the in-memory table of the simulation.
 * Failures are `AwsError`s with a verdict, and {@link ConditionFailed}; an implementation sends each call once.
 */

export type Scalar = string | number | boolean;
/** Partition key and sort key. */
export type ItemKey = { readonly pk: string; readonly sk: string };
/** One stored item. A large value is bytes. */
export type Item = ItemKey & { readonly [attribute: string]: Scalar | Uint8Array };

/** What the stored item must be: not there, or with exactly these attributes. */
export type Requirement = "absent" | Readonly<Record<string, Scalar>>;

/** One change of one item; `when`: any one of the requirements must hold. */
export type Write =
  | { readonly put: Item; readonly when?: readonly Requirement[] }
  | { readonly remove: ItemKey; readonly when?: readonly Requirement[] };

/** Which part of a partition; without any, all of it in the order of sort keys. */
export type QueryOptions = {
  /** Only sort keys above this one. */
  readonly after?: string;
  /** Highest sort key first. */
  readonly newestFirst?: boolean;
  readonly limit?: number;
};

/** See the file's header. */
export interface Table {
  /** Strongly consistent. */
  get(key: ItemKey): Promise<Item | undefined>;
  /** Those of the items that exist, in no order; strongly consistent, {@link KEYS_MAX} keys at most. */
  getMany(keys: readonly ItemKey[]): Promise<readonly Item[]>;
  /** Every item of the partition, in the order of sort keys, over all pages; strongly consistent. */
  query(pk: string, options?: QueryOptions): Promise<readonly Item[]>;
  /**
   * All of the writes, or none: at most {@link WRITES_MAX}, of different items. Throws {@link ConditionFailed} when a
   * requirement does not hold. `token`, 36 characters at most: the same writes sent again with it take effect once.
   */
  write(writes: readonly Write[], token?: string): Promise<void>;
}

/** DynamoDB: BatchGetItem takes 100 keys. */
export const KEYS_MAX = 100;
/** DynamoDB: TransactWriteItems takes 100 actions ... */
export const WRITES_MAX = 100;
/** ... of 4 MB together; the rest is room for attribute names and what the estimate misses. */
export const WRITE_BYTES_MAX = 3_500_000;

/** Nothing was written: requirements of the writes at these positions did not hold. */
export class ConditionFailed extends Error {
  readonly failed: readonly number[];

  constructor(failed: readonly number[]) {
    super(`the stored items are not as required (writes ${failed.join(", ")})`);
    this.name = "ConditionFailed";
    this.failed = failed;
  }
}

/** An item's size as DynamoDB counts it, roughly: names and values. */
export function itemBytes(item: Item): number {
  return Object.entries(item).reduce((total, [name, value]) => total + name.length + valueBytes(value), 0);
}

function valueBytes(value: Scalar | Uint8Array): number {
  if (typeof value === "string") return Buffer.byteLength(value);
  return value instanceof Uint8Array ? value.length : 8;
}
