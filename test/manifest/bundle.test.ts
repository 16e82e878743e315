/** What a revision is kept with compiles to the same stack where none of its files are. */

import assert from "node:assert/strict";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { stringify } from "yaml";
import { kinds } from "../../reconcilers/index.ts";
import type { CompiledStack, View } from "../../src/core/compiled.ts";
import type { SourceBundle } from "../../src/core/record.ts";
import { bundleOf, compileBundle } from "../../src/manifest/bundle.ts";
import { type CompileOptions, compile } from "../../src/manifest/compile.ts";
import { formatProblems } from "../../src/manifest/problems.ts";
import { loadSources, type SourceSet, sourcesOf } from "../../src/manifest/source.ts";
import { readExamples } from "../conformance/example.ts";

const root = mkdtempSync(join(tmpdir(), "beacon-bundle-"));
after(() => rmSync(root, { recursive: true, force: true }));

const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIElEc9kKsmVKp1J4kFcjodqihXO0ZiIy7a4Ainbg3AzT beacon-sandbox-throw-away";

type Compiled = { readonly stack: CompiledStack; readonly bundle: SourceBundle | undefined };

function compiled(sources: SourceSet, options: Partial<CompileOptions> = {}): Compiled {
  const all = { kinds, ...options };
  const result = compile(sources, all);
  assert.ok(result.ok, formatProblems(result.problems, sources));
  return { stack: result.stack, bundle: bundleOf(sources, all, result.stack) };
}

/** As it comes back from the state table. */
function stored(bundle: SourceBundle | undefined): SourceBundle {
  assert.ok(bundle, "it is kept");
  return JSON.parse(JSON.stringify(bundle));
}

// Nothing is known; what AWS would say of everything is.
const VIEWS: Readonly<Record<string, View>> = {
  nothing: () => undefined,
  everything: (key) => {
    const said = ["vpcId", "subnetId", "internetGatewayId", "allocationId", "groupId", "tableArn", "publicIp", "id", "arn", "dnsName"];
    return { ...Object.fromEntries(said.map((name) => [name, `${name}-of-${key}`])), names: ["zone-a", "zone-b"] };
  },
};

/** All that a stack says, functions called. */
function facts({ resolve, readyWhen, outputs, nextSteps, ...stack }: CompiledStack): object {
  const attempt = (give: () => unknown) => {
    try {
      return give();
    } catch (error) {
      return String(error);
    }
  };
  const said = Object.entries(VIEWS).map(([name, view]) => ({
    name,
    specs: stack.resources.map((resource) => [resource.key, attempt(() => resolve(resource, view))]),
    ready: stack.resources.map((resource) => [resource.key, attempt(() => readyWhen(resource, view))]),
    monitors: stack.monitors.map((monitor) => attempt(() => monitor.resolve(view))),
    outputs: attempt(() => outputs(view)),
    nextSteps: attempt(() => nextSteps(view)),
  }));
  const monitors = stack.monitors.map(({ resolve: _resolve, ...monitor }) => monitor);
  return { ...stack, monitors, said };
}

for (const environment of ["dev", "staging", "prod"]) {
  test(`production's manifests for ${environment}, with their folder gone and another home`, async () => {
    const folder = join(root, environment);
    cpSync("manifests", join(folder, "manifests"), { recursive: true });
    writeFileSync(join(folder, "more.yaml"), "logRetentionDays: 90\n");
    const sources = { ...(await loadSources({ paths: [join(folder, "manifests")] })), origin: "https://example.com/beacon" };
    const { stack, bundle } = compiled(sources, {
      environment,
      params: ["publicKeyFile=~/nowhere/id_rsa.pub", "imageNameFilter=al2023-*"],
      paramsFiles: [join(folder, "more.yaml")],
      region: "eu-central-1",
      sandbox: { throwAwayKey: () => KEY },
    });
    const before = facts(stack);
    rmSync(folder, { recursive: true });
    const { HOME } = process.env;
    try {
      process.env.HOME = join(root, "another-home");
      const again = compileBundle(stored(bundle), { kinds });
      assert.equal(again.digest, stack.digest);
      assert.deepEqual(facts(again), before);
    } finally {
      process.env.HOME = HOME;
    }
    assert.equal(bundle?.files["~/nowhere/id_rsa.pub"], KEY, "the key that stands in is kept");
    assert.ok(Object.keys(bundle?.files ?? {}).some((path) => path.endsWith("backend.sh")));
  });
}

