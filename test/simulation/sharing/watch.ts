/** Watches the table while replicas share it: who holds which stack, since when, and that nobody else does anything to it. */

import type { MemoryTable, TableCall } from "../../support/memory-table.ts";
import type { VirtualWorld } from "../../support/virtual-runtime.ts";
import { Violation } from "../cloud.ts";

/** A lease as it lies in the table. `holder`: the process; undefined while it is free. */
type Held = { readonly epoch: number; readonly owner: unknown; readonly holder: string | undefined; readonly sinceMs: number };

/** A stack came into other hands. */
export type Taking = { readonly stack: string; readonly by: string; readonly atMs: number };

const STACK = "stack#";

/** See the file's header. */
export class SharingWatch {
  violation: Violation | undefined;
  /** Every lease that was ever taken, in order. */
  readonly takings: Taking[] = [];
  readonly #world: VirtualWorld;
  readonly #leases = new Map<string, Held>();

  constructor(world: VirtualWorld, table: MemoryTable) {
    this.#world = world;
    table.onEffect = (call) => this.#onEffect(call);
  }

  /** Who holds the stack now. */
  holderOf(stack: string): string | undefined {
    return this.#leases.get(stack)?.holder;
  }

  /** The stacks of a process. */
  heldBy(holder: string): readonly string[] {
    return [...this.#leases].flatMap(([stack, lease]) => (lease.holder === holder ? [stack] : []));
  }

  /** The only one who may start a call for the stack is the holder of the newest epoch. */
  requireHolder(stack: string, sender: string, epoch: number): void {
    const lease = this.#leases.get(stack);
    if (lease?.epoch === epoch && lease.holder === sender) return;
    this.#violated(
      `${sender} started a call for ${stack} with epoch ${epoch}, and ${lease?.holder ?? "nobody"} holds it with ${lease?.epoch}`,
    );
  }

  #onEffect({ writes, process }: TableCall): void {
    const items = writes.flatMap((write) => ("put" in write ? [write.put] : []));
    for (const lease of items.filter(({ pk, sk }) => pk.startsWith(STACK) && sk === "lease")) {
      const stack = lease.pk.slice(STACK.length);
      const before = this.#leases.get(stack);
      const [epoch, owner] = [Number(lease.epoch), lease.owner];
      const isLate = before && (epoch < before.epoch || (epoch === before.epoch && owner !== before.owner));
      if (isLate) this.#violated(`${process.name} wrote to ${stack} with epoch ${epoch} after epoch ${before.epoch} began`);
      if (before?.epoch !== epoch) {
        this.takings.push({ stack, by: process.name, atMs: this.#world.elapsedMs });
        this.#world.note(`${process.name}: takes ${stack}, epoch ${epoch}`);
      }
      this.#leases.set(stack, { epoch, owner, holder: lease.free ? undefined : process.name, sinceMs: this.#world.elapsedMs });
    }
    const leased = new Set(items.filter(({ sk }) => sk === "lease").map(({ pk }) => pk));
    const bare = items.find(({ pk, sk }) => pk.startsWith(STACK) && /^(record|status)/.test(sk) && !leased.has(pk));
    if (bare) this.#violated(`${process.name} wrote ${bare.sk} of ${bare.pk} without its lease`);
  }

  #violated(message: string): void {
    this.violation ??= new Violation(message);
  }
}
