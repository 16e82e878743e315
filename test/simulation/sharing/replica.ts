/** A controller in the simulation: the real one, on a process that can be frozen and killed, with ways to the stacks' clouds. */

import { Controller } from "../../../src/controller/controller.ts";
import type { ControllerEvent } from "../../../src/controller/events.ts";
import type { Pace, StackWay, Whose } from "../../../src/controller/tools.ts";
import { Hearsay } from "../../../src/controller/witness.ts";
import { DEFAULT_SETTINGS } from "../../../src/engine/settings.ts";
import type { Settings } from "../../../src/engine/types.ts";
import { TableStore, TTL_MS } from "../../../state/store.ts";
import type { MemoryTable } from "../../support/memory-table.ts";
import type { VirtualProcess } from "../../support/virtual-runtime.ts";
import { type FaultRates, SimHandle } from "../handle.ts";
import { KINDS, WINDOW_MS } from "../kinds.ts";
import type { SharedStack } from "./stacks.ts";

/** As beaconctl's, but for an interval that makes minutes of the simulation enough. */
export const PACE: Pace = Object.freeze({
  intervalMs: 20_000,
  rateShare: 1,
  newsMs: 2_000,
  verifyMs: 5_000,
  retryMinMs: 2_000,
  retryMaxMs: 60_000,
});

const SETTINGS: Settings = Object.freeze({
  ...DEFAULT_SETTINGS,
  timeoutMs: 20_000,
  pollMinMs: 200,
  pollMaxMs: 2_000,
  consistencyMs: WINDOW_MS,
});

/** What a replica runs in. */
export type ReplicaOptions = {
  readonly process: VirtualProcess;
  readonly table: MemoryTable;
  readonly stacks: readonly SharedStack[];
  readonly faults: () => FaultRates;
  readonly onSend: (stack: SharedStack, process: VirtualProcess, epoch: number) => void;
  readonly onEvent: (event: ControllerEvent, process: VirtualProcess) => void;
};

/** See the file's header. */
export class Replica {
  readonly process: VirtualProcess;
  /** Resolves when it has handed everything over; never, once it is killed. */
  readonly ended: Promise<void>;
  /** How many it shares the account's rates with, itself among them. */
  count = 0;
  readonly #stop = new AbortController();

  constructor(options: ReplicaOptions) {
    const { process, table, onEvent } = options;
    this.process = process;
    const tools = {
      kinds: KINDS,
      store: new TableStore(table.connect(process), process),
      runtime: process,
      settings: SETTINGS,
      pace: PACE,
      holder: process.name,
      tell: (event: ControllerEvent) => onEvent(event, process),
      open: async ({ roleArn }: Whose) => wayOf(options, roleArn),
      hearsay: new Hearsay(process),
    };
    const onReplicas = (count: number) => {
      this.count = count;
    };
    this.ended = new Controller(tools, { id: process.name, ttlMs: TTL_MS, onReplicas }).run(this.#stop.signal);
  }

  /** SIGTERM. */
  stop(): void {
    this.#stop.abort(new Error("SIGTERM"));
  }
}

function wayOf({ process, stacks, faults, onSend }: ReplicaOptions, role: string | undefined): StackWay {
  const stack = stacks.find((one) => one.role === role);
  if (!stack) throw new Error(`no stack has the role ${role}`);
  const way = { cloud: stack.cloud, process, faults, onSend: (sender: VirtualProcess, epoch: number) => onSend(stack, sender, epoch) };
  const accountId = "000000000000";
  return {
    ...{ region: "sim-1", accountId, caller: process.name },
    reader: new SimHandle(way),
    writer: (lease) => new SimHandle(way, lease),
    calls: () => [],
  };
}
