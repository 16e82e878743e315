/**
 * A server on loopback between real SDK clients and the sandbox, that records every AWS call and makes chosen ones go wrong.
 *
 * In a test: `const proxy = await startFaultProxy({ upstream })`, point clients at `proxy.endpoint`, `proxy.inject(rule)`.
 * As a process: `node test/support/fault-proxy.ts --upstream URL [--port N]` prints `{"endpoint": ...}`, ends when its standard
 * input does, and is told what to do over HTTP, which an in-process proxy understands as well:
 *   POST   /__proxy/rules             a rule (fault-rules.ts) as JSON; answers its id
 *   GET    /__proxy/rules             [{id, seen, fired}]
 *   POST   /__proxy/rules/ID/release  lets held calls go on
 *   DELETE /__proxy/rules             forgets all rules, and lets held calls go on
 *   GET    /__proxy/calls             the recorded calls; DELETE forgets them
 */

import { Agent, createServer, type IncomingMessage, request, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import { type Answer, type AwsCall, awsCall, errorAnswer, type Protocol, throttlingAnswer } from "./aws-call.ts";
import { type Fault, Injection, type Rule } from "./fault-rules.ts";
import { newHider, type Rewriter, stateDelayer } from "./rewriting.ts";

/** A call as it went by. `status` is AWS's answer, undefined while or when there was none; `fault` what befell it. */
export type RecordedCall = Omit<AwsCall, "protocol"> & {
  /** Counts from 1 in the order of arrival. */
  readonly number: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
  status?: number;
  fault?: Fault["type"];
};

/** See the file's header. */
export class FaultProxy {
  readonly endpoint: string;
  readonly #upstream: URL;
  readonly #server: Server;
  readonly #agent = new Agent({ keepAlive: true });
  #calls: RecordedCall[] = [];
  #injections: Injection[] = [];
  #lastId = 0;
  readonly #rewriters = new WeakMap<Injection, Rewriter>();

  constructor(upstream: string, server: Server) {
    this.#upstream = new URL(upstream);
    this.#server = server;
    this.endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on("request", (incoming, outgoing) => {
      this.#serve(incoming, outgoing).catch(() => outgoing.destroy());
    });
  }

  /** Every call so far, in the order of arrival. */
  get calls(): readonly RecordedCall[] {
    return this.#calls;
  }

  /** The mutating calls so far. */
  get mutatingCalls(): readonly RecordedCall[] {
    return this.#calls.filter((call) => call.mutating);
  }

  /** Sets a rule. Earlier rules go first. */
  inject(rule: Rule): Injection {
    const injection = new Injection(++this.#lastId, rule);
    if (rule.fault.type === "delayState") this.#rewriters.set(injection, stateDelayer(rule.fault, Date.now));
    if (rule.fault.type === "hideNew") this.#rewriters.set(injection, newHider(rule.fault.ms, Date.now));
    this.#injections.push(injection);
    return injection;
  }

  /** Forgets all rules and lets held calls go on. */
  clearRules(): void {
    for (const injection of this.#injections.splice(0)) injection.release();
  }

  /** Forgets the recorded calls; numbers start again. */
  clearCalls(): void {
    this.#calls = [];
  }

  async close(): Promise<void> {
    this.clearRules();
    this.#agent.destroy();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const body = await bodyOf(incoming);
    const path = incoming.url ?? "/";
    if (path.startsWith("/__proxy/")) return this.#control(`${incoming.method} ${path}`, body, outgoing);
    const call = awsCall({ method: incoming.method ?? "GET", path, headers: incoming.headers, body: body.toString("latin1") });
    const { protocol, ...facts } = call;
    const record: RecordedCall = { ...facts, number: this.#calls.length + 1, at: Date.now() };
    this.#calls.push(record);
    const injection = this.#dueFor(call);
    if (injection !== undefined) record.fault = injection.rule.fault.type;
    const execute = async () => {
      const answer = await this.#forward(incoming, body);
      record.status = answer.status;
      return answer;
    };
    send(outgoing, injection === undefined ? await execute() : await this.#suffer(injection, call, execute));
  }

  #dueFor(call: AwsCall): Injection | undefined {
    const due = this.#injections.filter((injection) => injection.counts(call));
    due[0]?.strike(call);
    return due[0];
  }

  /** Executes a call under its fault. Resolves to what the client gets; `undefined` breaks the connection. */
  async #suffer(injection: Injection, call: AwsCall, execute: () => Promise<Answer>): Promise<Answer | undefined> {
    const fault = injection.rule.fault;
    switch (fault.type) {
      case "lostRequest":
        return undefined;
      case "lostResponse":
        await execute();
        return undefined;
      case "throttle":
        return throttlingAnswer(call);
      case "error":
        if (fault.when === "after") await execute();
        return errorAnswer(call, fault.status, fault.code, fault.message);
      case "answer":
        return { status: 200, headers: { "content-type": contentType(call.protocol) }, body: Buffer.from(fault.body) };
      case "delay":
        return around(fault.when, execute, () => pause(fault.ms));
      case "hold":
        return around(fault.when, execute, () => injection.released);
      case "signal":
        if (fault.when === "before" && fault.signal === "SIGKILL") return void process.kill(fault.pid, fault.signal);
        return around(fault.when, execute, async () => void process.kill(fault.pid, fault.signal));
      case "delayState":
      case "hideNew": {
        const answer = await execute();
        return this.#rewriters.get(injection)?.(call, answer) ?? answer;
      }
    }
  }

  #forward(incoming: IncomingMessage, body: Buffer): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const { connection: _connection, "transfer-encoding": _encoding, ...headers } = incoming.headers;
    const options = {
      method: incoming.method,
      path: incoming.url,
      headers: { ...headers, "content-length": body.length },
      agent: this.#agent,
    };
    const onward = request(this.#upstream, options, (answer) => {
      bodyOf(answer).then((bytes) => resolve({ status: answer.statusCode ?? 502, headers: passedOn(answer), body: bytes }), reject);
    });
    onward.on("error", reject);
    onward.end(body);
    return promise;
  }

  #control(request: string, body: Buffer, outgoing: ServerResponse): void {
    const said = this.#obey(request, body);
    const status = said === undefined ? 404 : 200;
    send(outgoing, {
      status,
      headers: { "content-type": "application/json" },
      body: Buffer.from(JSON.stringify(said ?? { error: `no ${request}` })),
    });
  }

  #obey(request: string, body: Buffer): unknown {
    const released = /^POST \/__proxy\/rules\/(\d+)\/release$/.exec(request)?.[1];
    if (released !== undefined) {
      this.#injections.find(({ id }) => id === Number(released))?.release();
      return {};
    }
    switch (request) {
      case "POST /__proxy/rules":
        return { id: this.inject(JSON.parse(body.toString()) as Rule).id };
      case "GET /__proxy/rules":
        return this.#injections.map(({ id, seen, fired }) => ({ id, seen, fired }));
      case "DELETE /__proxy/rules":
        this.clearRules();
        return {};
      case "GET /__proxy/calls":
        return this.#calls;
      case "DELETE /__proxy/calls":
        this.clearCalls();
        return {};
      default:
        return undefined;
    }
  }
}

