/** What was asked of AWS: counts by service and operation, for summaries and benchmarks. */

/** All sends of one operation, retries and those that failed included. */
export type CallCount = {
  /** `ec2:DescribeVpcs`. */
  readonly operation: string;
  readonly mutating: boolean;
  readonly calls: number;
  /** Of the calls, those that repeated an earlier one. */
  readonly retries: number;
  /** Of the calls, those that AWS throttled. */
  readonly throttles: number;
  /** Of the calls, those that ended in any other error, or without an answer; "not found" is an error, too. */
  readonly failures: number;
};

/** Counts sends, not attempts that never left. One per session. */
export class CallCounter {
  readonly #counts = new Map<string, CallCount>();

  /** One call was sent. */
  sent(operation: string, call: { mutating: boolean; retry: boolean }): void {
    const count = this.#counts.get(operation) ?? { operation, mutating: call.mutating, calls: 0, retries: 0, throttles: 0, failures: 0 };
    this.#counts.set(operation, { ...count, calls: count.calls + 1, retries: count.retries + (call.retry ? 1 : 0) });
  }

  /** The call that was sent last had no good answer. */
  failed(operation: string, { throttled }: { throttled: boolean }): void {
    const count = this.#counts.get(operation);
    if (!count) return;
    const { throttles, failures } = count;
    this.#counts.set(operation, { ...count, ...(throttled ? { throttles: throttles + 1 } : { failures: failures + 1 }) });
  }

  /** Sorted by operation. */
  counts(): readonly CallCount[] {
    return [...this.#counts.values()].sort((left, right) => (left.operation < right.operation ? -1 : 1));
  }
}
