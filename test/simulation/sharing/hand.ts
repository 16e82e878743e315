/** Somebody with a console, all the time: changes and deletes objects, and holds the controllers to putting them back in time. */

import type { VirtualWorld } from "../../support/virtual-runtime.ts";
import { Violation } from "../cloud.ts";
import { liveObjects, type SharedStack, SIZE } from "./stacks.ts";

type Act = { readonly stack: SharedStack; readonly resource: string; readonly atMs: number };

// One less than makes a war of it: what is undone five times within the hour is Contested.
const ACTS_PER_RESOURCE = 4;

/** See the file's header. */
export class Hand {
  violation: Violation | undefined;
  /** How long each change lived, in ms. */
  readonly livedMs: number[] = [];
  readonly #world: VirtualWorld;
  readonly #stacks: readonly SharedStack[];
  readonly #withinMs: number;
  readonly #acts = new Map<string, number>();
  #open: readonly Act[] = [];
  #resting = false;

  /** `withinMs`: a change that lives longer was missed. */
  constructor(world: VirtualWorld, stacks: readonly SharedStack[], withinMs: number) {
    this.#world = world;
    this.#stacks = stacks;
    this.#withinMs = withinMs;
  }

  /** Changes something every few seconds, until told to rest. */
  async play(): Promise<void> {
    while (!this.#resting) {
      await this.#world.sleep(this.#world.between(200, 4_000));
      if (!this.#resting) this.#act();
    }
  }

  rest(): void {
    this.#resting = true;
  }

  /** How many changes are not put back. */
  get open(): number {
    return this.#open.length;
  }

  /** After every step: what is as declared again has lived. */
  check(): void {
    const nowMs = this.#world.elapsedMs;
    this.#open = this.#open.filter((act) => {
      if (isDeclared(act)) this.livedMs.push(nowMs - act.atMs);
      else if (nowMs - act.atMs > this.#withinMs) {
        this.violation ??= new Violation(`a change of ${act.resource} of ${act.stack.name}, made at ${act.atMs} ms, was missed`);
        return true;
      } else return true;
      return false;
    });
  }

  #act(): void {
    const stack = this.#stacks[this.#world.between(0, this.#stacks.length - 1)] as SharedStack;
    const objects = liveObjects(stack).filter(({ tags }) => tags["beacon:resource"] !== undefined);
    const object = objects[this.#world.between(0, objects.length - 1)];
    const resource = object?.tags["beacon:resource"] ?? "";
    const name = `${stack.name} ${resource}`;
    const isBusy = this.#open.some((act) => act.stack === stack && act.resource === resource);
    if (!object || isBusy || (this.#acts.get(name) ?? 0) >= ACTS_PER_RESOURCE) return;
    this.#acts.set(name, (this.#acts.get(name) ?? 0) + 1);
    // What another object uses cannot be deleted.
    if (resource !== "Tagged/tagged" && this.#world.chance(0.2)) stack.cloud.handDelete(object.id);
    else stack.cloud.handChange(object.id, { size: SIZE + this.#world.between(1, 9) });
    this.#open = [...this.#open, { stack, resource, atMs: this.#world.elapsedMs }];
  }
}

function isDeclared({ stack, resource }: Act): boolean {
  return liveObjects(stack).some(({ tags, values }) => tags["beacon:resource"] === resource && values.size === SIZE);
}