/** Starts a proxy in front of `upstream` on a free port (or the one given) of 127.0.0.1. */
export async function startFaultProxy({ upstream, port = 0 }: { upstream: string; port?: number }): Promise<FaultProxy> {
  const server = createServer();
  server.keepAliveTimeout = 0; // A connection closed by the server between two calls would look like a fault nobody asked for.
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.listen(port, "127.0.0.1", resolve);
  await promise;
  return new FaultProxy(upstream, server);
}

function contentType(protocol: Protocol): string {
  return protocol === "json" ? "application/x-amz-json-1.1" : "text/xml";
}

async function around(when: "before" | "after", execute: () => Promise<Answer>, effect: () => Promise<unknown>): Promise<Answer> {
  if (when === "before") await effect();
  const answer = await execute();
  if (when === "after") await effect();
  return answer;
}

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

// The connection and the length are the proxy's own.
function passedOn(answer: IncomingMessage): Answer["headers"] {
  const { connection, "content-length": length, "transfer-encoding": encoding, "keep-alive": keepAlive, ...headers } = answer.headers;
  return headers as Answer["headers"];
}

function send(outgoing: ServerResponse, answer: Answer | undefined): void {
  if (answer === undefined) {
    outgoing.destroy();
    return;
  }
  outgoing.writeHead(answer.status, { ...answer.headers, "content-length": answer.body.length });
  outgoing.end(answer.body);
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { upstream: { type: "string" }, port: { type: "string", default: "0" } } });
  if (values.upstream === undefined) throw new Error("--upstream URL is missing");
  const proxy = await startFaultProxy({ upstream: values.upstream, port: Number(values.port) });
  process.stdout.write(`${JSON.stringify({ endpoint: proxy.endpoint })}\n`);
  process.stdin.resume().once("end", () => process.exit(0));
}

if (import.meta.main) await main();
