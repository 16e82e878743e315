/**
 * The life of one engine instance inside this process, so that it can end at any call without ending the process.
 *
 * Everything an engine does to the outside (AWS, table, time) goes through its life. When that ends, what is under way still
 * takes effect, as with a process that is killed, but nothing comes back: no promise it waits for ever settles.
 */

import { type Input, isMutating, type OperationName, type Output, type Reader, type Service, type Writer } from "../../src/aws/service.ts";
import type { Runtime } from "../../src/core/store.ts";
import type { Table } from "../../state/table.ts";

/** Where a life ends: at the nth mutating call, before it is sent or after it took effect. */
export type Death = { readonly nth: number; readonly when: "before" | "after" };

const NEVER = new Promise<never>(() => {});

export class Life {
  readonly #death: Death | undefined;
  readonly #end = new AbortController();
  readonly #ended = Promise.withResolvers<void>();
  #quiet = Promise.withResolvers<void>();
  #underWay = 0;
  #writes = 0;
  #diedOf: OperationName | undefined;

  constructor(death?: Death) {
    this.#death = death;
  }

  /** Resolves when it has ended and nothing it began is under way any more. */
  readonly over = this.#ended.promise.then(() => this.#settle());

  /** True once it has ended. */
  get ended(): boolean {
    return this.#end.signal.aborted;
  }

  /** The mutating call at which it ended, once it has. */
  get diedOf(): OperationName | undefined {
    return this.ended ? this.#diedOf : undefined;
  }

  reader(inner: Reader): Reader {
    return {
      read: (service, operation, input) => this.#live(() => inner.read(service, operation, input)),
      pages: (service, operation, input, items) => this.#live(() => inner.pages(service, operation, input, items)),
    };
  }

  writer(inner: Writer): Writer {
    const write = <Module, Op extends string>(service: Service<Module>, operation: Op, input: Input<Module, Op>) =>
      this.#write(() => inner.write(service, operation, input) as Promise<Output<Module, Op>>, `${service.id}:${operation}`);
    return { ...this.reader(inner), write };
  }

  table(inner: Table): Table {
    return {
      get: (key) => this.#live(() => inner.get(key)),
      getMany: (keys) => this.#live(() => inner.getMany(keys)),
      query: (pk, options) => this.#live(() => inner.query(pk, options)),
      write: (writes, token) => this.#live(() => inner.write(writes, token)),
    };
  }

  runtime(inner: Runtime): Runtime {
    const sleep = (ms: number, signal?: AbortSignal) =>
      this.#live(() => inner.sleep(ms, signal ? AbortSignal.any([signal, this.#end.signal]) : this.#end.signal));
    return { ...inner, sleep };
  }

  async #write<T>(call: () => Promise<T>, operation: OperationName): Promise<T> {
    const dies = !this.ended && isMutating(operation) && ++this.#writes === this.#death?.nth;
    if (dies) this.#diedOf = operation;
    if (dies && this.#death?.when === "before") this.#die();
    return this.#live(async () => {
      const answer = await Promise.allSettled([call()]);
      if (dies) this.#die();
      const [settled] = answer;
      if (settled.status === "rejected") throw settled.reason;
      return settled.value;
    });
  }

  async #live<T>(work: () => Promise<T>): Promise<T> {
    if (this.ended) return NEVER;
    this.#underWay += 1;
    const [settled] = await Promise.allSettled([work()]);
    this.#underWay -= 1;
    if (this.#underWay === 0) this.#quiet.resolve();
    if (this.ended) return NEVER;
    if (settled.status === "rejected") throw settled.reason;
    return settled.value;
  }

  #die(): void {
    this.#end.abort(new Error("this engine is dead"));
    this.#ended.resolve();
  }

  async #settle(): Promise<void> {
    while (this.#underWay > 0) {
      this.#quiet = Promise.withResolvers<void>();
      await this.#quiet.promise;
    }
  }
}
