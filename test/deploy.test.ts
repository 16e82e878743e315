/** The container, and what runs it on ECS, on Kubernetes and under Prometheus, against the program, the manifests and the docs. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { cp, mkdir, mkdtemp, readdir, rm, symlink } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { before, test } from "node:test";
import { parse, parseAllDocuments } from "yaml";
import { kinds } from "../reconcilers/index.ts";
import { COMMANDS } from "../src/cli/commands/index.ts";
import { commonOptions, type OptionDefinition } from "../src/cli/options.ts";
import { PATHS } from "../src/controller/http.ts";
import { parseListen, requireToken } from "../src/controller/http-access.ts";
import { COUNTS, DEFINITIONS, MONITOR_STATES, PHASES } from "../src/controller/metric-definitions.ts";
import { compile } from "../src/manifest/compile.ts";
import { loadSources } from "../src/manifest/source.ts";

type Any = ReturnType<typeof JSON.parse>;

const root = new URL("..", import.meta.url).pathname;
const read = (path: string): string => readFileSync(join(root, path), "utf8");
const docs = read("docs/operations.md");

const dockerfile = read("Dockerfile")
  .replaceAll(/\\\n\s*/g, "")
  .split("\n")
  .filter((line) => line !== "" && !line.startsWith("#"));
const instructions = (name: string): readonly string[] =>
  dockerfile.filter((line) => line.startsWith(`${name} `)).map((line) => line.slice(name.length + 1));
const exec = (name: string): readonly string[] => JSON.parse(instructions(name)[0] ?? "null");

const task: Any = JSON.parse(read("deploy/ecs/task-definition.json"));
const container: Any = task.containerDefinitions[0];
const deployment: Any = parse(read("deploy/kubernetes/deployment.yaml"));
const pod: Any = deployment.spec.template.spec;
const kustomization: Any = parse(read("deploy/kubernetes/kustomization.yaml"));
const alerts: readonly Any[] = parse(read("deploy/prometheus/alerts.yaml")).groups.flatMap(({ rules }: Any) => rules);

const commandLines: Readonly<Record<string, { readonly args: readonly string[]; readonly token: boolean }>> = {
  Dockerfile: { args: exec("CMD"), token: false },
  ECS: { args: container.command, token: false },
  Kubernetes: { args: pod.containers[0].args, token: true },
};

let options: readonly OptionDefinition[] = [];
before(async () => {
  const definition = await COMMANDS.find(({ name }) => name === "controller")?.load();
  options = [...(definition?.options ?? []), ...commonOptions];
});

/** `--env=prod` and `--env prod` alike. */
function flagsOf(args: readonly string[]): ReadonlyMap<string, string> {
  const parts = args
    .slice(1)
    .flatMap((arg) =>
      arg.startsWith("--") && arg.includes("=") ? [arg.slice(0, arg.indexOf("=")), arg.slice(arg.indexOf("=") + 1)] : [arg],
    );
  assert.equal(parts.length % 2, 0, `every flag has a value: ${parts}`);
  return new Map(parts.flatMap((part, index) => (index % 2 === 0 ? [[part, parts[index + 1] ?? ""] as const] : [])));
}

test("every file of deploy/ can be read", () => {
  const files = globSync("deploy/**/*.{yaml,json}", { cwd: root });
  assert.ok(files.length >= 9);
  for (const file of files) {
    if (file.endsWith(".json")) JSON.parse(read(file));
    else for (const document of parseAllDocuments(read(file))) assert.deepEqual(document.errors, [], file);
  }
});

for (const [where, { args, token }] of Object.entries(commandLines)) {
  test(`${where}: the command line is one, and says what a daemon must`, () => {
    assert.equal(args[0], "controller");
    const flags = flagsOf(args);
    for (const [flag, value] of flags) {
      const option = options.find((own) => own.flags.split(/[ ,]+/).includes(flag));
      assert.ok(option, `controller has no ${flag}`);
      assert.match(option.flags, /</, `${flag} takes a value`);
      if (option.choices) assert.ok(option.choices.includes(value), `${flag} ${value}`);
    }
    assert.deepEqual([flags.get("--log-format"), flags.get("--log-level")], ["json", "info"]);
    const listen = flags.get("--http") ?? "";
    requireToken(listen, parseListen(listen), token ? "a token" : undefined);
    assert.equal(parseListen(listen).port, 9464);
  });
}

test("environment variables of BEACON's own are those that docs/operations.md lists", () => {
  const listed = new Set(docs.split("## Environment variables\n")[1]?.match(/BEACON_[A-Z_]+/g));
  const texts = ["Dockerfile", ...globSync("deploy/**/*.{yaml,json}", { cwd: root })].map(read).join("\n");
  const used = new Set(texts.match(/BEACON_[A-Z_]+/g));
  assert.ok(used.has("BEACON_HTTP_TOKEN_FILE") && used.has("BEACON_SLACK_WEBHOOK_URL"));
  for (const name of used) assert.ok(listed.has(name), name);
});

