/** The smallest stack for tests of the executor: objects by name, in memory, whose creates take as long as their spec says. */

import { z } from "zod";
import type { Reader, Writer } from "../../src/aws/service.ts";
import type { CompiledStack } from "../../src/core/compiled.ts";
import { field } from "../../src/core/field.ts";
import type { JsonObject } from "../../src/core/json.ts";
import { LIFECYCLE_DEFAULTS, type Resource, type ResourceKey } from "../../src/core/resource.ts";
import { unknown } from "../../src/core/unknown.ts";
import { execute, makePlan, observe } from "../../src/engine/engine.ts";
import { DEFAULT_SETTINGS } from "../../src/engine/settings.ts";
import type { Context, RunReport, Settings } from "../../src/engine/types.ts";
import { type AnyKind, defineKind, type Kinds, type Scope } from "../../src/kind/kind.ts";
import { TableStore } from "../../state/store.ts";
import { MemoryTable } from "./memory-table.ts";
import type { VirtualProcess, VirtualWorld } from "./virtual-runtime.ts";

/**
 * One resource: how long its create takes, how long it stays pending after that, and the names of what it needs.
 * `silent`: the create's answer lacks what others need of it, which only a list tells.
 */
export type Toy = {
  readonly name: string;
  readonly takesMs?: number;
  readonly pendingMs?: number;
  readonly needs?: readonly string[];
  readonly silent?: boolean;
};

const STACK = { project: "toy", environment: "test" };

export class ToyStack {
  readonly process: VirtualProcess;
  readonly objects = new Map<string, { readonly values: JsonObject; readonly readyMs: number }>();
  /** Every call: `create a`, `list`. */
  readonly calls: string[] = [];
  readonly #world: VirtualWorld;
  readonly #store: TableStore;
  readonly #settings: Settings;

  constructor(world: VirtualWorld, settings: Partial<Settings> = {}) {
    this.#world = world;
    this.process = world.process("toy");
    this.#store = new TableStore(new MemoryTable(world, { latencyMs: () => 0 }).connect(this.process), this.process);
    this.#settings = { ...DEFAULT_SETTINGS, pollMinMs: 100, pollMaxMs: 100, ...settings };
  }

  /** Applies, and releases the lease. `elapsedMs`: of the execution alone. */
  async apply(toys: readonly Toy[], stop = new AbortController().signal): Promise<{ report: RunReport; elapsedMs: number }> {
    const kind = this.#kind();
    const kinds: Kinds = new Map([[kind.id, kind]]);
    const aws = {} as Reader & Writer;
    const context: Context = { kinds, stack: STACK, reader: aws, store: this.#store, runtime: this.process, settings: this.#settings };
    const lease = await this.#store.acquire(STACK, { holder: "toy", wait: false });
    const world = await observe(context, compile(kind, toys));
    const plan = makePlan(context, world, {});
    const begunMs = this.#world.elapsedMs;
    const report = await execute(context, { world, plan, authority: { writer: aws, lease }, options: {}, stop });
    const elapsedMs = this.#world.elapsedMs - begunMs;
    await lease.release();
    return { report, elapsedMs };
  }

  /** What is remembered: keys of the records. */
  async recorded(): Promise<readonly string[]> {
    return [...(await this.#store.load(STACK)).records.keys()];
  }

  #kind(): AnyKind {
    return defineKind({
      apiVersion: "toy.aws/v1",
      kind: "Toy",
      doc: "",
      spec: z.strictObject({
        name: field(z.string(), { doc: "", immutable: true }),
        takesMs: field(z.int(), { doc: "", immutable: true }),
        pendingMs: field(z.int(), { doc: "", immutable: true }),
        needs: field(z.array(z.string()), { doc: "", immutable: true }),
        silent: field(z.boolean(), { doc: "", immutable: true }),
      }),
      status: z.strictObject({ toyId: z.string(), address: z.string(), ready: z.boolean() }),
      id: "toyId",
      identity: { by: "name", key: ["name"] },
      errors: {},
      list: { operations: [], run: async (_aws, scope) => this.#list(scope) },
      create: { operations: [], run: async (_aws, spec) => await this.#create(spec) },
      updates: [],
      delete: { operations: [], run: async (_aws, { id }) => void this.objects.delete(id) },
      ready: ({ ready }) => (ready ? { state: "ready" } : { state: "waiting", why: "pending" }),
    });
  }

  #list({ ids, names }: Scope) {
    this.calls.push("list");
    const wanted = new Set([...ids, ...names.map(({ name }) => name)]);
    return [...this.objects].filter(([id]) => wanted.has(id)).map(([id]) => ({ id, values: this.#seen(id) }));
  }

  async #create(
    spec: JsonObject & { readonly name: string; readonly takesMs: number; readonly pendingMs: number; readonly silent: boolean },
  ) {
    this.calls.push(`create ${spec.name}`);
    await this.process.sleep(spec.takesMs);
    this.objects.set(spec.name, { values: spec, readyMs: this.#world.elapsedMs + spec.pendingMs });
    const { address, ...told } = this.#seen(spec.name);
    return { id: spec.name, values: spec.silent ? told : { ...told, address: address as string } };
  }

  #seen(id: string): JsonObject {
    const object = this.objects.get(id);
    return { ...object?.values, toyId: id, address: `at ${id}`, ready: (object?.readyMs ?? 0) <= this.#world.elapsedMs };
  }
}

function compile(kind: AnyKind, toys: readonly Toy[]): CompiledStack {
  const keyOf = (name: string): ResourceKey => `Toy/${name}`;
  const resources = toys.map(
    ({ name, takesMs = 0, pendingMs = 0, needs = [], silent = false }): Resource => ({
      key: keyOf(name),
      kind: kind.id,
      spec: { name, takesMs, pendingMs, needs, silent },
      dependencies: needs.map((need) => ({ on: keyOf(need), field: "needs" })),
      lifecycle: LIFECYCLE_DEFAULTS,
      readyWhen: [],
      declaredAt: "",
    }),
  );
  return {
    stack: STACK,
    source: "toy",
    environment: {
      name: "test",
      confirm: {},
      drift: { mode: "correct", intervalMs: 0 },
      approval: { mode: "auto", allow: { replace: false, delete: false } },
    },
    resources,
    lookups: [],
    monitors: [],
    digest: "",
    resolve: ({ spec }, view) => ({
      ...spec,
      needs: (spec.needs as readonly string[]).map((need) => view(keyOf(need))?.address ?? unknown(`toy.${need}.address`)),
    }),
    readyWhen: () => ({ met: true }),
    outputs: () => ({}),
    liveOutputs: new Set(),
    summary: [],
    nextSteps: () => [],
  };
}
