/**
 * The way to AWS: one session per account and region, and the handles it gives out.
 *
 * A *reader* cannot write: its clients throw on any operation outside the kinds' declared reads. A *writer* asserts its lease
 * as the last thing before each mutating call's bytes leave. A *caller* is for BEACON's own table: a few named operations, one
 * attempt each, neither limited nor queued, because a heartbeat must not stand behind a thousand reads.
 *
 * Not promised: a request whose connection is still being made when the check passes may leave after the lease has ended (a
 * process frozen in between). Writes are idempotent and owner-checked for that reason.
 */

import PQueue from "p-queue";
import { BeaconError } from "../core/errors.ts";
import type { Lease, Runtime } from "../core/store.ts";
import { type CallCount, CallCounter } from "./calls.ts";
import { classify } from "./classify.ts";
import { type ClientOptions, Clients, type Guard, operationUndeclared, writeForbidden } from "./clients.ts";
import { credentialsOf } from "./credentials.ts";
import { RateLimiter } from "./limiter.ts";
import { allPages } from "./pages.ts";
import { withRetries } from "./retry.ts";
import { systemRuntime } from "./runtime.ts";
import {
  type Input,
  isMutating,
  type OperationName,
  type Output,
  type Reader,
  type ReadName,
  type Service,
  type Writer,
} from "./service.ts";

/** Which AWS, as whom, and what its handles may call. */
export type ConnectOptions = {
  /** Absent: us-east-1 on the sandbox, else an error. */
  readonly region?: string;
  /** Any AWS-compatible endpoint; absent: AWS_ENDPOINT_URL, then AWS. */
  readonly endpoint?: string;
  readonly profile?: string;
  readonly roleArn?: string;
  /** The endpoint is BEACON's local AWS: dummy credentials, no rate limit, and 5xx without an AWS error means "not implemented". */
  readonly sandbox?: boolean;
  /** The share of AWS's published rates to use. Default 0.5; no limit where the endpoint is on this machine. */
  readonly rateFactor?: number;
  /** What the kinds declare for looking. */
  readonly readOperations: ReadonlySet<OperationName>;
  /** Everything the kinds declare. */
  readonly operations: ReadonlySet<OperationName>;
  /** Goes into the user agent. */
  readonly version?: string;
  readonly runtime?: Runtime;
};

/** For BEACON's own table and identity: one attempt per call, whatever comes of it. Throws `AwsError`. */
export interface Caller {
  call<Module, Op extends string>(
    service: Service<Module>,
    operation: Op,
    input: Input<Module, Op>,
    options?: { signal?: AbortSignal },
  ): Promise<Output<Module, Op>>;
}

/** One account and region. */
export type AwsSession = {
  readonly region: string;
  readonly endpoint: string | undefined;
  readonly sandbox: boolean;
  /** The endpoint is on this machine: an AWS of somebody's own, with no rates to keep to and nothing to wait minutes for. */
  readonly local: boolean;
  readonly reader: Reader;
  writer(lease: Lease, stop?: AbortSignal): Writer;
  caller(operations: readonly OperationName[], options?: { requestTimeoutMs?: number }): Caller;
  /** So many processes use this account's rates alike, this one among them. */
  shareWith(count: number): void;
  /** Every call so far, of all handles. */
  calls(): readonly CallCount[];
  /** Closes all connections. */
  close(): Promise<void>;
};

// Longer than AWS takes for any call BEACON makes (the slowest, unfiltered listings, answer in about 10 s).
const REQUEST_TIMEOUT_MS = 30_000;
const RATE_FACTOR = 0.5;
// Calls in flight per session; as many as one service has sockets, so that a checked call does not wait for one.
const IN_FLIGHT_MAX = 50;

/** Opens a session. Sends nothing and loads no SDK client: the first call does. Throws `RegionMissing`. */
export function connect(options: ConnectOptions): AwsSession {
  const { sandbox = false, runtime = systemRuntime, version = "dev" } = options;
  const region = regionOf(options);
  const endpoint = options.endpoint ?? process.env.AWS_ENDPOINT_URL;
  const local = sandbox || isLoopback(endpoint);
  const counter = new CallCounter();
  const credentials = credentialsOf({ ...options, region, ...(endpoint ? { endpoint } : {}) });
  const clientOptions = { region, version, credentials, requestTimeoutMs: REQUEST_TIMEOUT_MS, ...(endpoint ? { endpoint } : {}) };
  const line: Line = {
    runtime,
    sandbox,
    counter,
    limiter: new RateLimiter(runtime, options.rateFactor ?? (local ? Number.POSITIVE_INFINITY : RATE_FACTOR)),
    queue: new PQueue({ concurrency: IN_FLIGHT_MAX }),
  };
  const opened = new Set<Clients>();
  const clients = (guard: Guard, overrides: Partial<ClientOptions> = {}): Clients => {
    const made = new Clients({ ...clientOptions, ...overrides }, guard);
    opened.add(made);
    return made;
  };
  // One set of connections under a lease, however many runs it sees.
  const leased = new WeakMap<Lease, Clients>();
  const writing = (lease: Lease): Clients => {
    const known = leased.get(lease);
    if (known) return known;
    const made = clients({ allowed: options.operations, forbidden: operationUndeclared, lease });
    // A controller has many leases in its life: what ends with one is not kept for the session's end.
    lease.signal.addEventListener("abort", () => opened.delete(made), { once: true });
    leased.set(lease, made);
    return made;
  };
  return {
    region,
    endpoint,
    sandbox,
    local,
    reader: new Handle(line, clients({ allowed: options.readOperations, forbidden: writeForbidden })),
    writer: (lease, stop) =>
      new Handle(line, writing(lease), {
        sending: lease.signal,
        waiting: stop ? AbortSignal.any([lease.signal, stop]) : lease.signal,
      }),
    caller: (operations, { requestTimeoutMs = REQUEST_TIMEOUT_MS } = {}) =>
      new DirectCaller(line, clients({ allowed: new Set(operations), forbidden: writeForbidden }, { requestTimeoutMs })),
    shareWith: (count) => line.limiter.shareWith(count),
    calls: () => counter.counts(),
    close: async () => {
      await Promise.all([...opened].map((made) => made.close()));
    },
  };
}

