/** The real server on loopback: what it answers, whom it refuses, and that it lets nobody hold it up. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { type IncomingHttpHeaders, request } from "node:http";
import { connect } from "node:net";
import { networkInterfaces } from "node:os";
import { test } from "node:test";
import { HTTP_ERRORS, type HttpServer, PATHS, startHttp } from "../../src/controller/http.ts";
import type { ControllerView } from "../../src/controller/snapshot.ts";
import { BeaconError } from "../../src/core/errors.ts";
import { type SampleView, sampleView } from "./sample-view.ts";

const TOKEN = "0123456789abcdef0123456789abcdef";

type Answer = {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly json: ReturnType<typeof JSON.parse>;
};
type Asking = { readonly method?: string; readonly headers?: Readonly<Record<string, string>>; readonly body?: string };
type Running = AsyncDisposable & {
  readonly server: HttpServer;
  readonly view: SampleView;
  readonly logged: string[];
  readonly ask: (path: string, asking?: Asking) => Promise<Answer>;
};

async function start(options: { listen?: string; token?: string; view?: Partial<ControllerView> } = {}): Promise<Running> {
  const view = sampleView(options.view);
  const logged: string[] = [];
  const server = await startHttp({
    listen: options.listen ?? "127.0.0.1:0",
    ...(options.token === undefined ? {} : { token: options.token }),
    view,
    metrics: { text: async () => "beacon_ready 1\n", contentType: "text/plain; version=0.0.4; charset=utf-8" },
    log: (_level, message, facts) => void logged.push(`${message} ${JSON.stringify(facts)}`),
  });
  const ask = (path: string, asking: Asking = {}) => askAt(server.address.replace("0.0.0.0", "127.0.0.1"), path, asking);
  return { server, view, logged, ask, [Symbol.asyncDispose]: server.close };
}

function askAt(base: string, path: string, { method = "GET", headers = {}, body }: Asking): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request(base + path, { method, headers, agent: false }, async (answer) => {
      const chunks: Buffer[] = [];
      for await (const chunk of answer) chunks.push(chunk as Buffer);
      const text = Buffer.concat(chunks).toString();
      const isJson = answer.headers["content-type"]?.startsWith("application/json") && text !== "";
      resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text, json: isJson ? JSON.parse(text) : undefined });
    });
    asked.on("error", reject).end(body);
  });
}

const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

test("probes: healthy and ready, and why not", async () => {
  await using running = await start();
  const { ask, view } = running;
  assert.deepEqual([(await ask("/healthz")).status, (await ask("/readyz")).status], [200, 200]);
  view.snapshotNow = { ...view.snapshotNow, ready: false };
  const early = await ask("/readyz");
  assert.deepEqual([early.status, early.json], [503, { ready: false, reason: "the first look around is not done" }]);
  assert.equal((await ask("/healthz")).status, 200);
  view.snapshotNow = { ...view.snapshotNow, ready: true, unhealthy: "the state table does not answer" };
  const ill = await ask("/healthz");
  assert.deepEqual([ill.status, ill.json], [503, { healthy: false, reason: "the state table does not answer" }]);
  assert.equal((await ask("/readyz")).status, 503);
});

test("metrics in Prometheus' own format", async () => {
  await using running = await start();
  const { status, headers, text } = await running.ask("/metrics");
  assert.deepEqual([status, headers["content-type"], text], [200, "text/plain; version=0.0.4; charset=utf-8", "beacon_ready 1\n"]);
});

test("stacks, resources, events and plans as JSON, never cached", async () => {
  await using running = await start();
  const json = async (path: string) => {
    const { status, headers, json } = await running.ask(path);
    assert.deepEqual([status, headers["cache-control"], headers["x-content-type-options"]], [200, "no-store", "nosniff"], path);
    return json;
  };
  const all = await json("/api/v1/stacks");
  assert.deepEqual(
    [all.id, all.replicas, all.stacks.map(({ stack, held }: { stack: string; held: boolean }) => [stack, held])],
    [
      "beacon-1",
      2,
      [
        ["beacon/prod", true],
        ["beacon/dev", false],
      ],
    ],
  );
  const one = await json("/api/v1/stacks/beacon/prod");
  assert.deepEqual([one.status.phase, one.queue, one.monitors[0].seen], ["Drifted", { depth: 3, oldestMs: 1500 }, "HTTP 503"]);
  assert.equal((await json("/api/v1/stacks/beacon/dev")).holder, "beacon-2");
  const { stack, resources } = await json("/api/v1/stacks/beacon/prod/resources");
  assert.deepEqual([stack, resources.length], ["beacon/prod", 2]);
  assert.equal((await json("/api/v1/stacks/beacon/prod/resources/TargetGroup/backend.main")).kind, "elbv2.aws/v1 TargetGroup");
  assert.equal((await json("/api/v1/stacks/beacon/prod/resources/TargetGroup/backend%2Emain")).key, "TargetGroup/backend.main");
  assert.equal((await json("/api/v1/stacks/beacon/prod/events")).events[0].type, "Drifted");
  assert.deepEqual(await json("/api/v1/stacks/beacon/prod/plan"), { stack: "beacon/prod", changes: [] });
});

const unknown: readonly { why: string; path: string; code: string; says: RegExp; next: RegExp }[] = [
  { why: "no path", path: "/", code: "PathUnknown", says: /no such path/, next: /there are: \/healthz, .*\/plan$/ },
  { why: "a path that is none of the API", path: "/api/v1/nothing", code: "PathUnknown", says: /no such path/, next: /\/api\/v1\/stacks/ },
  {
    why: "a stack misspelt",
    path: "/api/v1/stacks/beacon/prd",
    code: "StackUnknown",
    says: /beacon\/prd/,
    next: /did you mean beacon\/prod\?/,
  },
  {
    why: "no such stack",
    path: "/api/v1/stacks/x/y/plan",
    code: "StackUnknown",
    says: /x\/y/,
    next: /there are: beacon\/prod, beacon\/dev$/,
  },
  {
    why: "resources elsewhere",
    path: "/api/v1/stacks/beacon/dev/resources",
    code: "StackElsewhere",
    says: /not held/,
    next: /ask its holder: beacon-2/,
  },
  {
    why: "a resource elsewhere",
    path: "/api/v1/stacks/beacon/dev/resources/VPC/main",
    code: "StackElsewhere",
    says: /not held/,
    next: /beacon-2/,
  },
  { why: "events elsewhere", path: "/api/v1/stacks/beacon/dev/events", code: "StackElsewhere", says: /not held/, next: /beacon-2/ },
  { why: "a plan elsewhere", path: "/api/v1/stacks/beacon/dev/plan", code: "StackElsewhere", says: /not held/, next: /beacon-2/ },
  {
    why: "a resource misspelt",
    path: "/api/v1/stacks/beacon/prod/resources/vpc/main",
    code: "ResourceUnknown",
    says: /vpc\/main/,
    next: /did you mean VPC\/main\?/,
  },
  {
    why: "no such resource",
    path: "/api/v1/stacks/beacon/prod/resources/Bucket/a/b",
    code: "ResourceUnknown",
    says: /Bucket\/a\/b/,
    next: /there are: VPC\/main, TargetGroup\/backend\.main/,
  },
];

for (const { why, path, code, says, next } of unknown) {
  test(`404 says what there is: ${why}`, async () => {
    await using running = await start();
    const { status, json } = await running.ask(path);
    assert.deepEqual([status, json.error.code], [404, code]);
    assert.match(json.error.message, says);
    assert.match(json.error.next, next);
  });
}

test("before the first plan there is none", async () => {
  await using running = await start({ view: { plan: () => undefined } });
  const { status, json } = await running.ask("/api/v1/stacks/beacon/prod/plan");
  assert.deepEqual([status, json.error.code], [404, "PlanUnknown"]);
});

test("only GET and HEAD are answered, on every path, and bodies are refused unread", async () => {
  await using running = await start();
  for (const path of Object.values(PATHS)) {
    for (const method of ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"]) {
      const { status, headers, json } = await running.ask(path, { method, body: "x", headers: { "content-length": "1" } });
      assert.deepEqual([status, headers.allow, json.error.code], [405, "GET, HEAD", "MethodRefused"], `${method} ${path}`);
    }
  }
  const head = await running.ask("/healthz", { method: "HEAD" });
  assert.deepEqual([head.status, head.text], [200, ""]);
  for (const headers of [{ "content-length": "5" }, { "transfer-encoding": "chunked" }] as const) {
    const { status, json } = await running.ask("/healthz", { headers, body: "hello" });
    assert.deepEqual([status, json.error.code], [413, "BodyRefused"]);
  }
});

test("on loopback another machine's name is refused, so that no page in a browser can ask by its own", async () => {
  await using running = await start();
  for (const host of ["evil.example", "localhost.evil.example:9464", "10.0.0.1"]) {
    const { status, json } = await running.ask("/api/v1/stacks", { headers: { host } });
    assert.deepEqual([status, json.error.code], [403, "HostRefused"], host);
  }
  for (const host of ["localhost:1", "127.0.0.1", "[::1]:9464"])
    assert.equal((await running.ask("/metrics", { headers: { host } })).status, 200, host);
});

test("with a token, everything but the probes needs it, whatever the name", async () => {
  await using running = await start({ listen: "0.0.0.0:0", token: TOKEN });
  const { ask } = running;
  const paths = ["/metrics", "/api/v1/stacks", "/api/v1/stacks/beacon/prod/plan", "/api/v1/stacks/x/y", "/api", "/"];
  for (const path of paths) {
    for (const headers of [{}, bearer("wrong").headers, { authorization: `Basic ${TOKEN}` }] as const) {
      const { status, json, text, headers: answered } = await ask(path, { headers });
      assert.deepEqual([status, json.error.code, answered["www-authenticate"]], [401, "TokenRefused", "Bearer"], path);
      assert.doesNotMatch(text, /beacon\/prod|0123456789/);
    }
  }
  assert.equal((await ask("/metrics", bearer(TOKEN))).status, 200);
  assert.equal((await ask("/api/v1/stacks", { headers: { ...bearer(TOKEN).headers, host: "beacon.monitoring.svc:9464" } })).status, 200);
  for (const probe of ["/healthz", "/readyz"]) assert.equal((await ask(probe, { headers: { host: "10.1.2.3:9464" } })).status, 200);
  // Neither a trick with the path nor one with its letters opens what is closed.
  for (const path of ["//metrics", "/healthz/../metrics", "/healthz/%2e%2e/metrics", "/METRICS", "/api/v1/stacks/", "/healthz/"])
    assert.equal((await ask(path)).status, 401, path);
});

test("beyond loopback it does not start without a token", async () => {
  const outside = Object.values(networkInterfaces())
    .flat()
    .find((each) => each?.family === "IPv4" && !each.internal)?.address;
  for (const listen of ["0.0.0.0:0", "[::]:0", ...(outside ? [`${outside}:0`] : [])])
    await assert.rejects(
      start({ listen }),
      (error) => error instanceof BeaconError && error.code === "UsageInvalid" && /BEACON_HTTP_TOKEN/.test(error.next ?? ""),
    );
});

test("a port that is taken is told as one", async () => {
  await using running = await start();
  const listen = running.server.address.replace("http://", "");
  await assert.rejects(start({ listen }), { code: "UsageInvalid", message: /something else listens there/ });
});

test("an answer that fails is told, its cause logged, and the next is answered", async () => {
  let problem: Error = new BeaconError("AwsRefused", "the state table may not be read", { next: "grant it" });
  const fail = () => Promise.reject(problem);
  await using running = await start({ view: { events: fail } });
  const events = "/api/v1/stacks/beacon/prod/events";
  const refused = await running.ask(events);
  assert.deepEqual(
    [refused.status, refused.json.error],
    [500, { code: "Failed", message: "the state table may not be read", next: "grant it" }],
  );
  assert.deepEqual(running.logged, []);
  problem = new TypeError("secret is undefined");
  const broken = await running.ask(events);
  assert.equal(broken.status, 500);
  assert.doesNotMatch(broken.text, /secret/);
  assert.match(running.logged.join(), /http answer failed .*secret is undefined/);
  assert.equal((await running.ask("/healthz")).status, 200);
});

test("an answer has its limits: the newest events, and as many names as one can read", async () => {
  const many = Array.from({ length: 3000 }, (_, index) => ({ at: `${index}`, type: "Drifted", message: "", key: `VPC/v${index}` }));
  await using running = await start({ view: { events: async () => many, resources: () => many, resource: () => undefined } });
  const { events } = (await running.ask("/api/v1/stacks/beacon/prod/events")).json;
  assert.deepEqual([events.length, events.at(-1).at], [500, "2999"]);
  const { error } = (await running.ask("/api/v1/stacks/beacon/prod/resources/Bucket/logs")).json;
  assert.match(error.next, /^there are: VPC\/v0, .* and 2980 more$/);
  assert.ok(error.next.length < 400);
});

test("who sends headers without end, or none at all, is cut off", { timeout: 20_000 }, async () => {
  await using running = await start();
  assert.equal((await running.ask("/healthz", { headers: { "x-long": "x".repeat(20_000) } })).status, 431);
  const { hostname, port } = new URL(running.server.address);
  const slow = connect(Number(port), hostname);
  const ended = new Promise<void>((resolve) => void slow.on("close", () => resolve()));
  slow
    .on("error", () => {})
    .on("data", () => {})
    .write("GET /healthz HTTP/1.1\r\n");
  await ended;
});

test("closing waits for nobody: idle connections end, answers under way a second later", async () => {
  const running = await start({ view: { events: () => new Promise(() => {}) } });
  const { hostname, port } = new URL(running.server.address);
  const idle = connect(Number(port), hostname);
  await new Promise<void>((resolve) => void idle.on("connect", () => resolve()));
  const asked = running.ask("/api/v1/stacks/beacon/prod/events").then(
    () => "answered",
    () => "cut off",
  );
  await running.ask("/healthz");
  const startedMs = performance.now();
  await running.server.close();
  assert.ok(performance.now() - startedMs < 3000);
  assert.equal(await asked, "cut off");
  await assert.rejects(running.ask("/healthz"), { code: "ECONNREFUSED" });
});

test("docs/operations.md lists every path and every error", () => {
  const text = readFileSync(new URL("../../docs/operations.md", import.meta.url), "utf8");
  const table = (heading: string) => text.split(`### ${heading}\n`)[1]?.split("\n#")[0] ?? "";
  const names = (section: string) => [...section.matchAll(/^\| `(\/[^`]*)`/gm)].map((match) => match[1]);
  assert.deepEqual(names(table("Endpoints")), Object.values(PATHS));
  const rows = table("Endpoints")
    .split("\n")
    .filter((line) => /^\| `[A-Z]/.test(line));
  assert.deepEqual(
    rows,
    Object.entries(HTTP_ERRORS).map(([code, { status, meaning }]) => `| \`${code}\` | ${status} | ${meaning} |`),
  );
});
