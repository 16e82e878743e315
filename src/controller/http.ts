/**
 * What a controller shows of itself over HTTP: probes, metrics, and read-only JSON.
 *
 * Nothing here can change anything: only GET and HEAD are answered, bodies are refused unread, and all that is asked is a
 * {@link ControllerView}. Everything is bounded: headers, connections, times.
 */

import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { Hono } from "hono";
import { BeaconError } from "../core/errors.ts";
import type { Json } from "../core/json.ts";
import type { Log } from "../core/log.ts";
import type { ResourceKey } from "../core/resource.ts";
import { nearest } from "../core/suggest.ts";
import { isAuthorized, isOwnName, type Listening, parseListen, requireToken } from "./http-access.ts";
import type { Metrics } from "./metrics.ts";
import type { ControllerView, StackSnapshot } from "./snapshot.ts";

/** What the server answers from. */
export type HttpOptions = {
  /** `127.0.0.1:9464`; port 0 takes a free one. */
  readonly listen: string;
  /** Asked for by everything but the probes; required beyond loopback. A secret. */
  readonly token?: string;
  readonly view: ControllerView;
  readonly metrics: Pick<Metrics, "text" | "contentType">;
  readonly log: Log;
};

/** A server that runs. */
export type HttpServer = {
  /** `http://127.0.0.1:9464`. */
  readonly address: string;
  /** Takes no more requests, and ends when those under way are answered, a second later at most. */
  readonly close: () => Promise<void>;
};

/** Every error that is answered; docs/operations.md lists them, and a test compares. */
export const HTTP_ERRORS = {
  HostRefused: { status: 403, meaning: "The request names another host than this machine." },
  MethodRefused: { status: 405, meaning: "Only GET and HEAD are answered." },
  BodyRefused: { status: 413, meaning: "The request has a body." },
  TokenRefused: { status: 401, meaning: "The bearer token is missing or wrong." },
  PathUnknown: { status: 404, meaning: "There is no such path; the answer lists those there are." },
  StackUnknown: { status: 404, meaning: "The state table knows no such stack." },
  StackElsewhere: { status: 404, meaning: "Another controller holds the stack, or nobody does; only its holder knows more." },
  ResourceUnknown: { status: 404, meaning: "The stack has no such resource." },
  PlanUnknown: { status: 404, meaning: "No plan was made since the stack was taken." },
  TooSlow: { status: 503, meaning: "The state table did not answer in time." },
  Failed: { status: 500, meaning: "The answer could not be made; the message, or the log, says why." },
} as const;

type HttpErrorCode = keyof typeof HTTP_ERRORS;

/** Every path; `:project` and the like stand for a name. */
export const PATHS = {
  healthz: "/healthz",
  readyz: "/readyz",
  metrics: "/metrics",
  stacks: "/api/v1/stacks",
  stack: "/api/v1/stacks/:project/:environment",
  resources: "/api/v1/stacks/:project/:environment/resources",
  resource: "/api/v1/stacks/:project/:environment/resources/:kind/:name",
  events: "/api/v1/stacks/:project/:environment/events",
  plan: "/api/v1/stacks/:project/:environment/plan",
} as const;

// A request is a line and a token, and an answer takes milliseconds; what is slower than that is slow on purpose.
const LIMITS = {
  maxHeaderSize: 8192,
  headersTimeout: 3000,
  requestTimeout: 3000,
  keepAliveTimeout: 15_000,
  connectionsCheckingInterval: 500,
};
const CONNECTIONS_MAX = 100;
const ANSWER_MS = 10_000;
const CLOSE_MS = 1000;
// With at most a few kB each, 1 MB or so.
const EVENTS_MAX = 500;
const NAMES_MAX = 20;

const EVERY_ANSWER = { "cache-control": "no-store", "x-content-type-options": "nosniff" };

class HttpError extends Error {
  readonly code: HttpErrorCode;
  readonly next: string | undefined;

  constructor(code: HttpErrorCode, message: string, next?: string) {
    super(message);
    this.code = code;
    this.next = next;
  }
}

/** Starts the server. Throws UsageInvalid where it may not, or cannot, listen there. */
export async function startHttp(options: HttpOptions): Promise<HttpServer> {
  const where = parseListen(options.listen);
  requireToken(options.listen, where, options.token);
  const app = appOf(options, where);
  const server = createServer(LIMITS, getRequestListener(app.fetch, { overrideGlobalObjects: false }));
  server.maxConnections = CONNECTIONS_MAX;
  await listening(server, where);
  const { address, family, port } = server.address() as AddressInfo;
  return { address: `http://${family === "IPv6" ? `[${address}]` : address}:${port}`, close: () => close(server) };
}

function appOf(options: HttpOptions, where: Listening): Hono {
  const { view, metrics, token } = options;
  const app = new Hono();
  app.use(async ({ req, header }, next) => {
    if (where.loopback && !isOwnName(req.header("host")))
      throw new HttpError("HostRefused", "the request names another host than this machine");
    if (req.method !== "GET" && req.method !== "HEAD")
      throw new HttpError("MethodRefused", `${req.method} is not answered: this only shows`);
    if (Number(req.header("content-length") ?? 0) !== 0 || req.header("transfer-encoding") !== undefined)
      throw new HttpError("BodyRefused", "a request has no body here");
    const isOpen = req.path === PATHS.healthz || req.path === PATHS.readyz;
    if (!isOpen && !isAuthorized(req.header("authorization"), token))
      throw new HttpError(
        "TokenRefused",
        "the bearer token is missing or wrong",
        "send Authorization: Bearer TOKEN, with the controller's BEACON_HTTP_TOKEN",
      );
    for (const [name, value] of Object.entries(EVERY_ANSWER)) header(name, value);
    await next();
  });
  app.get(PATHS.healthz, (context) => {
    const { unhealthy } = view.snapshot();
    return unhealthy === undefined ? context.json({ healthy: true }) : context.json({ healthy: false, reason: unhealthy }, 503);
  });
  app.get(PATHS.readyz, (context) => {
    const { ready, unhealthy } = view.snapshot();
    if (ready && unhealthy === undefined) return context.json({ ready: true });
    return context.json({ ready: false, reason: unhealthy ?? "the first look around is not done" }, 503);
  });
  app.get(PATHS.metrics, async (context) => context.body(await metrics.text(), 200, { "content-type": metrics.contentType }));
  addApi(app, view);
  app.notFound(() => answerOf(new HttpError("PathUnknown", "there is no such path", `there are: ${Object.values(PATHS).join(", ")}`)));
  app.onError((error) => failed(error, options));
  return app;
}

