/** The stacks that replicas share in the simulation: each with manifests of its own, and a cloud of its own. */

import type { CompiledStack } from "../../../src/core/compiled.ts";
import type { SourceBundle } from "../../../src/core/record.ts";
import type { Stack } from "../../../src/core/resource.ts";
import { NO_GRANTS, nextRevision } from "../../../src/engine/revision.ts";
import { compileBundle } from "../../../src/manifest/bundle.ts";
import type { TableStore } from "../../../state/store.ts";
import type { VirtualWorld } from "../../support/virtual-runtime.ts";
import { Cloud, type CloudSettings, isLive, type Seen } from "../cloud.ts";
import { KINDS } from "../kinds.ts";

/** What every resource is declared with. */
export const SIZE = 1;

/** One stack and its part of the world. */
export type SharedStack = {
  readonly stack: Stack;
  readonly name: string;
  /** By which its way to AWS is asked for. */
  readonly role: string;
  readonly compiled: CompiledStack;
  readonly bundle: SourceBundle;
  readonly cloud: Cloud;
};

/** `count` stacks, each of one object per identity class. */
export function sharedStacks(world: VirtualWorld, count: number, settings: CloudSettings): readonly SharedStack[] {
  return Array.from({ length: count }, (_, n) => {
    const project = `app${String(n + 1).padStart(2, "0")}`;
    const bundle = bundleOf(project);
    const compiled = compileBundle(bundle, { kinds: KINDS });
    return { stack: compiled.stack, name: `${project}/sim`, role: roleOf(project), compiled, bundle, cloud: new Cloud(world, settings) };
  });
}

function roleOf(project: string): string {
  return `arn:aws:iam::000000000000:role/${project}`;
}

function bundleOf(project: string): SourceBundle {
  const resource = (kind: string, more = "") => `
---
apiVersion: sim.aws/v1
kind: ${kind}
metadata: { name: ${kind.toLowerCase()} }
spec: { mode: m1, size: ${SIZE}${more} }`;
  const links = ', links: ["${tagged.tagged.objectId}"]';
  const text = `apiVersion: beacon/v1
kind: Project
metadata: { name: ${project} }
spec: { id: ${project} }
---
apiVersion: beacon/v1
kind: Environment
metadata: { name: sim }
spec: { region: sim-1, roleArn: "${roleOf(project)}" }${resource("Tagged")}${resource("Token")}${resource("Named", links)}
`;
  return { sources: [{ file: "stack.yaml", directory: "/", text }], files: {}, params: [], paramsFiles: [], environment: "sim" };
}

/** Accepts the stack's first revision, as an apply would that leaves the rest to the controllers. */
export async function acceptFirst(store: TableStore, { stack, compiled, bundle }: SharedStack): Promise<void> {
  const world = { state: { records: new Map(), requests: [] }, pins: {}, newer: [], remotes: new Map(), orphans: [] };
  const acceptance = { at: "2026-01-01T00:00:00.000Z", by: "simulation", region: "sim-1", accountId: "000000000000", grants: NO_GRANTS };
  await store.accept(stack, nextRevision(compiled, world, acceptance), bundle);
}

/** Objects of the stack that live. */
export function liveObjects({ cloud }: SharedStack): readonly Seen[] {
  return cloud.present().filter(({ state }) => isLive(state));
}
