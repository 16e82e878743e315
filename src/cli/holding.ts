/**
 * Having the lease: taken where it is free, waited for where that is wanted, and asked for where a controller has it.
 *
 * A controller that is asked to yield gives the lease up, and takes it back when the request is gone or has run out; the request
 * is renewed while the work lasts, so that a process that dies keeps nobody waiting for long.
 */

import { hostname, userInfo } from "node:os";
import { BeaconError } from "../core/errors.ts";
import type { LeaseView, StackRequest } from "../core/record.ts";
import { stackName } from "../core/resource.ts";
import type { Lease } from "../core/store.ts";
import type { Io } from "./io.ts";
import { ask } from "./requests.ts";
import type { Changing } from "./services.ts";
import type { Session } from "./session.ts";
import { type Stop, Stopped, stopOnSignals } from "./stop.ts";

// Often enough for a countdown of 15 s to be seen to move.
const WATCH_NOTE_MS = 5000;
// A process that died holds a controller back for this long at most; renewals have three chances in it.
const YIELD_MS = 120_000;
const YIELD_EVERY_MS = 30_000;

/** How the lease is had. `yields`: a controller holds it and is asked to hand it over. */
export type Holding = { readonly io: Io; readonly wait: boolean; readonly yields: boolean };

/** `ops@build-7 (pid 4121)`: who an error names when the lease is held. */
export function holderName(): string {
  return `${process.env.BEACON_HOLDER ?? userName()}@${hostname()} (pid ${process.pid})`;
}

// In a container a user often has a number and no name, which Node takes for an error.
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid-${process.getuid?.()}`;
  }
}

/** Takes the lease. Throws LeaseHeld, or Stopped by a signal. */
export async function acquireLease(session: Session<Changing>, { io, wait, yields }: Holding, stop: Stop): Promise<Lease> {
  const { runtime, stack, settings } = session.context;
  let saidAt = Number.NEGATIVE_INFINITY;
  const onWatch = (view: LeaseView, secondsLeft: number): void => {
    if (runtime.monotonic() - saidAt < WATCH_NOTE_MS) return;
    saidAt = runtime.monotonic();
    io.err(io.errStyle.dim(watchNote(view, { secondsLeft, yields, name: stackName(stack) })));
  };
  // A controller that is asked and does not answer is waited for no longer than AWS would be.
  const patience = yields ? AbortSignal.timeout(settings.timeoutMs) : undefined;
  const signal = patience ? AbortSignal.any([stop.signal, patience]) : stop.signal;
  try {
    return await session.way.store.acquire(stack, { holder: holderName(), wait: wait || yields, onWatch, signal });
  } catch (error) {
    const exitCode = stop.exitCode();
    if (exitCode !== undefined) throw new Stopped("interrupted before anything was changed", { exitCode, cause: error });
    if (!patience?.aborted) throw error;
    throw new BeaconError("LeaseHeld", `the controller that holds ${stackName(stack)} did not hand it over`, {
      next: "look at it: beaconctl get stacks; if it is surely gone: beaconctl unlock",
      cause: error,
    });
  }
}

function watchNote({ holder, since }: LeaseView, { secondsLeft, yields, name }: { secondsLeft: number; yields: boolean; name: string }) {
  if (yields) return `${holder} holds ${name}; it was asked to hand it over`;
  return `${holder} holds ${name} since ${since}; it is taken over in ${secondsLeft} s unless its heart beats`;
}

/** Runs `use` while a controller is asked to keep away; the request is taken back however that ends. */
export async function yielded<T>(session: Session<Changing>, use: () => Promise<T>): Promise<T> {
  const { runtime, stack } = session.context;
  const ended = new AbortController();
  let asked: StackRequest[] = [];
  const renew = async (): Promise<void> => {
    asked = [await ask(session, { type: "yield", until: new Date(runtime.now() + YIELD_MS).toISOString() })];
  };
  await renew();
  const renewing = (async () => {
    while (!ended.signal.aborted) {
      await runtime.sleep(YIELD_EVERY_MS, ended.signal).catch(() => {});
      // One that is missed is made good by the next; the lease is held meanwhile.
      if (!ended.signal.aborted) await renew().catch(() => {});
    }
  })();
  try {
    return await use();
  } finally {
    ended.abort();
    await renewing;
    // It runs out by itself.
    await session.way.store.withdraw(stack, asked).catch(() => {});
  }
}

/** Runs `use` under the lease, and gives it up after that. Signals stop the wait for it, not `use`. */
export async function underLease(session: Session<Changing>, holding: Holding, use: (lease: Lease) => Promise<void>): Promise<void> {
  const stop = stopOnSignals((signal) => holding.io.err(`${signal}: stopping once this is done (again to stop at once)`));
  const held = async (): Promise<void> => {
    const lease = await acquireLease(session, holding, stop);
    try {
      await use(lease);
    } finally {
      await lease.release();
    }
  };
  try {
    await (holding.yields ? yielded(session, held) : held());
  } finally {
    stop.dispose();
  }
}