function addApi(app: Hono, view: ControllerView): void {
  app.get(PATHS.stacks, (context) => {
    const { calls: _, ...snapshot } = view.snapshot();
    return context.json(snapshot);
  });
  app.get(PATHS.stack, ({ req, json }) => json(stackOf(view, req.param())));
  app.get(PATHS.resources, ({ req, json }) => {
    const { stack } = stackOf(view, req.param());
    return json({ stack, resources: (view.resources(stack) ?? elsewhere(view, stack)) as Json });
  });
  app.get(`${PATHS.resource}{.+}`, ({ req, json }) => {
    const { kind, name, ...own } = req.param();
    const { stack } = stackOf(view, own);
    const key: ResourceKey = `${kind}/${name}`;
    return json((view.resource(stack, key) ?? resourceUnknown(view, stack, key)) as Json);
  });
  app.get(PATHS.events, async ({ req, json }) => {
    const { stack, held } = stackOf(view, req.param());
    if (!held) elsewhere(view, stack);
    const events = await inTime(view.events(stack));
    return json({ stack, events: events.slice(-EVENTS_MAX) });
  });
  app.get(PATHS.plan, ({ req, json }) => {
    const { stack, held } = stackOf(view, req.param());
    if (!held) elsewhere(view, stack);
    const plan = view.plan(stack);
    if (plan === undefined) throw new HttpError("PlanUnknown", `no plan of ${stack} was made since it was taken`, "ask again in a moment");
    return json(plan);
  });
}

/** What the snapshot says of the stack. Throws StackUnknown with those there are. */
function stackOf(view: ControllerView, { project, environment }: { project: string; environment: string }): StackSnapshot {
  const name = `${project}/${environment}`;
  const { stacks } = view.snapshot();
  const found = stacks.find(({ stack }) => stack === name);
  if (found) return found;
  throw new HttpError(
    "StackUnknown",
    `no stack is called ${name}`,
    nextOf(
      name,
      stacks.map(({ stack }) => stack),
    ),
  );
}

function elsewhere(view: ControllerView, name: string): never {
  const { stacks, id } = view.snapshot();
  const holder = stacks.find(({ stack }) => stack === name)?.holder;
  throw new HttpError(
    "StackElsewhere",
    `${name} is not held by this controller, ${id}`,
    holder === undefined ? "nobody is known to hold it; ask again in a moment" : `ask its holder: ${holder}`,
  );
}

function resourceUnknown(view: ControllerView, stack: string, key: ResourceKey): never {
  const resources = view.resources(stack) ?? elsewhere(view, stack);
  throw new HttpError(
    "ResourceUnknown",
    `${stack} has no ${key}`,
    nextOf(
      key,
      resources.map((resource) => String(resource.key)),
    ),
  );
}

function nextOf(name: string, names: readonly string[]): string {
  const near = nearest(name, names);
  if (near !== undefined) return `did you mean ${near}?`;
  const more = names.length - NAMES_MAX;
  return `there are: ${names.slice(0, NAMES_MAX).join(", ") || "none"}${more > 0 ? ` and ${more} more` : ""}`;
}

async function inTime<T>(answer: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new HttpError("TooSlow", `no answer in ${ANSWER_MS / 1000} s`)), ANSWER_MS);
  // Nobody is kept from ending by an answer that nobody waits for any more.
  timer.unref();
  try {
    return await Promise.race([answer, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

function failed(error: Error, { log }: HttpOptions): Response {
  if (error instanceof HttpError) return answerOf(error);
  if (error instanceof BeaconError) return answerOf(new HttpError("Failed", error.message, error.next));
  log("error", "http answer failed", { error: error.stack ?? error.message });
  return answerOf(new HttpError("Failed", "the answer could not be made", "look at the controller's log"));
}

function answerOf({ code, message, next }: HttpError): Response {
  const { status } = HTTP_ERRORS[code];
  const more: Partial<Record<HttpErrorCode, Record<string, string>>> = {
    MethodRefused: { allow: "GET, HEAD", connection: "close" },
    BodyRefused: { connection: "close" },
    TokenRefused: { "www-authenticate": "Bearer" },
  };
  return Response.json({ error: { code, message, next } }, { status, headers: { ...EVERY_ANSWER, ...more[code] } });
}

async function listening(server: Server, { host, port }: Listening): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject).listen(port, host, resolve);
  try {
    await promise;
  } catch (error) {
    const { code = "failed" } = error as NodeJS.ErrnoException;
    const why = code === "EADDRINUSE" ? "something else listens there" : code;
    throw new BeaconError("UsageInvalid", `--http cannot listen on ${host} port ${port}: ${why}`, {
      next: "give another --http ADDRESS:PORT",
      cause: error,
    });
  }
}

async function close(server: Server): Promise<void> {
  const ended = new Promise<void>((resolve) => void server.close(() => resolve()));
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), CLOSE_MS);
  await ended;
  clearTimeout(timer);
}