test("every kind's example", () => {
  for (const [id, { others, subject }] of readExamples()) {
    const own = [
      { apiVersion: "beacon/v1", kind: "Project", metadata: { name: "shop" } },
      { apiVersion: "beacon/v1", kind: "Environment", metadata: { name: "dev" }, spec: { default: true } },
    ];
    const sources = sourcesOf({ "example.yaml": [...own, ...others, subject].map((one) => stringify(one)).join("---\n") }, root);
    const { stack, bundle } = compiled(sources, { region: "eu-west-1" });
    assert.deepEqual(facts(compileBundle(stored(bundle), { kinds })), facts(stack), id);
  }
});

const PROJECT = `
apiVersion: beacon/v1
kind: Project
metadata: { name: shop }
spec:
  id: shop
  locals:
    motd: "\${eip.main.publicIp}\${file('motd.txt')}"
    banner: "\${eip.main.publicIp} \${local.motd}"
  outputs:
    banner: { value: "\${local.banner}" }
    out: { value: "\${service.web.out}" }
  nextSteps:
    - "\${eip.main.publicIp}: \${file('steps.txt')}"
---
apiVersion: beacon/v1
kind: Environment
metadata: { name: dev }
spec: { default: true }
---
apiVersion: beacon/v1
kind: Blueprint
metadata: { name: service }
spec:
  kind: Service
  parameters:
    text: { type: string }
  resources:
    - apiVersion: ec2.aws/v1
      kind: EIP
      metadata: { name: main }
      spec: { tags: { text: "\${params.text}" } }
  outputs:
    out: "\${eip.main.publicIp} \${file('out.txt')}"
---
apiVersion: blueprint.beacon/v1
kind: Service
metadata: { name: web }
spec: { text: "\${eip.main.publicIp}\${userData('given.txt', {'A': env.region})}" }
---
apiVersion: ec2.aws/v1
kind: EIP
metadata: { name: main }
---
apiVersion: ec2.aws/v1
kind: EIP
metadata: { name: ready }
readyWhen: \${self.publicIp != "" && self.publicIp != file("ready.txt")}
---
apiVersion: beacon/v1
kind: Monitor
metadata: { name: web }
spec: { http: { url: "https://\${eip.main.publicIp}/\${file('path.txt')}" } }
`;

const FILES = ["motd", "steps", "out", "given", "ready", "path"].map((name) => `${name}.txt`);

function folderOf(name: string, text: string): string {
  const folder = join(root, name);
  mkdirSync(folder);
  writeFileSync(join(folder, "project.yaml"), text);
  for (const file of FILES) writeFileSync(join(folder, file), `text of ${file}`);
  return folder;
}

const load = (folder: string) => loadSources({ paths: [join(folder, "project.yaml")] });

test("files whose text is needed only once AWS has answered are in it, wherever an expression reads them", async () => {
  const folder = folderOf("late", PROJECT);
  const { stack, bundle } = compiled(await load(folder), { region: "eu-central-1" });
  assert.deepEqual(Object.keys(stored(bundle).files).sort(), FILES.map((file) => join(folder, file)).sort());
  rmSync(folder, { recursive: true });
  const again = compileBundle(stored(bundle), { kinds });
  assert.deepEqual(facts(again), facts(stack));
  const { banner, out } = again.outputs(VIEWS.everything as View);
  assert.equal(banner, "publicIp-of-EIP/main publicIp-of-EIP/maintext of motd.txt");
  assert.equal(out, "publicIp-of-EIP/web.main text of out.txt");
});

