/**
 * One seed's story: a few revisions, each applied amid faults, crashes, rivals and an outside hand; then a calm end in which
 * everything must come right, and stay silent.
 */

import { TAG_RESOURCE } from "../../src/aws/tags.ts";
import { equal, type Json, type JsonObject } from "../../src/core/json.ts";
import { stackName } from "../../src/core/resource.ts";
import { stackPartition, stateOf } from "../../state/items.ts";
import { MemoryTable, type TableFault } from "../support/memory-table.ts";
import { type VirtualProcess, VirtualWorld } from "../support/virtual-runtime.ts";
import { Cloud, isLive, Violation } from "./cloud.ts";
import { type ApplyEnd, apply } from "./engine.ts";
import type { CallFault, FaultRates, Way } from "./handle.ts";
import { assertAsDeclared, assertOneOfEach, LeaseWatch } from "./invariants.ts";
import { WINDOW_MS } from "./kinds.ts";
import { firstManifest, type Manifest, nextManifest, reasonable, STACK } from "./manifests.ts";

/** What a seed was. */
export type Story = { readonly trace: readonly string[]; readonly virtualMs: number; readonly applies: number };

const CALM: FaultRates = { throttled: 0, unsent: 0, "error before": 0, "error after": 0, lost: 0, late: 0 };
const FOREIGN_TAGS = { "beacon:stack": "other/prod", "beacon:resource": "Named/r1", "beacon:uid": "x", "beacon:generation": "1" };
const TABLE_FAULTS: readonly TableFault[] = ["error before", "error after", "throttled", "conflict", "lost", "slow"];
/** SigV4 refuses a request whose clock is off by more than five minutes: no working machine's is. */
const SKEW_MAX_MS = 300_000;
/** Longer than any lease's TTL, so that a frozen engine wakes deposed. */
const LONG_FREEZE_MS = 40_000;

/** Runs one seed to its end. Throws with the seed and the whole trace when anything is not as it must be. */
export async function simulate(seed: number): Promise<Story> {
  const scenario = new Scenario(seed);
  const { world } = scenario;
  try {
    await world.run(() => scenario.play(), { onStep: () => scenario.check() });
    return { trace: world.trace, virtualMs: world.elapsedMs, applies: scenario.applies };
  } catch (error) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    throw new Error(`seed ${seed}: ${text}\n\n${world.trace.join("\n")}\n\nreplay: SEED=${seed} npm run simulation`, { cause: error });
  }
}

class Scenario {
  readonly world: VirtualWorld;
  applies = 0;
  readonly #cloud: Cloud;
  readonly #table: MemoryTable;
  readonly #watch: LeaseWatch;
  readonly #callFaults: FaultRates;
  readonly #tableFaultRate: number;
  #calm = false;
  #engines = 0;
  #handActs = 0;
  #manifest: Manifest;

