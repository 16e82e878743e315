/** Small stacks of several kinds on the sandbox, through the real engine, for what concerns more than one resource. */

import assert from "node:assert/strict";
import { stringify } from "yaml";
import { kinds } from "../../reconcilers/index.ts";
import type { CompiledStack } from "../../src/core/compiled.ts";
import type { JsonObject } from "../../src/core/json.ts";
import { compile } from "../../src/manifest/compile.ts";
import { formatProblems } from "../../src/manifest/problems.ts";
import { sourcesOf } from "../../src/manifest/source.ts";
import type { Stand } from "../conformance/stand.ts";

/** A resource as a manifest declares it: `HostedZone/main` of `route53.aws/v1`. */
export function declared(apiVersion: string, key: string, spec: JsonObject, lifecycle?: JsonObject): object {
  const [kind, name] = key.split("/");
  return { apiVersion, kind, metadata: { name }, ...(lifecycle ? { lifecycle } : {}), spec };
}

/** The manifests of the stand's own stack. Fails when they are invalid. */
export function manifestsOf(stand: Stand, documents: readonly object[]): CompiledStack {
  const { project, environment } = stand.stack;
  const own = [
    declared("beacon/v1", `Project/${project}`, { id: project }),
    declared("beacon/v1", `Environment/${environment}`, { region: stand.region }),
  ];
  const sources = sourcesOf({ "stack.yaml": [...own, ...documents].map((document) => stringify(document)).join("---\n") });
  const compilation = compile(sources, { kinds, environment, params: [], paramsFiles: [] });
  return compilation.ok ? compilation.stack : assert.fail(formatProblems(compilation.problems, sources));
}

/** How often each operation is called meanwhile. */
export async function callsOf(stand: Stand, act: () => Promise<unknown>): Promise<Readonly<Record<string, number>>> {
  const before = stand.proxy.calls.length;
  await act();
  const counts: Record<string, number> = {};
  for (const { name } of stand.proxy.calls.slice(before)) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}