test("a file that is not in it is missing, though this machine has it; nothing else of this machine counts either", async () => {
  const folder = folderOf("missing", PROJECT);
  const { bundle } = compiled(await load(folder), { region: "eu-central-1" });
  const { [join(folder, "path.txt")]: _gone, ...files } = stored(bundle).files;
  assert.throws(() => compileBundle({ ...stored(bundle), files }, { kinds }), {
    code: "RevisionOutdated",
    message: /project\.yaml:\d+:\d+: .*path\.txt cannot be read \(not kept with the revision\)/,
  });
  const { region: _region, ...nowhere } = stored(bundle);
  process.env.AWS_REGION = "eu-central-1";
  try {
    assert.equal(compileBundle(nowhere, { kinds }).environment.region, undefined);
  } finally {
    delete process.env.AWS_REGION;
  }
});

const SMALL = `
apiVersion: beacon/v1
kind: Project
metadata: { name: shop }
spec: { parameters: { secret: { type: string, default: "" } } }
---
apiVersion: beacon/v1
kind: Environment
metadata: { name: dev }
spec: { default: true }
---
apiVersion: ec2.aws/v1
kind: EIP
metadata: { name: main }
---
`;

test("what a newer beaconctl does not take is told with its problems", () => {
  const { bundle } = compiled(sourcesOf({ "a.yaml": SMALL }));
  const less = new Map([...kinds].filter(([id]) => id !== "ec2.aws/v1 EIP"));
  assert.throws(
    () => compileBundle(stored(bundle), { kinds: less }),
    (error: { code: string; message: string; problems: readonly unknown[] }) => {
      assert.equal(error.code, "RevisionOutdated");
      assert.match(error.message, /for the environment dev no longer compiles:\n {2}a\.yaml:\d+:\d+: unknown kind `EIP`/);
      return error.problems.length > 0;
    },
  );
});

test("which file is read must be known before any AWS call", () => {
  const rows = [
    { text: "file(eip.main.publicIp)", says: /the path of a file must be known before any AWS call, but depends on `eip\.main\.publicIp`/ },
    { text: "['a', 'b'].map(f, eip.main.publicIp + file(f))[0]", says: /which file file\(f\) reads cannot be told/ },
  ];
  for (const { text, says } of rows) {
    const output = `spec: { outputs: { x: { value: "\${${text}}" } } }`;
    const sources = sourcesOf({ "a.yaml": SMALL.replace(/spec: .*parameters.*/, output) });
    const result = compile(sources, { kinds });
    assert.ok(!result.ok, text);
    assert.match(result.problems.map(({ message }) => message).join("\n"), says);
  }
});

const RULE = (secret: string, head = "") => `${SMALL}
apiVersion: elbv2.aws/v1
kind: ListenerRule
metadata: { name: login }
${head}
spec:
  listenerArn: arn:aws:elasticloadbalancing:eu-central-1:1:listener/app/x/1/2
  priority: 1
  conditions:
    - { field: path-pattern, pathPatternConfig: { values: [/] } }
  clientSecret: ${secret}
  actions:
    - type: authenticate-oidc
      authenticateOidcConfig:
        { issuer: "https://i", authorizationEndpoint: "https://a", tokenEndpoint: "https://t", userInfoEndpoint: "https://u", clientId: c }
    - { type: fixed-response, fixedResponseConfig: { statusCode: "200" } }
`;

test("secrets are never kept", () => {
  const rows = [
    { secret: "hunter2", kept: false, why: "a literal" },
    { secret: '"${params.secret}"', kept: false, why: "a parameter, whose value is among the texts" },
    { secret: "\"${eip.main.publicIp + 'hunter2'}\"", kept: false, why: "a literal in what AWS completes" },
    { secret: '"${eip.main.publicIp}"', kept: true, why: "nothing but what AWS says" },
    { secret: "hunter2", head: "includeWhen: ${env.name == 'prod'}", kept: false, why: "a literal of another environment" },
  ];
  for (const { secret, kept, why, head } of rows) {
    const { bundle } = compiled(sourcesOf({ "a.yaml": RULE(secret, head) }), { region: "x", params: ["secret=hunter2"] });
    assert.equal(bundle !== undefined, kept, why);
  }
});
