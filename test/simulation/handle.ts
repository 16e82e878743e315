/**
 * An engine process's way to the simulated cloud: the retries of the real one, and a network that fails in every way.
 *
 * A call waits its turn, checks the lease, may then stand still (a frozen process sends late), travels, takes effect, and
 * travels back. What a killed process has sent still arrives; what it waits for never comes.
 */

import { AwsError } from "../../src/aws/errors.ts";
import { withRetries } from "../../src/aws/retry.ts";
import { type Input, isMutating, type OperationName, type Output, type Service, type Writer } from "../../src/aws/service.ts";
import type { Tags } from "../../src/aws/tags.ts";
import type { JsonObject } from "../../src/core/json.ts";
import type { Lease } from "../../src/core/store.ts";
import type { VirtualProcess } from "../support/virtual-runtime.ts";
import { type Cloud, CloudError, type ObjectType, Violation } from "./cloud.ts";

/** What may happen to one call. `late`: it arrives long after its caller gave up. */
export type CallFault = "throttled" | "unsent" | "error before" | "error after" | "lost" | "late";

/** The chance of each fault per call. */
export type FaultRates = Readonly<Record<CallFault, number>>;

/** How a process reaches the cloud. `lease`: absent for one that only reads. */
export type Way = {
  readonly cloud: Cloud;
  readonly process: VirtualProcess;
  readonly faults: () => FaultRates;
  /** Told of each mutating call right before it is sent: scenarios kill and freeze here. */
  readonly onSend: (process: VirtualProcess, epoch: number) => void;
};

type Sent = {
  readonly fault: CallFault | undefined;
  readonly failed: (name: string, verdict: AwsError["verdict"]) => AwsError;
  readonly signal: AbortSignal | undefined;
};

// A caller's patience, and how much later a late call arrives at most: with the longest lag, still within the window.
const TIMEOUT_MS = 3_000;
const LATE_MAX_MS = 1_000;

/** A handle that may write as long as `lease` is held; without one, it only reads. */
export class SimHandle implements Writer {
  readonly #way: Way;
  readonly #lease: Lease | undefined;

  constructor(way: Way, lease?: Lease) {
    this.#way = way;
    this.#lease = lease;
  }

  read<Module, Op extends string>(service: Service<Module>, operation: Op, input: Input<Module, Op>): Promise<Output<Module, Op>> {
    return this.#call(`${service.id}:${operation}`, input as object) as Promise<Output<Module, Op>>;
  }

  async pages(): Promise<never> {
    throw new Error("the simulated cloud has no pages");
  }

  write<Module, Op extends string>(service: Service<Module>, operation: Op, input: Input<Module, Op>): Promise<Output<Module, Op>> {
    if (!this.#lease) throw new Violation(`${operation} was sent without a lease`);
    return this.#call(`${service.id}:${operation}`, input as object) as Promise<Output<Module, Op>>;
  }

  #call(operation: OperationName, input: object): Promise<unknown> {
    const signal = isMutating(operation) ? this.#lease?.signal : undefined;
    const options = { runtime: this.#way.process, mutating: isMutating(operation), onThrottled: () => {}, ...(signal ? { signal } : {}) };
    return withRetries(() => this.#send(operation, input, signal), options);
  }

  async #send(operation: OperationName, input: object, signal: AbortSignal | undefined): Promise<unknown> {
    const { process, cloud, onSend } = this.#way;
    await process.sleep(cloud.world.between(0, 5), signal);
    if (signal) {
      this.#lease?.assertHeld();
      onSend(process, this.#lease?.epoch ?? 0);
      // Between the check and the first byte: a process that is frozen or killed here sends late, or never.
      await process.sleep(0);
    }
    const fault = this.#fault();
    const failed = (name: string, verdict: AwsError["verdict"]) => new AwsError(name, `${name} (${fault})`, { operation, verdict });
    if (fault) cloud.world.note(`${process.name}: ${operation} meets ${fault}`);
    if (fault === "throttled") throw failed("Throttling", "throttled");
    if (fault === "unsent") throw failed("ECONNREFUSED", "unsent");
    const travel = fault === "late" ? TIMEOUT_MS + cloud.world.between(0, LATE_MAX_MS) : cloud.world.between(1, 30);
    const answer = this.#arrive(operation, input, travel, fault);
    answer.catch(() => {});
    if (fault === "lost" || fault === "late") return await this.#giveUp(failed("TimeoutError", "ambiguous"), signal);
    return await this.#answered(answer, { fault, failed, signal });
  }

  /** The way there, outside of the process, and the effect. */
  async #arrive(operation: OperationName, input: object, ms: number, fault: CallFault | undefined): Promise<unknown> {
    const { cloud } = this.#way;
    await cloud.world.sleep(ms);
    if (fault === "error before") return undefined;
    try {
      return effectOf(cloud, operation, input);
    } catch (error) {
      if (error instanceof Violation) cloud.violation ??= error;
      throw error;
    }
  }

  /** The way back. `fault`: the answer is an internal error, whatever became of the call. */
  async #answered(answer: Promise<unknown>, { fault, failed, signal }: Sent): Promise<unknown> {
    const { process, cloud } = this.#way;
    try {
      const result = await abortable(answer, signal);
      await process.sleep(cloud.world.between(1, 30), signal);
      if (fault) throw failed("InternalError", "ambiguous");
      return result;
    } catch (error) {
      if (error instanceof CloudError) {
        // Bad news travels back, too.
        await process.sleep(cloud.world.between(1, 30), signal).catch(() => {});
        throw Object.assign(failed(error.name, "refused"), { message: error.message });
      }
      if (error instanceof AwsError) throw error;
      throw failed("AbortError", "ambiguous");
    }
  }

  async #giveUp(error: AwsError, signal: AbortSignal | undefined): Promise<never> {
    await this.#way.process.sleep(TIMEOUT_MS, signal).catch(() => {});
    throw error;
  }

  #fault(): CallFault | undefined {
    const { cloud, faults } = this.#way;
    let chance = cloud.world.random();
    for (const [fault, rate] of Object.entries(faults())) {
      if (chance < rate) return fault as CallFault;
      chance -= rate;
    }
    return undefined;
  }
}

function abortable<T>(answer: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return answer;
  return new Promise((resolve, reject) => {
    signal.addEventListener("abort", () => reject(new Error("aborted")), { once: true });
    answer.then(resolve, reject);
  });
}

function effectOf(cloud: Cloud, operation: OperationName, input: object): unknown {
  const given = input as {
    id: string;
    type: ObjectType;
    values: JsonObject;
    tags: Tags;
    token: string;
    set: Tags;
    drop: readonly string[];
  };
  switch (operation) {
    case "sim:DescribeObjects":
      return { Objects: cloud.describe(given.type) };
    case "sim:CreateObject":
      return cloud.create(given.type, given.values, given.tags, given.token);
    case "sim:UpdateObject":
      return cloud.update(given.id, given.values);
    case "sim:TagObject":
      return cloud.tag(given.id, given.set, given.drop);
    case "sim:DeleteObject":
      return cloud.delete(given.id);
    default:
      throw new Error(`the simulated cloud does not know ${operation}`);
  }
}
