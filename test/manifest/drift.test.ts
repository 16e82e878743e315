/** What is done about drift of each resource, once everybody has spoken. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { kinds } from "../../reconcilers/index.ts";
import type { CompiledStack } from "../../src/core/compiled.ts";
import { compile, validateAll } from "../../src/manifest/compile.ts";
import { formatProblems } from "../../src/manifest/problems.ts";
import { render } from "../../src/manifest/render.ts";
import { type SourceSet, sourcesOf } from "../../src/manifest/source.ts";

type Said = { readonly environment?: string; readonly instance?: string; readonly inside?: string; readonly own?: string };

function sourcesWith({ environment, instance, inside, own }: Said): SourceSet {
  const lifecycle = (drift: string | undefined) => (drift === undefined ? "" : `lifecycle: { drift: ${drift} }`);
  return sourcesOf({
    "a.yaml": `
apiVersion: beacon/v1
kind: Project
metadata: { name: shop }
spec: { parameters: { until: { type: string, default: 2026-12-31 } } }
---
apiVersion: beacon/v1
kind: Environment
metadata: { name: dev }
spec: { default: true, ${environment === undefined ? "" : `drift: ${environment}`} }
---
apiVersion: beacon/v1
kind: Environment
metadata: { name: prod }
---
apiVersion: beacon/v1
kind: Blueprint
metadata: { name: address }
spec:
  kind: Address
  resources:
    - apiVersion: ec2.aws/v1
      kind: EIP
      metadata: { name: main }
      ${lifecycle(inside)}
    - apiVersion: route53domains.aws/v1
      kind: DomainNameservers
      metadata: { name: main }
      spec: { domainName: example.com, nameservers: [{ name: ns-1.example.net }, { name: ns-2.example.net }] }
---
apiVersion: blueprint.beacon/v1
kind: Address
metadata: { name: web }
${lifecycle(instance)}
---
apiVersion: ec2.aws/v1
kind: EIP
metadata: { name: alone }
${lifecycle(own)}
---
apiVersion: route53domains.aws/v1
kind: DomainNameservers
metadata: { name: alone }
spec: { domainName: example.org, nameservers: [{ name: ns-1.example.net }, { name: ns-2.example.net }] }
`,
  });
}

function compiled(said: Said): CompiledStack {
  const sources = sourcesWith(said);
  const result = compile(sources, { kinds, nowMs: 0 });
  assert.ok(result.ok, formatProblems(result.problems, sources));
  return result.stack;
}

function policy({ resources }: CompiledStack, key: string) {
  const { drift, driftIntervalMs, knownDrift } = resources.find((each) => each.key === key)?.lifecycle ?? assert.fail(key);
  return { drift, ...(driftIntervalMs === undefined ? {} : { driftIntervalMs }), ...(knownDrift ? { knownDrift } : {}) };
}

test("the document's own word, then the instance's, then the kind's, then the environment's", () => {
  const rows = [
    { said: {}, why: "nobody says anything", inside: "correct", domain: "ignore", alone: "correct", kind: "ignore" },
    {
      said: { environment: "{ mode: report }" },
      why: "the environment",
      inside: "report",
      domain: "ignore",
      alone: "report",
      kind: "ignore",
    },
    {
      said: { environment: "{ mode: report }", instance: "correct" },
      why: "the instance",
      inside: "correct",
      domain: "correct",
      alone: "report",
      kind: "ignore",
    },
    {
      said: { instance: "{ mode: report }", inside: "ignore", own: "report" },
      why: "the document",
      inside: "ignore",
      domain: "report",
      alone: "report",
      kind: "ignore",
    },
    {
      said: { instance: "report", inside: "{ interval: 5m }" },
      why: "no mode of its own",
      inside: "report",
      domain: "report",
      alone: "correct",
      kind: "ignore",
    },
  ];
  for (const { said, why, inside, domain, alone, kind } of rows) {
    const stack = compiled(said);
    const modes = ["EIP/web.main", "DomainNameservers/web.main", "EIP/alone", "DomainNameservers/alone"].map(
      (key) => policy(stack, key).drift,
    );
    assert.deepEqual(modes, [inside, domain, alone, kind], why);
  }
});

test("how often is a resource's own word or its instance's; the environment's stays there", () => {
  const stack = compiled({ environment: "{ interval: 2m }", instance: "{ interval: 5m }", inside: "{ interval: 90s }" });
  const intervals = ["EIP/web.main", "DomainNameservers/web.main", "EIP/alone"].map((key) => policy(stack, key).driftIntervalMs);
  assert.deepEqual(intervals, [90_000, 300_000, undefined]);
  assert.deepEqual(stack.environment.drift.intervalMs, 120_000);
});

test("exceptions last to the end of a date, or to a time", () => {
  const stack = compiled({
    own: `{ mode: report, interval: 2h, except: [
      { field: tags.Team, until: "\${params.until}", reason: a migration },
      { field: tags, until: "2026-06-01T12:00:00+02:00", reason: another }] }`,
  });
  assert.deepEqual(policy(stack, "EIP/alone"), {
    drift: "report",
    driftIntervalMs: 7_200_000,
    knownDrift: [
      { path: "tags.Team", until: "2026-12-31T23:59:59.999Z", reason: "a migration" },
      { path: "tags", until: "2026-06-01T10:00:00.000Z", reason: "another" },
    ],
  });
  const document = render(stack).find(({ kind, metadata }) => kind === "EIP" && (metadata as { name: string }).name === "alone");
  assert.deepEqual(document?.lifecycle, {
    drift: {
      mode: "report",
      interval: "2h",
      except: [
        { field: "tags.Team", until: "2026-12-31T23:59:59.999Z", reason: "a migration" },
        { field: "tags", until: "2026-06-01T10:00:00.000Z", reason: "another" },
      ],
    },
  });
});

test("an exception that has expired is told, and is no error", () => {
  const sources = sourcesWith({ own: "{ except: [{ field: tags, until: 2026-06-01, reason: a migration }] }" });
  const notice = "drift of `tags` of EIP/alone was known until 2026-06-01T23:59:59.999Z, and is drift again: a migration (a.yaml:36:1)";
  const at = (time: string) => ({ kinds, nowMs: Date.parse(time) });
  assert.deepEqual(compile(sources, at("2026-06-01T23:59:59Z")).notices, []);
  assert.deepEqual(compile(sources, at("2026-06-02T00:00:00Z")).notices, [notice]);
  const { problems, notices } = validateAll(sources, at("2026-06-02T00:00:00Z"));
  assert.deepEqual([problems, notices], [[], [notice]], "once, though both environments have it");
});
