import type { AnyKind, Kinds } from "../../src/kind/kind.ts";
import type { Example } from "./example.ts";
import { type Ground, newGround } from "./ground.ts";
import type { Scenario } from "./scenarios.ts";
import { newStand } from "./stand.ts";
import { Subject } from "./subject.ts";

/** Where the scenarios of one kind run, one after the other: each in a fresh stack, most of them on one common ground. */
export class Place {
  readonly #kinds: Kinds;
  readonly #kind: AnyKind;
  readonly #example: Example;
  readonly #region: string;
  #ground: Ground | undefined;

  constructor(kinds: Kinds, kind: AnyKind, { example, region }: { readonly example: Example; readonly region: string }) {
    this.#kinds = kinds;
    this.#kind = kind;
    this.#example = example;
    this.#region = region;
  }

  async run({ whole, run }: Scenario): Promise<void> {
    this.#ground ??= await newGround(this.#kinds, this.#kind, this.#example, this.#region);
    const stand = await newStand(this.#kinds, this.#kind.name.toLowerCase().slice(0, 8), this.#region);
    try {
      await run(new Subject(stand.kinds.get(this.#kind.id) as AnyKind, whole ? this.#example : this.#ground.example, stand));
      await stand.settle(undefined, { destroy: true }, "clearing up");
    } catch (error) {
      // What a failed scenario leaves must not be in the way of the next.
      await this.#ground.close();
      this.#ground = undefined;
      throw error;
    } finally {
      await stand.close();
    }
  }

  async clear(): Promise<void> {
    await this.#ground?.clear();
  }
}