  constructor(seed: number) {
    const world = new VirtualWorld(seed);
    this.world = world;
    this.#cloud = new Cloud(world, {
      lagMaxMs: WINDOW_MS * 0.7,
      staleRate: rate(world, 0.4),
      pendingRate: rate(world, 0.6),
      failRate: rate(world, 0.2),
      slowDeleteRate: rate(world, 0.5),
      propagatingRate: rate(world, 0.3),
    });
    this.#table = new MemoryTable(world, {
      fault: () =>
        !this.#calm && world.chance(this.#tableFaultRate) ? TABLE_FAULTS[world.between(0, TABLE_FAULTS.length - 1)] : undefined,
    });
    this.#watch = new LeaseWatch(this.#table);
    this.#callFaults = Object.fromEntries(Object.keys(CALM).map((fault) => [fault, rate(world, 0.12)])) as Record<CallFault, number>;
    this.#tableFaultRate = rate(world, 0.1);
    this.#manifest = firstManifest(world);
  }

  /** After every step. */
  check(): void {
    const violation = this.#cloud.violation ?? this.#watch.violation;
    if (violation) throw violation;
  }

  async play(): Promise<void> {
    for (let chapters = this.world.between(1, 4); chapters > 0; chapters--) {
      this.world.note(`----- revision ${JSON.stringify(this.#manifest)}`);
      const hand = this.#hand();
      await this.#chapter();
      await hand;
      await this.#swap();
      this.#manifest = nextManifest(this.world, this.#manifest);
      this.#squat();
    }
    await this.#calmEnd();
  }

  #chapter(): Promise<void> {
    const { world } = this;
    switch (world.between(1, 6)) {
      case 1:
        return this.#crash();
      case 2:
        return this.#duel();
      case 3:
        return this.#freeze();
      case 4:
        return this.#interrupt();
      case 5:
        return this.#alone().then(() => this.#loseState());
      default:
        return this.#alone();
    }
  }

  async #alone(): Promise<void> {
    await this.#apply(this.#process(), { wait: false });
  }

  async #crash(): Promise<void> {
    const process = this.#process();
    const sends = this.world.chance(0.5) ? this.world.between(1, 12) : 0;
    if (sends === 0) void this.world.sleep(this.world.between(0, 20_000)).then(() => process.kill());
    await this.#apply(process, { wait: false, onSend: counting(sends, () => process.kill()) });
    if (this.world.chance(0.5)) await this.#alone();
  }

  async #duel(): Promise<void> {
    const wait = this.world.chance(0.5);
    const rival = this.world.sleep(this.world.between(0, 5_000)).then(() => this.#apply(this.#process(), { wait }));
    await Promise.all([this.#apply(this.#process(), { wait: true }), rival]);
  }

  /** A frozen engine is deposed by one with the next revision, and wakes. */
  async #freeze(): Promise<void> {
    const { world } = this;
    const frozen = this.#process();
    const freeze = () => {
      frozen.freeze();
      void world.sleep(world.between(1_000, LONG_FREEZE_MS)).then(() => frozen.thaw());
    };
    const sends = world.chance(0.7) ? world.between(1, 12) : 0;
    if (sends === 0) void world.sleep(world.between(0, 20_000)).then(freeze);
    const first = this.#apply(frozen, { wait: false, onSend: counting(sends, freeze) });
    await world.sleep(world.between(0, 20_000));
    this.#manifest = nextManifest(world, this.#manifest);
    world.note(`----- revision ${JSON.stringify(this.#manifest)}`);
    const [old, newer] = await Promise.all([first, this.#apply(this.#process(), { wait: true })]);
    if (old.type === "lost") this.#requireLasting(newer);
  }

  // Whatever a deposed engine sent late: what the newer one brought about is there, and is there once.
  #requireLasting(end: ApplyEnd): void {
    if (this.#handActs > 0 || end.type !== "done" || end.report.results.some(({ outcome }) => outcome !== "done")) return;
    assertOneOfEach(this.#cloud, this.#manifest);
    assertAsDeclared(this.#cloud, this.#manifest);
  }

  async #interrupt(): Promise<void> {
    const stop = new AbortController();
    void this.world.sleep(this.world.between(0, 10_000)).then(() => stop.abort(new Error("SIGINT")));
    await this.#apply(this.#process(), { wait: false, stop: stop.signal });
  }

  // Only what AWS shows can be found again: the state is lost when everything is there to be seen.
  async #loseState(): Promise<void> {
    if (!this.world.chance(0.3)) return;
    await this.world.sleep(2 * LONG_FREEZE_MS);
    const end = await this.#calmApply();
    if (end.type !== "done" || end.report.results.some(({ outcome }) => outcome !== "done")) return;
    await this.world.sleep(2 * WINDOW_MS);
    this.#table.clear();
    this.#watch.forget();
    this.world.note("STATE lost");
    const { effects } = this.#cloud;
    this.#requireDone(await this.#calmApply());
    if (this.#cloud.effects !== effects) throw new Violation("rebuilding the records changed something");
  }

  async #calmApply(): Promise<ApplyEnd> {
    this.#calm = true;
    const end = await this.#apply(this.#process(), { wait: true });
    this.#calm = false;
    return end;
  }

  async #apply(
    process: VirtualProcess,
    options: { wait: boolean; onSend?: (process: VirtualProcess) => void; stop?: AbortSignal },
  ): Promise<ApplyEnd> {
    this.applies += 1;
    const { wait, onSend = () => {}, stop } = options;
    const sending = (sender: VirtualProcess, epoch: number) => {
      this.#watch.requireHolder(sender.name, epoch);
      onSend(sender);
    };
    const way: Way = { cloud: this.#cloud, process, faults: () => (this.#calm ? CALM : this.#callFaults), onSend: sending };
    const request = { way, table: this.#table, manifest: this.#manifest, wait, ...(stop ? { stop } : {}) };
    const killed = process.killed.then((): ApplyEnd => ({ type: "failed", message: "killed" }));
    const end = await Promise.race([apply(request), killed]);
    this.world.note(`${process.name}: ${summary(end)}`);
    return end;
  }

  #process(): VirtualProcess {
    const { world } = this;
    this.#engines += 1;
    return world.process(`E${this.#engines}`, {
      skewMs: world.between(-SKEW_MAX_MS, SKEW_MAX_MS),
      rate: 1 + (world.random() - 0.5) / 100,
    });
  }

  /** Somebody with a console. */
  async #hand(): Promise<void> {
    const { world } = this;
    this.#handActs = world.chance(0.5) ? world.between(1, 4) : 0;
    for (let acts = this.#handActs; acts > 0; acts--) {
      await world.sleep(world.between(0, 15_000));
      this.#handAct();
    }
  }

  #handAct(): void {
    const { world } = this;
    const cloud = this.#cloud;
    const bound = [...this.#state().records.values()].flatMap((record) =>
      record.id && record.lifecycle.deletion === "delete" ? [record.id] : [],
    );
    const id = bound[world.between(0, bound.length - 1)];
    switch (world.between(1, 5)) {
      case 1:
        cloud.handCreate("named", likeOurs(this.#freshName()), world.chance(0.5) ? {} : FOREIGN_TAGS);
        return;
      case 2:
        if (id) cloud.handUntag(id);
        return;
      case 3:
        if (id) cloud.handDelete(id);
        return;
      default:
        if (id) cloud.handChange(id, world.chance(0.5) ? { size: 99 } : { note: "by hand" });
    }
  }

  // Somebody is first.
  #squat(): void {
    if (!this.world.chance(0.1)) return;
    this.#cloud.handCreate("named", likeOurs(this.#freshName()), this.world.chance(0.5) ? {} : FOREIGN_TAGS);
  }

  // One that a resource may want, and that was never ours.
  #freshName(): string {
    const { world } = this;
    const ours = new Set(this.#cloud.objects().map(({ id }) => id));
    const wanted = this.#manifest.filter(({ key }) => key.startsWith("Named")).map(({ key, name }) => name ?? `sim-test-${key.slice(6)}`);
    const name = wanted[world.between(0, wanted.length)] ?? `${world.chance(0.5) ? "given" : "sim-test"}-r${world.between(1, 9)}`;
    return ours.has(`name:${name}`) ? `${name}-never-wanted` : name;
  }

  /**
   * Somebody takes the name of one of our objects, between two runs: its tags say whose it is. (Without tags, it could not
   * be told from ours with its tags lost; in the middle of a run, nothing but AWS itself could keep a call from it.)
   */
  async #swap(): Promise<void> {
    const named = [...this.#state().records.values()].filter(
      ({ id, lifecycle }) => id?.startsWith("name:") && lifecycle.deletion === "delete",
    );
    const record = named[this.world.between(0, named.length - 1)];
    if (!record || !this.world.chance(0.1)) return;
    await this.world.sleep(2 * WINDOW_MS);
    this.#cloud.handDelete(record.id ?? "");
    this.#cloud.handCreate("named", likeOurs(record.observed.name), FOREIGN_TAGS);
    await this.world.sleep(WINDOW_MS);
  }

  #state() {
    return stateOf(this.#table.items.filter(({ pk }) => pk === stackPartition(STACK)));
  }

  /** No more faults, no rivals, no hand: one apply brings everything about, and the next has nothing to do. */
  async #calmEnd(): Promise<void> {
    const cloud = this.#cloud;
    this.#calm = true;
    cloud.settings = { ...cloud.settings, staleRate: 0 };
    await this.world.sleep(2 * LONG_FREEZE_MS);
    for (const { id, object } of cloud.present()) if (object.foreign) cloud.handDelete(id);
    await this.world.sleep(2 * WINDOW_MS);
    this.#manifest = reasonable(this.#manifest, (key) => modeOf(cloud, key));
    this.world.note(`----- the end ${JSON.stringify(this.#manifest)}`);
    this.#requireDone(await this.#apply(this.#process(), { wait: false }));
    assertOneOfEach(cloud, this.#manifest);
    assertAsDeclared(cloud, this.#manifest);
    await this.world.sleep(2 * WINDOW_MS);
    await this.#silence();
  }

  async #silence(): Promise<void> {
    const [effects, writes, before] = [this.#cloud.effects, this.#table.effects.length, this.#state().records];
    this.#requireDone(await this.#apply(this.#process(), { wait: false }));
    if (this.#cloud.effects !== effects) throw new Violation("a second apply changed something");
    const records = this.#table.effects
      .slice(writes)
      .flatMap(({ writes: made }) => made.map((write) => ("put" in write ? write.put.sk : write.remove.sk)));
    const noise = records.filter((sk) => sk !== "lease");
    if (noise.length === 0) return;
    const differing = [...this.#state().records.values()].filter(
      (record) => !equal(record as unknown as Json, before.get(record.key) as unknown as Json),
    );
    const change = differing.map((record) => `${JSON.stringify(before.get(record.key))} became ${JSON.stringify(record)}`);
    throw new Violation(`a second apply wrote ${noise.join(", ")} of ${stackName(STACK)}: ${change.join("; ")}`);
  }

  #requireDone(end: ApplyEnd): void {
    if (end.type !== "done") throw new Violation(`the calm apply ended as ${end.type}: ${end.message}`);
    const undone = end.report.results.filter(({ outcome, reason }) => outcome !== "done" && reason !== "Protected");
    if (undone.length > 0) throw new Violation(`the calm apply left ${JSON.stringify(undone)}`);
  }
}

function modeOf(cloud: Cloud, key: string): string | undefined {
  const mode = cloud.present().find(({ tags, state }) => isLive(state) && tags[TAG_RESOURCE] === key)?.values.mode;
  return typeof mode === "string" ? mode : undefined;
}

// Nothing but its tags tells it from one of ours.
function likeOurs(name: Json | undefined): JsonObject {
  return { ...(name === undefined ? {} : { name }), mode: "m1", size: 7 };
}

/** From none at all, so that some seeds are free of a trouble, to `most`. */
function rate(world: VirtualWorld, most: number): number {
  return world.chance(0.4) ? 0 : world.random() * most;
}

/** Acts at the n-th send; never when `at` is 0. */
function counting(at: number, act: () => void): () => void {
  let sends = 0;
  return () => {
    sends += 1;
    if (sends === at) act();
  };
}

function summary(end: ApplyEnd): string {
  if (end.type !== "done") return `${end.type}: ${end.message}`;
  const results = end.report.results.map(
    ({ key, outcome, reason, message }) => `${key} ${outcome}${outcome === "done" ? "" : ` ${reason}: ${message}`}`,
  );
  return `${end.report.interrupted ? "interrupted; " : ""}${results.join(", ") || "nothing to do"}`;
}
