/**
 * SDK clients: one per service, loaded and made at its first call, with the guards that make a handle safe as middleware.
 *
 * A guard sits on the client, not in front of it, so that nothing that holds a client can pass it by.
 */

import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import type { Duplex } from "node:stream";
import { BeaconError } from "../core/errors.ts";
import type { Lease } from "../core/store.ts";
import type { Credentials } from "./credentials.ts";
import { isMutating, type OperationName, type Service } from "./service.ts";

/** What all clients of a session have in common. */
export type ClientOptions = {
  readonly region: string;
  readonly endpoint?: string;
  readonly version: string;
  readonly credentials: () => Promise<Credentials>;
  /** Longest wait for an answer. */
  readonly requestTimeoutMs: number;
};

/** What the clients of one handle let through. */
export type Guard = {
  /** Any other operation throws before anything is sent: `forbidden` makes the error. */
  readonly allowed: ReadonlySet<OperationName>;
  readonly forbidden: (operation: OperationName) => BeaconError;
  /** Asserted as the last thing before each mutating call's bytes leave. */
  readonly lease?: Lease;
};

/** How one send goes. */
export type SendOptions = { readonly signal?: AbortSignal; readonly onSending: () => void };

// The parts of the SDK that every client and command shares; the typed surface is in service.ts.
type Handler = (args: unknown) => Promise<unknown>;
type Middleware = (next: Handler) => Handler;
type Stack = { add(middleware: Middleware, options: { name: string; step: string; priority: string }): void };
type Command = { readonly middlewareStack: Stack };
type Client = { readonly middlewareStack: Stack; send(command: Command, options?: object): Promise<unknown>; destroy(): void };
type Constructor<T, Argument> = new (argument: Argument) => T;

// A connection that is not there after 5 s is retried sooner than it comes: the SDK's own advice for servers is 3 to 10 s.
const CONNECTION_TIMEOUT_MS = 5000;
// Sockets per service: more calls at once than this wait for each other. The SDK's default, and a session's calls in flight (IN_FLIGHT_MAX).
const SOCKETS_MAX = 50;

/** The clients of one handle, behind its guard. See the file's header. */
export class Clients {
  readonly #options: ClientOptions;
  readonly #guard: Guard;
  readonly #clients = new Map<string, Promise<{ module: unknown; client: Client }>>();

  constructor(options: ClientOptions, guard: Guard) {
    this.#options = options;
    this.#guard = guard;
  }

  /** One send of one operation, retried by nobody. `onSending` is called when the request is handed to the connection. */
  async send<Module>(service: Service<Module>, operation: string, input: unknown, { signal, onSending }: SendOptions): Promise<unknown> {
    const { module, client } = await this.#client(service, isMutating(`${service.id}:${operation}`) ? this.#guard.lease : undefined);
    const Command = (module as Record<string, Constructor<Command, unknown> | undefined>)[`${operation}Command`];
    if (!Command) throw new Error(`the SDK has no ${service.id}:${operation}`);
    const command = new Command(input);
    command.middlewareStack.add(before(onSending), { name: "beaconSending", step: "deserialize", priority: "low" });
    return client.send(command, signal ? { abortSignal: signal } : {});
  }

  /** Closes every connection. */
  async close(): Promise<void> {
    for (const made of await Promise.allSettled(this.#clients.values())) if (made.status === "fulfilled") made.value.client.destroy();
  }

  // Under a lease, what changes something has connections of its own, which end with the lease; reads go on.
  #client<Module>(service: Service<Module>, lease: Lease | undefined): Promise<{ module: unknown; client: Client }> {
    const key = [service.id, service.region ?? "", lease ? "leased" : ""].join(" ");
    let made = this.#clients.get(key);
    if (!made) {
      made = this.#make(service, lease);
      this.#clients.set(key, made);
    }
    return made;
  }

  async #make<Module>(service: Service<Module>, lease: Lease | undefined): Promise<{ module: unknown; client: Client }> {
    const module = await service.load();
    const Client = module[service.client] as Constructor<Client, object>;
    const options = service.region ? { ...this.#options, region: service.region } : this.#options;
    const client = new Client({ ...clientConfig(options, lease), ...(options.endpoint ? service.atOwnEndpoint : {}) });
    addGuards(client.middlewareStack, service.id, this.#guard);
    return { module, client };
  }
}

function clientConfig({ region, endpoint, version, credentials, requestTimeoutMs }: ClientOptions, lease: Lease | undefined): object {
  const agentOptions = { keepAlive: true, maxSockets: SOCKETS_MAX };
  return {
    region,
    ...(endpoint ? { endpoint } : {}),
    credentials,
    // The SDK retries 5xx by itself, which would double a VPC; what may be retried is retried in retry.ts.
    maxAttempts: 1,
    customUserAgent: [["beaconctl", version]],
    requestHandler: {
      connectionTimeout: CONNECTION_TIMEOUT_MS,
      requestTimeout: requestTimeoutMs,
      throwOnRequestTimeout: true,
      socketTimeout: requestTimeoutMs,
      httpAgent: lease ? leased(new HttpAgent(agentOptions), "connect", lease) : agentOptions,
      httpsAgent: lease ? leased(new HttpsAgent(agentOptions), "secureConnect", lease) : agentOptions,
    },
  };
}

/**
 * An agent that hands a new connection out when it stands, and only while the lease is held. The system connects for a process
 * that is frozen, and would let it send on waking what it was about to send before.
 */
function leased(agent: HttpAgent, standing: "connect" | "secureConnect", lease: Lease): HttpAgent {
  const connect = agent.createConnection.bind(agent);
  agent.createConnection = (options, connected) => {
    const socket = connect(options) as Duplex;
    const failed = (error: Error) => connected?.(error, socket);
    socket.once("error", failed);
    socket.once(standing, () => {
      socket.off("error", failed);
      try {
        lease.assertHeld();
      } catch (error) {
        socket.destroy();
        connected?.(error as Error, socket);
        return;
      }
      connected?.(null, socket);
    });
    return undefined;
  };
  return agent;
}

function addGuards(stack: Stack, serviceId: string, { allowed, forbidden, lease }: Guard): void {
  const guard = (check: (operation: OperationName) => void) => (next: Handler, context?: { commandName?: string }) => {
    const operation: OperationName = `${serviceId}:${(context?.commandName ?? "").replace(/Command$/, "")}`;
    return before(() => check(operation))(next);
  };
  const allow = guard((operation) => {
    if (!allowed.has(operation)) throw forbidden(operation);
  });
  stack.add(allow, { name: "beaconAllowed", step: "initialize", priority: "high" });
  if (!lease) return;
  const held = guard((operation) => {
    if (isMutating(operation)) lease.assertHeld();
  });
  // The innermost place of the stack: after signing, right before the request is handed to the connection.
  stack.add(held, { name: "beaconLease", step: "deserialize", priority: "low" });
}

function before(check: () => void): Middleware {
  return (next) => async (args) => {
    check();
    return next(args);
  };
}

/** The error of a handle that cannot write. */
export function writeForbidden(operation: OperationName): BeaconError {
  return new BeaconError("WriteForbidden", `${operation} is not among the declared reads: a look must not call it`);
}

/** The error of a writing handle. */
export function operationUndeclared(operation: OperationName): BeaconError {
  return new BeaconError("OperationUndeclared", `${operation} is called but not declared by any kind`);
}
