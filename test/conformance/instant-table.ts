/** The item port in memory: exact, at once, and all of a write or none of it. */

import {
  ConditionFailed,
  type Item,
  type ItemKey,
  type QueryOptions,
  type Requirement,
  type Table,
  type Write,
} from "../../state/table.ts";

export class InstantTable implements Table {
  readonly #items = new Map<string, Item>();
  readonly #done = new Set<string>();

  async get(key: ItemKey): Promise<Item | undefined> {
    return this.#items.get(nameOf(key));
  }

  async getMany(keys: readonly ItemKey[]): Promise<readonly Item[]> {
    return keys.flatMap((key) => this.#items.get(nameOf(key)) ?? []);
  }

  async query(pk: string, { after, newestFirst = false, limit }: QueryOptions = {}): Promise<readonly Item[]> {
    const found = [...this.#items.values()]
      .filter((item) => item.pk === pk && (after === undefined || item.sk > after))
      .sort((left, right) => (left.sk < right.sk ? -1 : 1));
    return (newestFirst ? found.reverse() : found).slice(0, limit);
  }

  async write(writes: readonly Write[], token?: string): Promise<void> {
    if (token !== undefined && this.#done.has(token)) return;
    const failed = writes.flatMap((write, index) => (this.#allows(write) ? [] : [index]));
    if (failed.length > 0) throw new ConditionFailed(failed);
    for (const write of writes) {
      if ("put" in write) this.#items.set(nameOf(write.put), write.put);
      else this.#items.delete(nameOf(write.remove));
    }
    if (token !== undefined) this.#done.add(token);
  }

  #allows(write: Write): boolean {
    const stored = this.#items.get(nameOf("put" in write ? write.put : write.remove));
    return write.when?.some((requirement) => holds(requirement, stored)) ?? true;
  }
}

function nameOf({ pk, sk }: ItemKey): string {
  return `${pk} ${sk}`;
}

function holds(requirement: Requirement, stored: Item | undefined): boolean {
  if (requirement === "absent") return stored === undefined;
  return stored !== undefined && Object.entries(requirement).every(([name, value]) => stored[name] === value);
}
