/** What the tests of the state share: a virtual world, an in-memory table, processes with a store each, and records. */

import type { ResourceRecord, Revision, SourceBundle, StackStatus } from "../../src/core/record.ts";
import { LIFECYCLE_DEFAULTS, type ResourceKey, type Stack } from "../../src/core/resource.ts";
import type { AcquireOptions, Lease } from "../../src/core/store.ts";
import type { LeaseItem } from "../../state/items.ts";
import { leaseKey } from "../../state/items.ts";
import { TableStore } from "../../state/store.ts";
import { MemoryTable, type TableOptions } from "../support/memory-table.ts";
import { type ProcessOptions, type VirtualProcess, VirtualWorld } from "../support/virtual-runtime.ts";

export const PROD: Stack = { project: "beacon", environment: "prod" };
export const DEV: Stack = { project: "beacon", environment: "dev" };

/** A process with its own way to the table. */
export type Actor = {
  readonly process: VirtualProcess;
  readonly store: TableStore;
  acquire(options?: Partial<AcquireOptions>): Promise<Lease>;
};

export class Scene {
  readonly world: VirtualWorld;
  readonly table: MemoryTable;

  constructor(options: TableOptions & { seed?: number } = {}) {
    this.world = new VirtualWorld(options.seed ?? 1);
    this.table = new MemoryTable(this.world, options);
  }

  actor(name: string, { gatherMs = 0, ...options }: ProcessOptions & { gatherMs?: number } = {}): Actor {
    const process = this.world.process(name, options);
    const store = new TableStore(this.table.connect(process), process, { gatherMs });
    return { process, store, acquire: (more = {}) => store.acquire(PROD, { holder: name, wait: false, ...more }) };
  }

  /** The lease item as it lies in the table. */
  lease(stack = PROD): LeaseItem | undefined {
    const { pk, sk } = leaseKey(stack);
    return this.table.items.find((item) => item.pk === pk && item.sk === sk) as LeaseItem | undefined;
  }
}

/** How long `act` takes, in virtual milliseconds. */
export async function timed(scene: Scene, act: () => Promise<unknown>): Promise<number> {
  const startMs = scene.world.elapsedMs;
  await act();
  return scene.world.elapsedMs - startMs;
}

export function record(key: ResourceKey, more: Partial<ResourceRecord> = {}): ResourceRecord {
  return {
    key,
    kind: "ec2.aws/v1 VPC",
    uid: "u1",
    generation: 1,
    retiring: [],
    applied: {},
    observed: {},
    conditions: [],
    dependencies: [],
    lifecycle: LIFECYCLE_DEFAULTS,
    revision: 1,
    ...more,
  };
}

export function revision(number: number, more: Partial<Revision> = {}): Revision {
  return {
    number,
    digest: `digest-${number}`,
    source: "git",
    acceptedAt: "2026-01-01T00:00:00.000Z",
    acceptedBy: "me",
    region: "ap-northeast-2",
    accountId: "123456789012",
    confirm: {},
    pins: {},
    resources: [],
    outputs: {},
    ...more,
  };
}

export function status(more: Partial<StackStatus> = {}): StackStatus {
  return {
    phase: "Synced",
    message: "as the revision says",
    revision: 1,
    converged: 1,
    unfinished: [],
    counts: { resources: 1, ready: 1, drifted: 0, stalled: 0 },
    checks: {},
    updatedAt: "2026-01-01T00:00:00.000Z",
    ...more,
  };
}

/** A source of one manifest. */
export function sourceText(text: string): SourceBundle {
  return { sources: [{ file: "m.yaml", directory: "/m", text }], files: {}, params: [], paramsFiles: [], environment: "prod" };
}