test("the Dockerfile builds on the Node that the tests run on, copies what is there, and starts what package.json names", () => {
  const { packages } = JSON.parse(read("package-lock.json"));
  const from = instructions("FROM");
  assert.deepEqual(from, [
    `node:${packages["node_modules/node"].version}-slim AS build`,
    `node:${packages["node_modules/node"].version}-slim`,
  ]);
  const { bin, scripts } = JSON.parse(read("package.json"));
  assert.deepEqual(exec("ENTRYPOINT"), ["node", join("/app", bin.beaconctl)]);
  assert.equal(instructions("RUN").at(-1), "npm run build");
  assert.match(instructions("USER")[0] ?? "", /^[1-9]\d*:[1-9]\d*$/);
  const letIn = read(".dockerignore")
    .split("\n")
    .filter((line) => line.startsWith("!"))
    .map((line) => line.slice(1));
  const copied = instructions("COPY")
    .filter((line) => !line.startsWith("--from"))
    .flatMap((line) => line.split(" ").slice(0, -1));
  assert.deepEqual(copied.toSorted(), letIn.toSorted());
  for (const path of copied) assert.ok(globSync(path, { cwd: root }).length > 0, path);
  const built = /^node (\S+)$/.exec(scripts.build)?.[1] ?? "";
  for (const path of [built, "src", "state", "reconcilers", "sandbox"]) assert.ok(copied.includes(path), `the build reads ${path}`);
});

const healthChecks: Readonly<Record<string, readonly string[]>> = {
  Dockerfile: JSON.parse(/CMD (\[.*\])$/.exec(instructions("HEALTHCHECK")[0] ?? "")?.[1] ?? "null"),
  ECS: container.healthCheck.command.slice(1),
};

for (const [where, [program, flag, script = ""]] of Object.entries(healthChecks)) {
  test(`${where}: the health check passes while it is healthy, and fails when it is not, or not there`, async () => {
    assert.deepEqual([program, flag], ["node", "-e"]);
    assert.ok(script.includes(`http://127.0.0.1:9464${PATHS.healthz}`));
    let status = 200;
    const server = createServer((_request, response) => void response.writeHead(status).end("{}"));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const own = script.replace("9464", String((server.address() as AddressInfo).port));
    const code = () => new Promise((resolve) => void execFile(process.execPath, ["-e", own], (error) => resolve(error ? error.code : 0)));
    assert.equal(await code(), 0);
    status = 503;
    assert.equal(await code(), 1);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    assert.equal(await code(), 1);
  });
}

test("ECS: as little as it needs, and time to hand over", () => {
  assert.deepEqual(
    [container.user, container.readonlyRootFilesystem, container.linuxParameters.capabilities.drop],
    [instructions("USER")[0], true, ["ALL"]],
  );
  // Fargate's longest; a lease's TTL is the shortest that helps anybody.
  assert.ok(container.stopTimeout > 15 && container.stopTimeout <= 120);
  const { retries, interval, startPeriod } = container.healthCheck;
  assert.ok(retries >= 1 && retries <= 10 && interval >= 5 && interval <= 300 && startPeriod <= 300, "ECS's own limits");
  assert.equal(container.healthCheck.command[0], "CMD");
  const service: Any = JSON.parse(read("deploy/ecs/service.json"));
  assert.equal(service.taskDefinition, task.family);
  assert.ok(service.desiredCount >= 2);
});

test("Kubernetes: as little as it needs, two that do not go at once, probes that are there", () => {
  const [own] = pod.containers;
  assert.deepEqual(
    [
      pod.securityContext.runAsNonRoot,
      own.securityContext.readOnlyRootFilesystem,
      own.securityContext.allowPrivilegeEscalation,
      own.securityContext.capabilities.drop,
    ],
    [true, true, false, ["ALL"]],
  );
  assert.equal(`${pod.securityContext.runAsUser}:${pod.securityContext.runAsGroup}`, instructions("USER")[0]);
  assert.ok(own.resources.requests.cpu && own.resources.limits.memory && pod.terminationGracePeriodSeconds > 15);
  for (const probe of [own.startupProbe, own.readinessProbe, own.livenessProbe])
    assert.ok([PATHS.healthz, PATHS.readyz].includes(probe.httpGet.path) && probe.httpGet.port === own.ports[0].name);
  const { labels } = deployment.spec.template.metadata;
  const budget: Any = parse(read("deploy/kubernetes/pod-disruption-budget.yaml"));
  for (const selector of [deployment.spec.selector, budget.spec.selector]) assert.deepEqual(selector.matchLabels, labels);
  assert.ok(deployment.spec.replicas > budget.spec.minAvailable);
  const account: Any = parse(read("deploy/kubernetes/service-account.yaml"));
  assert.equal(pod.serviceAccountName, account.metadata.name);
  assert.match(account.metadata.annotations["eks.amazonaws.com/role-arn"], /^arn:aws:iam::\d{12}:role\/beacon-controller$/);
  assert.deepEqual(
    kustomization.resources.toSorted(),
    globSync("deploy/kubernetes/*.yaml", { cwd: root })
      .map((path) => path.split("/").at(-1))
      .filter((name) => !["kustomization.yaml", "params.yaml"].includes(name ?? ""))
      .toSorted(),
  );
});

