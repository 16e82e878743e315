/** What must hold of the simulated world, whatever happened to it. */

import { parseOwnership, TAG_GENERATION, TAG_RESOURCE, TAG_UID } from "../../src/aws/tags.ts";
import type { MemoryTable, TableCall } from "../support/memory-table.ts";
import { type Cloud, isLive, Violation } from "./cloud.ts";
import type { Declared, Manifest } from "./manifests.ts";

/** Watches the table: no write of a deposed engine may take effect. */
export class LeaseWatch {
  #owner: unknown;
  #epoch = 0;
  violation: Violation | undefined;

  constructor(table: MemoryTable) {
    table.onEffect = (call) => this.#onEffect(call);
  }

  /** The table was lost, and epochs begin anew. */
  forget(): void {
    this.#epoch = 0;
  }

  /** No call is started by an engine once another has the lease. */
  requireHolder(name: string, epoch: number): void {
    if (epoch < this.#epoch)
      this.violation ??= new Violation(`${name} started a call with epoch ${epoch} after epoch ${this.#epoch} began`);
  }

  #onEffect({ writes, process }: TableCall): void {
    const leaseOf = writes.flatMap((write) => ("put" in write && write.put.sk === "lease" ? [write.put] : []))[0];
    const others = writes.some((write) => ("put" in write ? write.put.sk : write.remove.sk) !== "lease");
    if (!leaseOf) {
      if (others) this.violation ??= new Violation(`${process.name} wrote to the table without its lease`);
      return;
    }
    const epoch = Number(leaseOf.epoch);
    const stale = epoch < this.#epoch || (epoch === this.#epoch && leaseOf.owner !== this.#owner);
    if (stale) this.violation ??= new Violation(`${process.name} wrote with epoch ${epoch} after epoch ${this.#epoch} began`);
    [this.#owner, this.#epoch] = [leaseOf.owner, epoch];
  }
}

/** At rest: one live object per uid and generation, and one per declared resource. Throws a {@link Violation}. */
export function assertOneOfEach(cloud: Cloud, manifest: Manifest): void {
  const live = cloud.present().filter(({ state, object }) => isLive(state) && !object.foreign);
  const twins = groups(live.map(({ id, tags }) => [`${tags[TAG_UID]} generation ${tags[TAG_GENERATION]}`, id]));
  for (const [what, ids] of twins) if (ids.length > 1) throw new Violation(`${ids.join(" and ")} are both ${what}`);
  const ofResource = groups(live.map(({ id, tags }) => [String(tags[TAG_RESOURCE]), id]));
  for (const { key } of manifest) {
    const ids = ofResource.get(key) ?? [];
    if (ids.length !== 1) throw new Violation(`${key} has ${ids.length} objects: ${ids.join(", ")}`);
  }
  const declared = new Set<string>(manifest.map(({ key }) => key));
  for (const { id, tags } of live) {
    const owner = parseOwnership(tags);
    if (!owner) throw new Violation(`${id} was made by an engine, and nobody owns it`);
    const leftOver = !declared.has(owner.resource) && owner.deletion === "delete";
    if (leftOver) throw new Violation(`${id} of ${owner.resource} is left over`);
  }
}

function groups(pairs: readonly (readonly [string, string])[]): Map<string, string[]> {
  const grouped = new Map<string, string[]>();
  for (const [key, value] of pairs) grouped.set(key, [...(grouped.get(key) ?? []), value]);
  return grouped;
}

/** Every declared field is what the cloud has. Throws a {@link Violation}. */
export function assertAsDeclared(cloud: Cloud, manifest: Manifest): void {
  const live = cloud.present().filter(({ state, object }) => isLive(state) && !object.foreign);
  const byKey = new Map(live.map((seen) => [seen.tags[TAG_RESOURCE], seen]));
  const idOf = (key: string) => byKey.get(key)?.id;
  for (const declared of manifest) {
    const seen = byKey.get(declared.key);
    for (const [field, value] of Object.entries(wantedOf(declared, idOf))) {
      const actual = seen?.values[field] ?? null;
      if (JSON.stringify(sorted(actual)) === JSON.stringify(sorted(value ?? null))) continue;
      throw new Violation(`${declared.key}.${field} is ${JSON.stringify(actual)}, and was declared as ${JSON.stringify(value)}`);
    }
  }
}

function wantedOf(declared: Declared, idOf: (key: string) => string | undefined): Record<string, unknown> {
  return {
    mode: declared.mode,
    size: declared.size,
    ...(declared.note ? { note: declared.note } : {}),
    ...(declared.parent ? { parent: idOf(declared.parent) } : {}),
    ...(declared.links.length > 0 ? { links: declared.links.map(idOf) } : {}),
    ...(declared.peers.length > 0 ? { peers: declared.peers.map(idOf) } : {}),
  };
}

function sorted(value: unknown): unknown {
  return Array.isArray(value) ? [...value].sort() : value;
}
