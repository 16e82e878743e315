/**
 * One seed of the simulation of replicas: a few controllers share a dozen stacks, and everything happens to them.
 *
 * Replicas are killed, frozen, cut off from the table, stopped, added, rolled over, one trouble after the other, with clocks
 * that are minutes apart, while a hand changes objects all the time. After each trouble the stacks must be in live hands within
 * the time that is promised, evenly, with no move too many, and then stay where they are.
 */

import { TableStore, TTL_MS } from "../../../state/store.ts";
import { MemoryTable, type TableCall, type TableFault } from "../../support/memory-table.ts";
import { VirtualWorld } from "../../support/virtual-runtime.ts";
import { Violation } from "../cloud.ts";
import type { FaultRates } from "../handle.ts";
import { WINDOW_MS } from "../kinds.ts";
import { Hand } from "./hand.ts";
import { PACE, Replica } from "./replica.ts";
import { acceptFirst, liveObjects, type SharedStack, SIZE, sharedStacks } from "./stacks.ts";
import { SharingWatch } from "./watch.ts";

/** What a seed was. Times in virtual ms. */
export type SharingStory = {
  readonly trace: readonly string[];
  /** With faults of calls and of the table, beside the troubles of the replicas. */
  readonly isHard: boolean;
  readonly virtualMs: number;
  /** From a replica's end to each of its stacks in other hands. */
  readonly takeoverMs: readonly number[];
  /** The same, where it was told to stop. */
  readonly handoverMs: readonly number[];
  /** How long changes lived. */
  readonly driftMs: readonly number[];
  /** From a change of the replicas to the last stack that moved. */
  readonly settledMs: readonly number[];
};

const STACKS = 12;
const REPLICAS = 3;
const SKEW_MAX_MS = 300_000;
const TABLE_FAULTS: readonly TableFault[] = ["error before", "error after", "throttled", "conflict", "lost", "slow"];
/** From a crash to the last stack taken over: the promise. */
const TAKEOVER_MAX_MS = TTL_MS + 2_000;
const HANDOVER_MAX_MS = 2_000;
// A newcomer is seen with the next beat at the latest, and every stack that moves is let go and taken within looks of a second.
const SETTLE_MAX_MS = TTL_MS / 3 + 4_000;
// How long a call is waited for that has no answer, and as long again for the pauses before it is asked once more.
const TABLE_TIMEOUT_MS = 6_000;
// A call to the table that has no answer is given up after 4 s, and asked again.
const FAULTS_COST_MS = 12_000;
// As long as a newcomer takes a dead member for one that may share the rates.
const QUIET_MS = TTL_MS + 2_000;

/** Runs one seed to its end. Throws with the seed and the whole trace when anything is not as it must be. */
export async function simulateSharing(seed: number): Promise<SharingStory> {
  const scenario = new SharingScenario(seed);
  const { world } = scenario;
  try {
    await world.run(() => scenario.play(), { onStep: () => scenario.check() });
    return scenario.story();
  } catch (error) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    throw new Error(`seed ${seed}: ${text}\n\n${world.trace.join("\n")}\n\nreplay: SCENARIO=sharing SEED=${seed} npm run simulation`, {
      cause: error,
    });
  }
}

class SharingScenario {
  readonly world: VirtualWorld;
  readonly #table: MemoryTable;
  readonly #stacks: readonly SharedStack[];
  readonly #watch: SharingWatch;
  readonly #hand: Hand;
  readonly #callFaults: FaultRates;
  readonly #tableFaultRate: number;
  #calm = false;
  /** Processes that do not reach the table. */
  readonly #cutOff = new Set<string>();
  #replicas: readonly Replica[] = [];
  #started = 0;
  readonly #takeoverMs: number[] = [];
  readonly #handoverMs: number[] = [];
  readonly #settledMs: number[] = [];

