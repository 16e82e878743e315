/** One engine process in the simulation: the real store, lease, look, plan and execute, as `beaconctl apply` strings them together. */

import { BeaconError } from "../../src/core/errors.ts";
import type { Plan } from "../../src/core/plan.ts";
import type { Revision } from "../../src/core/record.ts";
import type { Lease } from "../../src/core/store.ts";
import { Deposed, execute, heal, makePlan, observe } from "../../src/engine/engine.ts";
import { DEFAULT_SETTINGS } from "../../src/engine/settings.ts";
import type { Context, RunReport, Settings } from "../../src/engine/types.ts";
import { TableStore } from "../../state/store.ts";
import type { MemoryTable } from "../support/memory-table.ts";
import { SimHandle, type Way } from "./handle.ts";
import { KINDS, WINDOW_MS } from "./kinds.ts";
import { compile, type Manifest, STACK } from "./manifests.ts";

/** AWS's numbers, in small: the proportions are the same. */
export const SETTINGS: Settings = Object.freeze({
  ...DEFAULT_SETTINGS,
  timeoutMs: 120_000,
  pollMinMs: 200,
  pollMaxMs: 2_000,
  consistencyMs: WINDOW_MS,
});

/** How an apply ended. `refused`: somebody else holds the lease. */
export type ApplyEnd =
  | { readonly type: "done"; readonly plan: Plan; readonly report: RunReport }
  | { readonly type: "refused" | "lost" | "failed"; readonly message: string };

/** What an apply is given. */
export type ApplyRequest = {
  readonly way: Way;
  readonly table: MemoryTable;
  readonly manifest: Manifest;
  readonly wait: boolean;
  readonly stop?: AbortSignal;
};

/** Lease, look, plan, revision, execute, release. A killed process's apply never ends. */
export async function apply(request: ApplyRequest): Promise<ApplyEnd> {
  const { way, manifest, stop = new AbortController().signal } = request;
  const { process, cloud } = way;
  const store = new TableStore(request.table.connect(process), process);
  const context: Context = { kinds: KINDS, stack: STACK, reader: new SimHandle(way), store, runtime: process, settings: SETTINGS };
  try {
    const lease = await store.acquire(STACK, { holder: process.name, wait: request.wait });
    cloud.world.note(`${process.name}: has the lease, epoch ${lease.epoch}`);
    try {
      const compiled = compile(manifest);
      const world = await observe(context, compiled);
      const plan = makePlan(context, world, {});
      cloud.world.note(`${process.name}: plans ${plan.changes.map(({ action, key }) => `${action} ${key}`).join(", ")}`);
      const revision = await accept(lease, world.state.revision, compiled.digest, context);
      const authority = { writer: new SimHandle(way, lease), lease };
      const report = await execute(context, {
        world: { ...world, state: { ...world.state, revision } },
        plan,
        authority,
        options: {},
        stop,
      });
      await lease.release();
      return { type: "done", plan, report };
    } catch (error) {
      // A lease that is lost cannot be given up; what ended the run says more.
      await lease.release().catch(() => {});
      throw error;
    }
  } catch (error) {
    if (error instanceof Deposed) return await putRight(context, store, way, error);
    return endOf(error);
  }
}

/** What a deposed engine does before it ends. */
async function putRight(context: Context, store: TableStore, way: Way, deposed: Deposed): Promise<ApplyEnd> {
  const { process, cloud } = way;
  const { touched } = deposed;
  cloud.world.note(
    `${process.name}: was deposed, having touched ${touched.map(({ verb, record }) => `${verb} ${record.key}`).join(", ") || "nothing"}`,
  );
  if (touched.length === 0) return endOf(deposed);
  const acquire = async () => {
    const lease = await store.acquire(STACK, { holder: `${process.name}, healing`, wait: true });
    return { writer: new SimHandle(way, lease), lease };
  };
  try {
    const report = await heal(context, { touched, acquire, stop: new AbortController().signal });
    cloud.world.note(
      `${process.name}: healed ${report.results.map(({ key, outcome, message }) => `${key} ${outcome}: ${message}`).join(", ")}`,
    );
    return endOf(deposed);
  } catch (error) {
    return endOf(error);
  }
}

async function accept(lease: Lease, previous: Revision | undefined, digest: string, { runtime }: Context): Promise<Revision> {
  if (previous?.digest === digest) return previous;
  const revision: Revision = {
    number: (previous?.number ?? 0) + 1,
    digest,
    source: "simulation",
    acceptedAt: new Date(runtime.now()).toISOString(),
    acceptedBy: "simulation",
    region: "sim-1",
    accountId: "000000000000",
    confirm: {},
    pins: {},
    resources: [],
    outputs: {},
  };
  await lease.journal.putRevision(revision);
  return revision;
}

// What a person would be told; anything else is a defect, and ends the simulation.
function endOf(error: unknown): ApplyEnd {
  if (!(error instanceof BeaconError)) throw error;
  switch (error.code) {
    case "LeaseHeld":
      return { type: "refused", message: error.message };
    case "LeaseLost":
      return { type: "lost", message: error.message };
    case "ReadFailed":
    case "StateConflict":
      return { type: "failed", message: error.message };
    default:
      throw error;
  }
}