test("Kubernetes: the ConfigMap holds every manifest, and mounted where the command line says it compiles", async () => {
  const all = (await readdir(join(root, "manifests"), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(join(root, "manifests/").length));
  const volume = (name: string): Any => pod.volumes.find((own: Any) => own.name === name).configMap;
  const { items } = volume("manifests");
  const [params, manifests] = kustomization.configMapGenerator;
  assert.deepEqual([params.name, manifests.name], [volume("params").name, volume("manifests").name]);
  assert.deepEqual(items.map(({ path }: Any) => path).toSorted(), all.toSorted());
  assert.deepEqual(
    manifests.files,
    items.map(({ key, path }: Any) => `${key}=../../manifests/${path}`),
  );

  const flags = flagsOf(pod.containers[0].args);
  const mounted = (name: string): string => pod.containers[0].volumeMounts.find((mount: Any) => mount.name === name).mountPath;
  assert.equal(flags.get("--file"), mounted("manifests"));
  assert.equal(flags.get("--params"), `${mounted("params")}/${params.files[0]}`);
  const folder = await mkdtemp(join(tmpdir(), "beacon-configmap-"));
  try {
    for (const { path } of items) {
      await mkdir(join(folder, "..now", dirname(path)), { recursive: true });
      await cp(join(root, "manifests", path), join(folder, "..now", path));
    }
    await symlink("..now", join(folder, "..data"));
    for (const name of new Set<string>(items.map(({ path }: Any) => path.split("/")[0])))
      await symlink(join("..data", name), join(folder, name));
    const compilation = compile(await loadSources({ paths: [folder] }), {
      kinds,
      environment: flags.get("--env") ?? "",
      paramsFiles: [join(root, "deploy/kubernetes", params.files[0])],
    });
    assert.deepEqual(compilation.problems, []);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("Kubernetes: secrets are mounted where the environment says, under the keys that docs/operations.md makes", () => {
  const [own] = pod.containers;
  const mount: Any = own.volumeMounts.find(({ name }: Any) => name === "secret");
  const { secret }: Any = pod.volumes.find(({ name }: Any) => name === "secret");
  const file = own.env.find(({ name }: Any) => name === "BEACON_HTTP_TOKEN_FILE").value;
  assert.equal(file, `${mount.mountPath}/${secret.items[0].path}`);
  const webhook = own.env.find(({ name }: Any) => name === "BEACON_SLACK_WEBHOOK_URL").valueFrom.secretKeyRef;
  assert.equal(webhook.name, secret.secretName);
  for (const key of [secret.items[0].key, webhook.key])
    assert.ok(docs.includes(`create secret generic ${secret.secretName} `) && docs.includes(`--from-literal=${key}=`), key);
});

test("the IAM policy fits where docs/operations.md puts it", () => {
  // IAM and STS quotas: the inline policies of a role have 10,240 characters, blanks not counted.
  assert.ok(JSON.stringify(JSON.parse(read("deploy/iam-policy.json"))).length <= 10_240);
});

test("every alert is on metrics that there are, with labels they have, and says what to do", () => {
  assert.equal(new Set(alerts.map(({ alert }) => alert)).size, alerts.length);
  const headings = new Set([...docs.matchAll(/^#+ (.*)$/gm)].map((match) => match[1]?.toLowerCase().replaceAll(" ", "-")));
  for (const { alert, expr, labels, annotations } of alerts) {
    for (const [, name = "", matchers = ""] of expr.matchAll(/\b(beacon_\w+)(?:\{([^}]*)\})?/g)) {
      const bare = name.replace(/_(bucket|sum|count)$/, "");
      const definition = DEFINITIONS.find((own) => own.name === bare);
      assert.ok(definition && (bare === name) === (definition.type !== "histogram"), `${alert}: ${name}`);
      for (const [, label = ""] of matchers.matchAll(/(\w+)=/g))
        assert.ok(definition.labels.includes(label), `${alert}: ${name}{${label}}`);
    }
    assert.match(expr, /beacon_/);
    assert.ok(["critical", "warning"].includes(labels.severity), alert);
    assert.ok(annotations.summary && annotations.description, alert);
    const [page, anchor] = annotations.runbook.split("#");
    assert.deepEqual([page, anchor], ["docs/operations.md", alert.toLowerCase()]);
    assert.ok(headings.has(anchor), `docs/operations.md has no heading ${alert}`);
  }
});

test("values that alerts compare with are values that there are", () => {
  const wanted: Readonly<Record<string, readonly string[]>> = {
    condition: ["Ready", "Drifted", "Stalled"],
    phase: PHASES,
    result: ["ok", "throttled", "failed"],
    state: MONITOR_STATES,
    change: COUNTS.leaseChanges.values.change,
  };
  for (const { alert, expr } of alerts)
    for (const [, label = "", value = ""] of expr.matchAll(/(\w+)="([^"]*)"/g))
      assert.ok(wanted[label]?.includes(value), `${alert}: ${label}="${value}"`);
});
