/**
 * The item port in memory, for tests and the simulation: exact conditions and transactions, and a network that is not.
 *
 * Each process has a connection of its own. A call travels to the table (which a frozen or killed process cannot stop any
 * more), takes effect there in one step, and travels back. Faults are chosen per call by the test.
 */

import { AwsError, type Verdict } from "../../src/aws/errors.ts";
import {
  ConditionFailed,
  type Item,
  type ItemKey,
  type QueryOptions,
  type Requirement,
  type Table,
  WRITES_MAX,
  type Write,
} from "../../state/table.ts";
import type { VirtualProcess, VirtualWorld } from "./virtual-runtime.ts";

/**
 * `error before`, `throttled`, `conflict` and `cut off` take no effect; `error after` and `lost` do; `slow` takes effect when the
 * caller has given up. Of `cut off`, `lost` and `slow` the caller hears nothing.
 */
export type TableFault = "error before" | "error after" | "throttled" | "conflict" | "lost" | "slow" | "cut off";

export type TableCall = {
  readonly operation: "get" | "query" | "write";
  readonly writes: readonly Write[];
  readonly process: VirtualProcess;
};

export type TableOptions = {
  /** The fault of a call; absent: none. */
  readonly fault?: (call: TableCall) => TableFault | undefined;
  /** One way, per call. Default 2 to 20 ms. */
  readonly latencyMs?: () => number;
};

// A caller gives up after this long; a slow call arrives at twice that.
const TIMEOUT_MS = 4000;

export class MemoryTable {
  readonly #world: VirtualWorld;
  readonly #options: TableOptions;
  readonly #items = new Map<string, Item>();
  /** A table that was not bootstrapped. */
  missing = false;
  /** Every call that took effect, in order. */
  readonly effects: TableCall[] = [];
  /** Called right after a write took effect. */
  onEffect: (call: TableCall) => void = () => {};

  constructor(world: VirtualWorld, options: TableOptions = {}) {
    this.#world = world;
    this.#options = options;
  }

  /** All items, as they are. */
  get items(): readonly Item[] {
    return [...this.#items.values()];
  }

  /** Writes from outside, at once and without conditions. */
  put(item: Item): void {
    this.#items.set(`${item.pk} ${item.sk}`, item);
  }

  /** The state is lost: everything is gone. */
  clear(): void {
    this.#items.clear();
  }

  /** The table as `process` reaches it. */
  connect(process: VirtualProcess): Table {
    const call = <T>(operation: TableCall["operation"], writes: readonly Write[], effect: () => T): Promise<T> =>
      this.#call({ operation, writes, process }, effect);
    return {
      get: ({ pk, sk }) => call("get", [], () => this.#items.get(`${pk} ${sk}`)),
      getMany: (keys) => call("get", [], () => keys.flatMap(({ pk, sk }) => this.#items.get(`${pk} ${sk}`) ?? [])),
      query: (pk, options) => call("query", [], () => this.#query(pk, options)),
      write: (writes) => call("write", writes, () => this.#write(writes)),
    };
  }

  async #call<T>(call: TableCall, effect: () => T): Promise<T> {
    const fault = this.#options.fault?.(call);
    if (fault === "cut off") return this.#timeout(call).then((result) => result());
    const latencyMs = (): number => this.#options.latencyMs?.() ?? this.#world.between(2, 20);
    if (fault) this.#world.note(`${call.process.name}: table ${call.operation} meets ${fault}`);
    const answer = this.#travel(call, fault, effect, fault === "slow" ? 2 * TIMEOUT_MS : latencyMs());
    const returned =
      fault === "lost" || fault === "slow" ? this.#timeout(call) : answer.then((result) => this.#arrive(call, result, latencyMs()));
    answer.catch(() => {});
    return returned.then((result) => result());
  }

  /** The way there, which happens outside of the process, and the effect. */
  async #travel<T>(call: TableCall, fault: TableFault | undefined, effect: () => T, ms: number): Promise<() => T> {
    await this.#world.sleep(ms);
    try {
      if (this.missing) throw failure(call, "ResourceNotFoundException", "refused");
      if (fault === "throttled") throw failure(call, "ThrottlingException", "throttled");
      if (fault === "conflict") throw failure(call, "TransactionConflict", "throttled");
      if (fault === "error before") throw failure(call, "InternalServerError", "ambiguous");
      const result = effect();
      if (call.operation === "write") this.#record(call);
      if (fault === "error after") throw failure(call, "InternalServerError", "ambiguous");
      return () => result;
    } catch (error) {
      return () => {
        throw error;
      };
    }
  }

  #record(call: TableCall): void {
    this.effects.push(call);
    this.onEffect(call);
  }

  async #arrive<T>(call: TableCall, result: () => T, ms: number): Promise<() => T> {
    await call.process.sleep(ms);
    return result;
  }

  async #timeout(call: TableCall): Promise<() => never> {
    await call.process.sleep(TIMEOUT_MS);
    return () => {
      throw failure(call, "TimeoutError", "ambiguous");
    };
  }

  #query(pk: string, { after = "", newestFirst = false, limit }: QueryOptions = {}): readonly Item[] {
    const found = this.items.filter((item) => item.pk === pk && item.sk > after).sort((left, right) => (left.sk < right.sk ? -1 : 1));
    return (newestFirst ? found.reverse() : found).slice(0, limit);
  }

  #write(writes: readonly Write[]): void {
    if (writes.length > WRITES_MAX) throw new Error(`${writes.length} writes in one transaction`);
    const keys = writes.map((write) => keyOf("put" in write ? write.put : write.remove));
    if (new Set(keys).size < keys.length) throw new Error(`a transaction names an item twice: ${keys.join(", ")}`);
    const failed = writes.flatMap(({ when }, index) => (holds(when, this.#items.get(keys[index] ?? "")) ? [] : [index]));
    if (failed.length > 0) throw new ConditionFailed(failed);
    for (const write of writes) {
      if ("put" in write) this.put(write.put);
      else this.#items.delete(keyOf(write.remove));
    }
  }
}

function keyOf({ pk, sk }: ItemKey): string {
  return `${pk} ${sk}`;
}

function holds(when: readonly Requirement[] | undefined, item: Item | undefined): boolean {
  if (!when) return true;
  return when.some((requirement) => {
    if (requirement === "absent") return item === undefined;
    return item !== undefined && Object.entries(requirement).every(([name, value]) => item[name] === value);
  });
}

function failure({ operation }: TableCall, name: string, verdict: Verdict): AwsError {
  return new AwsError(name, `${name} at ${operation}`, { operation: `table:${operation}`, verdict });
}