const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/;

function isLoopback(endpoint: string | undefined): boolean {
  return endpoint !== undefined && URL.canParse(endpoint) && LOOPBACK.test(new URL(endpoint).hostname);
}

function regionOf({ region, sandbox }: ConnectOptions): string {
  const found = region ?? (sandbox ? "us-east-1" : undefined);
  if (found) return found;
  throw new BeaconError("RegionMissing", "no region: neither the environment, --region, AWS_REGION nor the profile names one", {
    next: "set spec.region in the Environment, or give --region",
  });
}

/** What the handles of a session share. */
type Line = {
  readonly runtime: Runtime;
  readonly sandbox: boolean;
  readonly counter: CallCounter;
  readonly limiter: RateLimiter;
  readonly queue: PQueue;
};

type Sent = { readonly operation: OperationName; readonly retry: boolean; readonly signal: AbortSignal | undefined };

/** One send: counted, and its failure classified. A BeaconError (a guard, a lost lease) goes through as it is. */
async function sendOnce<Module>(line: Line, clients: Clients, service: Service<Module>, input: unknown, call: Sent): Promise<unknown> {
  const { operation, retry, signal } = call;
  let sent = false;
  const onSending = (): void => {
    sent = true;
    line.counter.sent(operation, { mutating: isMutating(operation), retry });
  };
  try {
    signal?.throwIfAborted();
    return await clients.send(service, operation.slice(service.id.length + 1), input, { onSending, ...(signal ? { signal } : {}) });
  } catch (error) {
    if (error instanceof BeaconError) throw error;
    if (!sent) signal?.throwIfAborted();
    const failure = classify(error, { operation, sent, sandbox: line.sandbox });
    if (sent) line.counter.failed(operation, { throttled: failure.verdict === "throttled" });
    throw failure;
  }
}

/** What ends a write that is on its way, and what ends one that waits: for its turn, or to be sent again. */
type Ends = { readonly sending: AbortSignal; readonly waiting: AbortSignal };

class Handle implements Writer {
  readonly #line: Line;
  readonly #clients: Clients;
  readonly #ends: Ends | undefined;

  constructor(line: Line, clients: Clients, ends?: Ends) {
    this.#line = line;
    this.#clients = clients;
    this.#ends = ends;
  }

  read<Module, Op extends ReadName>(service: Service<Module>, operation: Op, input: Input<Module, Op>): Promise<Output<Module, Op>> {
    return this.#call(service, `${service.id}:${operation}`, input, undefined) as Promise<Output<Module, Op>>;
  }

  async pages<Module, Op extends ReadName, Items extends keyof Output<Module, Op>>(
    service: Service<Module>,
    operation: Op,
    input: Input<Module, Op>,
    items: Items,
  ): Promise<NonNullable<Output<Module, Op>[Items]>> {
    const pages = await allPages((more) => this.read(service, operation, { ...input, ...more }) as Promise<Record<PropertyKey, unknown>>);
    return pages.flatMap((page) => (page[items] as readonly unknown[] | undefined) ?? []) as NonNullable<Output<Module, Op>[Items]>;
  }

  write<Module, Op extends string>(service: Service<Module>, operation: Op, input: Input<Module, Op>): Promise<Output<Module, Op>> {
    return this.#call(service, `${service.id}:${operation}`, input, this.#ends) as Promise<Output<Module, Op>>;
  }

  #call<Module>(service: Service<Module>, operation: OperationName, input: unknown, ends: Ends | undefined): Promise<unknown> {
    const { runtime, limiter, queue } = this.#line;
    const attempt = async (retry: boolean): Promise<unknown> => {
      await limiter.take(operation, ends?.waiting);
      return queue.add(() => {
        ends?.waiting.throwIfAborted();
        return sendOnce(this.#line, this.#clients, service, input, { operation, retry, signal: ends?.sending });
      });
    };
    const onThrottled = (): void => limiter.throttled(operation);
    const options = { runtime, mutating: isMutating(operation), onThrottled, ...(ends ? { signal: ends.waiting } : {}) };
    return withRetries(attempt, options).catch((error: unknown) => {
      const isStopped = ends !== undefined && !ends.sending.aborted && ends.waiting.aborted && error === ends.waiting.reason;
      throw isStopped ? new BeaconError("Interrupted", "the run was asked to stop before this call was sent", { cause: error }) : error;
    });
  }
}

class DirectCaller implements Caller {
  readonly #line: Line;
  readonly #clients: Clients;

  constructor(line: Line, clients: Clients) {
    this.#line = line;
    this.#clients = clients;
  }

  call<Module, Op extends string>(
    service: Service<Module>,
    operation: Op,
    input: Input<Module, Op>,
    options: { signal?: AbortSignal } = {},
  ): Promise<Output<Module, Op>> {
    const call = { operation: `${service.id}:${operation}` as const, retry: false, signal: options.signal };
    return sendOnce(this.#line, this.#clients, service, input, call) as Promise<Output<Module, Op>>;
  }
}
