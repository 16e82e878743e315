/** A sandbox of one's own, with proxies in front, the whole slice as what is applied to it, and a count of what it holds. */

import assert from "node:assert/strict";
import { reset, type SandboxState } from "../../sandbox/sandbox.ts";
import { type FaultProxy, startFaultProxy } from "../support/fault-proxy.ts";
import type { Match } from "../support/fault-rules.ts";
import { clientSettings, startOwn } from "../support/sandbox.ts";
import { comparable, type World, worldOf } from "../support/world.ts";
import { type Beaconctl, beaconctl, DIFF, type Ended, LEASE_TTL } from "./beaconctl.ts";

const REGION = "ap-northeast-2"; // manifests/environments/prod.yaml
const STATE_TABLE = "beacon-state";

type ClientSettings = Awaited<ReturnType<typeof clientSettings>>;

/** Mutating calls to AWS, those to BEACON's own table left out. */
export const EFFECTS: Match = { mutating: true, where: ({ body }) => !body.includes(`"${STATE_TABLE}"`) };

export class Arena {
  readonly proxy: FaultProxy;
  readonly #sandbox: SandboxState;
  readonly #settings: ClientSettings;
  readonly #started: Beaconctl[] = [];

  constructor(sandbox: SandboxState, proxy: FaultProxy, settings: ClientSettings) {
    this.#sandbox = sandbox;
    this.proxy = proxy;
    this.#settings = settings;
  }

  /** Starts a process behind this arena's proxy, or another. Its lease can be taken over soon. */
  start(args: readonly string[], options: { readonly env?: NodeJS.ProcessEnv; readonly proxy?: FaultProxy } = {}): Beaconctl {
    const { env = {}, proxy = this.proxy } = options;
    const started = beaconctl(args, { endpoint: proxy.endpoint, env: { BEACON_LEASE_TTL: LEASE_TTL, ...env } });
    this.#started.push(started);
    return started;
  }

  /** Runs a process to its end without a fault; fails unless it ends well. */
  async run(args: readonly string[], what: string): Promise<Ended> {
    const ended = await beaconctl(args, { endpoint: this.#sandbox.endpoint }).ended;
    assert.equal(ended.code, 0, `${what}: beaconctl ${args.join(" ")} ended with ${ended.code ?? ended.signal}:\n${ended.output}`);
    return ended;
  }

  /** Another proxy in front of the same sandbox: a process of its own has its own, so that its calls are told apart. */
  secondProxy(): Promise<FaultProxy> {
    return startFaultProxy({ upstream: this.#sandbox.endpoint });
  }

  /** Fails unless AWS holds exactly this and a look finds nothing to do. */
  async assertHolds(expected: World, what: string, diff: readonly string[] = DIFF): Promise<void> {
    assert.deepEqual(await this.world(), expected, `${what}: AWS holds something else than after a clean run`);
    await this.run(diff, what);
  }

  /** Everything there is, in a form in which two runs can be compared; `raw`: as AWS says it. */
  async world({ raw = false } = {}): Promise<World> {
    const world = await worldOf(this.#settings);
    return raw ? world : comparable(world);
  }

  /** An account without anything, and no call recorded or rule set. */
  async empty(): Promise<void> {
    this.proxy.clearRules();
    await reset({ dir: this.#sandbox.dir });
    this.proxy.clearCalls();
  }

  async close(): Promise<void> {
    for (const started of this.#started) started.abandon();
    await this.proxy.close();
  }
}

export async function newArena(): Promise<Arena> {
  const sandbox = await startOwn();
  const proxy = await startFaultProxy({ upstream: sandbox.endpoint });
  return new Arena(sandbox, proxy, await clientSettings(sandbox.endpoint, REGION));
}

/** The recorded mutating calls to AWS, by name. */
export function effectsOf(proxy: FaultProxy): readonly string[] {
  return proxy.calls.filter(({ mutating, body }) => mutating && !body.includes(`"${STATE_TABLE}"`)).map(({ name }) => name);
}