  constructor(seed: number) {
    const world = new VirtualWorld(seed);
    this.world = world;
    const isHard = world.chance(0.5);
    this.#tableFaultRate = isHard ? world.random() * 0.03 : 0;
    const rate = () => (isHard ? world.random() * 0.04 : 0);
    this.#callFaults = { throttled: rate(), unsent: rate(), "error before": rate(), "error after": rate(), lost: rate(), late: rate() };
    this.#table = new MemoryTable(world, { fault: (call) => this.#tableFault(call) });
    this.#stacks = sharedStacks(world, STACKS, {
      lagMaxMs: WINDOW_MS * 0.7,
      staleRate: isHard ? 0.2 : 0,
      pendingRate: 0.3,
      failRate: 0,
      slowDeleteRate: 0.3,
      propagatingRate: isHard ? 0.2 : 0,
    });
    this.#watch = new SharingWatch(world, this.#table);
    this.#hand = new Hand(world, this.#stacks, PACE.intervalMs + TTL_MS + WINDOW_MS + 10_000 + this.#cost(2 * FAULTS_COST_MS));
  }

  story(): SharingStory {
    return {
      trace: this.world.trace,
      isHard: this.#tableFaultRate > 0,
      virtualMs: this.world.elapsedMs,
      takeoverMs: this.#takeoverMs,
      handoverMs: this.#handoverMs,
      driftMs: this.#hand.livedMs,
      settledMs: this.#settledMs,
    };
  }

  /** After every step. */
  check(): void {
    this.#hand.check();
    const violation = this.#watch.violation ?? this.#hand.violation ?? this.#stacks.find(({ cloud }) => cloud.violation)?.cloud.violation;
    if (violation) throw violation;
  }

  async play(): Promise<void> {
    const { world } = this;
    const store = new TableStore(this.#table.connect(world.process("apply")), world.process("apply"));
    this.#calm = true;
    for (const stack of this.#stacks) await acceptFirst(store, stack);
    this.#calm = false;
    for (let n = 0; n < REPLICAS; n++) {
      this.#start();
      await world.sleep(world.between(0, 3_000));
    }
    await this.#settled("the start", 0);
    await world.sleep(3 * PACE.verifyMs);
    const playing = this.#hand.play();
    for (let chapters = world.between(2, 4); chapters > 0; chapters--) await this.#chapter();
    this.#hand.rest();
    await playing;
    await this.#calmEnd();
  }

  #chapter(): Promise<void> {
    switch (this.world.between(1, 9)) {
      case 1:
        return this.#kill();
      case 2:
        return this.#freeze();
      case 3:
        return this.#cut();
      case 4:
        return this.#join();
      case 5:
        return this.#leave();
      case 6:
        return this.#roll();
      case 7:
        return this.#killTwo();
      case 8:
        return this.#borrow();
      default:
        return this.#pauseShortly();
    }
  }

  async #kill(): Promise<void> {
    const victim = this.#any();
    await this.#without(victim, "a kill", () => victim.process.kill());
    if (this.#replicas.length < REPLICAS || this.world.chance(0.5)) await this.#join();
  }

  async #killTwo(): Promise<void> {
    if (this.#replicas.length < 3) await this.#join();
    const also = this.#any();
    const victim = this.#replicas.find((replica) => replica !== also) ?? this.#start();
    this.#replicas = this.#replicas.filter((replica) => replica !== also);
    await this.#without(victim, `a kill, with ${also.process.name},`, () => {
      victim.process.kill();
      also.process.kill();
    });
    await this.#join();
  }

  /** Somebody with a clock of his own asks for a stack, has it for a while, and gives it back. */
  async #borrow(): Promise<void> {
    const { world } = this;
    const stack = this.#stacks[world.between(0, STACKS - 1)] as SharedStack;
    const process = world.process(`apply ${stack.name}`, { skewMs: world.between(-SKEW_MAX_MS, SKEW_MAX_MS) });
    const store = new TableStore(this.#table.connect(process), process);
    const time = (afterMs: number) => new Date(process.now() + afterMs).toISOString();
    const request = { type: "yield", by: process.name, at: time(0), until: time(60_000) } as const;
    world.note(`----- ${process.name} asks for it`);
    const askedMs = world.elapsedMs;
    await store.ask(stack.stack, request);
    const lease = await store.acquire(stack.stack, { holder: process.name, wait: true });
    const waitedMs = world.elapsedMs - askedMs;
    // A pass that is under way ends its calls first.
    const mostMs = PACE.newsMs + 4_000 + this.#cost(FAULTS_COST_MS + TTL_MS);
    if (waitedMs > mostMs) throw new Violation(`${process.name} waited ${waitedMs} ms for a lease that it had asked for`);
    await world.sleep(world.between(1_000, 20_000));
    if (this.#watch.holderOf(stack.name) !== process.name) throw new Violation(`${stack.name} was taken from ${process.name}`);
    await store.withdraw(stack.stack, [request]);
    await lease.release();
    await this.#settled("a loan", world.elapsedMs);
  }

  async #freeze(): Promise<void> {
    const victim = this.#any();
    await this.#without(victim, "a freeze", () => victim.process.freeze());
    await this.world.sleep(this.world.between(0, 30_000));
    await this.#with(victim, "a thaw", () => victim.process.thaw());
  }

  async #cut(): Promise<void> {
    const victim = this.#any();
    await this.#without(victim, "a cut", () => this.#cutOff.add(victim.process.name));
    await this.world.sleep(this.world.between(0, 30_000));
    // A call that is under way is given up first.
    await this.#with(victim, "a mend", () => this.#cutOff.delete(victim.process.name), TABLE_TIMEOUT_MS);
  }

  async #join(): Promise<void> {
    if (this.#replicas.length > REPLICAS) return this.#leave();
    await this.#with(this.#start(), "a start", () => {});
  }

  async #leave(): Promise<void> {
    if (this.#replicas.length < 2) return this.#join();
    await this.#stop(this.#any());
  }

  /** One after the other is stopped, and another started. */
  async #roll(): Promise<void> {
    if (this.#replicas.length < 2) await this.#join();
    for (const replica of [...this.#replicas]) {
      await this.#stop(replica);
      await this.#with(this.#start(), "a rolling start", () => {});
    }
  }

  /** Less than it takes to lose a lease: nothing moves. */
  async #pauseShortly(): Promise<void> {
    const victim = this.#any();
    const before = this.#watch.takings.length;
    victim.process.freeze();
    await this.world.sleep(this.world.between(100, TTL_MS / 3));
    victim.process.thaw();
    await this.world.sleep(QUIET_MS);
    this.#requireStill(before, "a short pause");
  }

  async #stop(replica: Replica): Promise<void> {
    const [held, atMs] = [this.#watch.heldBy(replica.process.name), this.world.elapsedMs];
    const before = this.#watch.takings.length;
    this.world.note(`----- ${replica.process.name} is told to stop`);
    this.#replicas = this.#replicas.filter((one) => one !== replica);
    replica.stop();
    await replica.ended;
    // The process ends with it: what it had not done by now is never done.
    replica.process.kill();
    const left = this.#watch.heldBy(replica.process.name);
    if (this.#tableFaultRate === 0 && left.length > 0) throw new Violation(`${replica.process.name} ended, and holds ${left.join(", ")}`);
    await this.#settled("a stop", atMs);
    this.#noteTaken(this.#handoverMs, {
      held,
      atMs,
      before,
      mostMs: HANDOVER_MAX_MS + this.#cost(TTL_MS + FAULTS_COST_MS),
      what: "a stop",
    });
  }

  /** `end` ends a replica in some way: its stacks are taken over in time. */
  async #without(victim: Replica, what: string, end: () => void): Promise<void> {
    const [held, atMs] = [this.#watch.heldBy(victim.process.name), this.world.elapsedMs];
    const before = this.#watch.takings.length;
    this.world.note(`----- ${what} of ${victim.process.name}, which holds ${held.join(", ")}`);
    this.#replicas = this.#replicas.filter((one) => one !== victim);
    end();
    if (this.#replicas.length === 0) this.#start();
    await this.#settled(what, atMs, TTL_MS);
    this.#noteTaken(this.#takeoverMs, { held, atMs, before, mostMs: TAKEOVER_MAX_MS + this.#cost(FAULTS_COST_MS), what });
  }

  /** `begin` brings a replica in: it gets its share, and no stack moves that need not. */
  async #with(newcomer: Replica, what: string, begin: () => void, moreMs = 0): Promise<void> {
    const loads = this.#replicas.map(({ process }) => this.#watch.heldBy(process.name).length);
    const [before, atMs] = [this.#watch.takings.length, this.world.elapsedMs];
    this.world.note(`----- ${what} of ${newcomer.process.name}`);
    if (!this.#replicas.includes(newcomer)) this.#replicas = [...this.#replicas, newcomer];
    begin();
    await this.#settled(what, atMs, moreMs);
    const moves = this.#watch.takings.length - before;
    const least = leastMoves([...loads, 0].slice(0, this.#replicas.length));
    if (this.#tableFaultRate === 0 && moves > least)
      throw new Violation(`${what} moved ${moves} stacks, and ${least} would have been enough`);
  }

  #noteTaken(
    into: number[],
    { held, atMs, before, mostMs, what }: { held: readonly string[]; atMs: number; before: number; mostMs: number; what: string },
  ): void {
    const taken = new Map(
      this.#watch.takings
        .slice(before)
        .toReversed()
        .map(({ stack, atMs: at }) => [stack, at - atMs]),
    );
    for (const stack of held) {
      const ms = taken.get(stack) ?? Number.POSITIVE_INFINITY;
      into.push(ms);
      if (ms > mostMs) throw new Violation(`${stack} was taken ${ms} ms after ${what}`);
    }
  }

  /** Waits until every stack is held, evenly, by live replicas; then nothing moves any more. */
  async #settled(what: string, sinceMs: number, moreMs = 0): Promise<void> {
    const { world } = this;
    const untilMs = world.elapsedMs + SETTLE_MAX_MS + moreMs + this.#cost(TTL_MS + FAULTS_COST_MS);
    while (!this.#isEven()) {
      if (world.elapsedMs > untilMs) throw new Violation(`${what} was not over: ${this.#shown()}`);
      await world.sleep(100);
    }
    if (this.#tableFaultRate > 0) return;
    const before = this.#watch.takings.length;
    this.#settledMs.push(world.elapsedMs - sinceMs);
    await world.sleep(QUIET_MS);
    this.#requireStill(before, what);
    for (const { process, count } of this.#replicas)
      if (count !== this.#replicas.length)
        throw new Violation(`${process.name} takes 1/${count} of the rates, and ${this.#replicas.length} share them`);
  }

  #requireStill(before: number, what: string): void {
    const moved = this.#watch.takings.slice(before);
    if (this.#tableFaultRate === 0 && moved.length > 0)
      throw new Violation(`after ${what}, ${moved.map(({ stack, by }) => `${stack} went to ${by}`).join(", ")} though nothing had changed`);
  }

  #isEven(): boolean {
    const counts = this.#replicas.map(({ process }) => this.#watch.heldBy(process.name).length);
    return counts.reduce((all, count) => all + count, 0) === STACKS && Math.max(...counts) - Math.min(...counts) <= 1;
  }

  #shown(): string {
    return this.#stacks.map(({ name }) => `${name} ${this.#watch.holderOf(name) ?? "-"}`).join(", ");
  }

  #any(): Replica {
    return this.#replicas[this.world.between(0, this.#replicas.length - 1)] as Replica;
  }

  #start(): Replica {
    const { world } = this;
    this.#started += 1;
    const process = world.process(`R${this.#started}`, {
      skewMs: world.between(-SKEW_MAX_MS, SKEW_MAX_MS),
      rate: 1 + (world.random() - 0.5) / 100,
    });
    const replica = new Replica({
      process,
      table: this.#table,
      stacks: this.#stacks,
      faults: () => (this.#calm ? NO_FAULTS : this.#callFaults),
      onSend: ({ name }, sender, epoch) => this.#watch.requireHolder(name, sender.name, epoch),
      onEvent: (event, { name }) => world.note(`${name}: ${JSON.stringify(event)}`),
    });
    this.#replicas = [...this.#replicas, replica];
    return replica;
  }

  #tableFault({ process }: TableCall): TableFault | undefined {
    if (this.#cutOff.has(process.name)) return "cut off";
    if (this.#calm || !this.world.chance(this.#tableFaultRate)) return undefined;
    return TABLE_FAULTS[this.world.between(0, TABLE_FAULTS.length - 1)];
  }

  /** What faults may cost, where there are any. */
  #cost(ms: number): number {
    return this.#tableFaultRate > 0 ? ms : 0;
  }

  /** No more faults: everything is as declared, once. */
  async #calmEnd(): Promise<void> {
    this.#calm = true;
    await this.world.sleep(2 * (PACE.intervalMs + WINDOW_MS) + PACE.retryMaxMs);
    if (this.#hand.open > 0) throw new Violation(`${this.#hand.open} changes are not put back`);
    for (const stack of this.#stacks) assertOnce(stack);
  }
}

const NO_FAULTS: FaultRates = { throttled: 0, unsent: 0, "error before": 0, "error after": 0, lost: 0, late: 0 };

/** One live object of each resource, as declared. */
function assertOnce(stack: SharedStack): void {
  const live = liveObjects(stack);
  const resources = live.map(({ tags }) => tags["beacon:resource"]);
  if (new Set(resources).size !== 3 || live.length !== 3) throw new Violation(`${stack.name} has ${resources.join(", ")}`);
  const strange = live.find(({ values }) => values.size !== SIZE);
  if (strange) throw new Violation(`${strange.id} of ${stack.name} has size ${strange.values.size}`);
}

/** The least number of stacks that must move until loads are even to within one. */
function leastMoves(loads: readonly number[]): number {
  const sum = loads.reduce((all, load) => all + load, 0);
  const [floor, ceil] = [Math.floor(sum / loads.length), Math.ceil(sum / loads.length)];
  const over = loads.reduce((all, load) => all + Math.max(0, load - ceil), 0);
  const under = loads.reduce((all, load) => all + Math.max(0, floor - load), 0);
  return Math.max(over, under);
}
