/**
 * A site: an AWS account of one's own with the real controller in it, outside hands beside it, and the state table to see what
 * it says of itself.
 *
 * Manifests are copied, so that a test may change them under the controller. Whoever waits names what for, and is told what
 * the controller said when it does not come.
 */

import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { reset, type SandboxState } from "../../../sandbox/sandbox.ts";
import type { AwsSession } from "../../../src/aws/handle.ts";
import type { ResourceRecord, StackEvent, StackRequest, StackStatus } from "../../../src/core/record.ts";
import type { StackState } from "../../../src/core/store.ts";
import type { TableStore } from "../../../state/store.ts";
import { type Beaconctl, beaconctl } from "../../chaos/beaconctl.ts";
import { type FaultProxy, startFaultProxy } from "../../support/fault-proxy.ts";
import { clientSettings, startOwn } from "../../support/sandbox.ts";
import { stateAt } from "../../support/state-table.ts";
import { type World, worldOf } from "../../support/world.ts";
import { type Hands, handsAt } from "./hands.ts";

const REGION = "ap-northeast-2"; // shop/project.yaml
const POLL_MS = 50;
const SIGHT_MS = 150;
/** Seconds for what takes two looks on a machine that does nothing else; ten times that on one that does. */
const PATIENCE_MS = 45_000;
/** A third of it is a beat, which a machine under load still manages; how soon a controller takes what it finds follows from it. */
const TTL = "6s";

/** `shop/live` in words that the store takes. */
export type StackName = { readonly project: string; readonly environment: string };

export class Site {
  readonly proxy: FaultProxy;
  /** Plain SDK clients that know nothing of BEACON. */
  readonly hands: Hands;
  readonly store: TableStore;
  readonly endpoint: string;
  readonly #sandbox: SandboxState;
  readonly #settings: Awaited<ReturnType<typeof clientSettings>>;
  readonly #session: AwsSession;
  readonly #started: Beaconctl[] = [];
  readonly #began = new Date().toISOString();
  readonly #folders: string[] = [];
  readonly #sights = new Map<
    string,
    { readonly atMs: number; readonly state: Promise<StackState>; readonly events: Promise<readonly StackEvent[]> }
  >();

  constructor(sandbox: SandboxState, proxy: FaultProxy, settings: Awaited<ReturnType<typeof clientSettings>>) {
    this.#sandbox = sandbox;
    this.endpoint = sandbox.endpoint;
    this.proxy = proxy;
    this.#settings = settings;
    this.hands = handsAt(settings);
    ({ session: this.#session, store: this.store } = stateAt(sandbox.endpoint, REGION));
  }

  /** A copy of this folder's manifests, which a test may change. */
  manifests(folder: string): Manifests {
    const path = mkdtempSync(join(tmpdir(), "beacon-site-"));
    this.#folders.push(path);
    cpSync(join(import.meta.dirname, folder), path, { recursive: true });
    return new Manifests(path);
  }

  /** Runs a command to its end; fails unless it ends well. */
  async run(args: readonly string[]): Promise<string> {
    const ended = await beaconctl(args, { endpoint: this.endpoint }).ended;
    assert.equal(ended.code, 0, `beaconctl ${args.join(" ")} ended with ${ended.code ?? ended.signal}:\n${ended.output}`);
    return ended.output;
  }

  /** Starts a controller behind the proxy. */
  control(args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Beaconctl {
    const started = beaconctl(["controller", "--region", REGION, ...args], {
      endpoint: this.proxy.endpoint,
      env: { BEACON_LEASE_TTL: TTL, ...env },
    });
    this.#started.push(started);
    return started;
  }

  /** Asks again and again until it is there; fails with the last answer, or why there was none. */
  async until<T>(what: string, look: () => Promise<T | undefined | false>, patienceMs = PATIENCE_MS): Promise<T> {
    const endMs = performance.now() + patienceMs;
    let last: unknown;
    while (performance.now() < endMs) {
      const found = await look().catch((error: unknown) => {
        last = error;
        return undefined;
      });
      if (found !== undefined && found !== false) return found;
      await pause(POLL_MS);
    }
    return assert.fail(
      `${what}: not within ${patienceMs} ms${last === undefined ? "" : `; the last look failed: ${last}`}\n${this.said()}`,
    );
  }

  /** The last of what the controllers said. */
  said(): string {
    return this.#started.map((started) => started.output.split("\n").slice(-25).join("\n")).join("\n---\n");
  }

  /** The stack's state, as one read tells everybody who asks within a moment: thirty that wait are not to slow what they wait for. */
  sight(stack: StackName): { readonly state: Promise<StackState>; readonly events: Promise<readonly StackEvent[]> } {
    const name = `${stack.project}/${stack.environment}`;
    const known = this.#sights.get(name);
    if (known && performance.now() - known.atMs < SIGHT_MS) return known;
    const seen = { atMs: performance.now(), state: this.store.load(stack), events: this.store.events(stack, { after: this.#began }) };
    for (const answer of [seen.state, seen.events]) answer.catch(() => {});
    this.#sights.set(name, seen);
    return seen;
  }

  async status(stack: StackName): Promise<StackStatus | undefined> {
    return (await this.sight(stack).state).status;
  }

  /** Resolves once the status says so. */
  async standsAs(stack: StackName, what: string, holds: (status: StackStatus) => boolean, patienceMs?: number): Promise<StackStatus> {
    let last: StackStatus | undefined;
    const look = async () => {
      last = await this.status(stack);
      return last && holds(last) ? last : undefined;
    };
    return this.until(what, look, patienceMs).catch((error: Error) => {
      const { phase, message, unfinished, counts, awaiting } = last ?? {};
      throw new Error(`${error.message}\nthe status was ${JSON.stringify({ phase, message, unfinished, counts, awaiting }, null, 1)}`);
    });
  }

  /** The controller has looked at everything once more since now, however often that is. */
  async looksAgain(stack: StackName, patienceMs?: number): Promise<StackStatus> {
    const now = new Date().toISOString();
    return this.standsAs(
      stack,
      "every kind looked at again",
      ({ checks }) => Object.values(checks).every(({ at }) => at > now),
      patienceMs,
    );
  }

  async record(stack: StackName, key: string): Promise<ResourceRecord> {
    const record = (await this.sight(stack).state).records.get(key as ResourceRecord["key"]);
    return record ?? assert.fail(`${key} is not recorded`);
  }

  /** The id of what AWS holds for a resource. */
  async id(stack: StackName, key: string): Promise<string> {
    return (await this.record(stack, key)).id ?? assert.fail(`${key} is not bound`);
  }

  /** What was recorded since then, the newest last. */
  async events(stack: StackName, since: string): Promise<readonly StackEvent[]> {
    return (await this.sight(stack).events).filter(({ at }) => at >= since);
  }

  ask(stack: StackName, request: RequestOf): Promise<void> {
    return this.store.ask(stack, { by: "test", at: new Date().toISOString(), ...request } as StackRequest);
  }

  world(): Promise<World> {
    return worldOf(this.#settings);
  }

  /** An account without anything: the controllers of the test before are to have ended. */
  async empty(): Promise<void> {
    this.proxy.clearRules();
    await reset({ dir: this.#sandbox.dir });
    this.proxy.clearCalls();
  }

  /** Ends every controller that runs, as one is told to end; fails where one does not end well. */
  async halt(): Promise<void> {
    for (const started of this.#started.splice(0)) {
      started.signal("SIGTERM");
      const { code, signal, output } = await started.ended;
      assert.equal(code, 0, `the controller ended with ${code ?? signal}:\n${output.split("\n").slice(-40).join("\n")}`);
    }
  }

  async close(): Promise<void> {
    for (const started of this.#started) started.abandon();
    this.hands.destroy();
    await this.#session.close();
    await this.proxy.close();
    for (const folder of this.#folders) rmSync(folder, { recursive: true, force: true });
  }
}

type Without<T, Names extends string> = T extends unknown ? Omit<T, Names> : never;
/** A request without who and when. */
export type RequestOf = Without<StackRequest, "by" | "at">;

/** A folder of manifests that a test may change. */
export class Manifests {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** Writes `to` for `from` in a file; fails where it is not there. */
  edit(file: string, from: string, to: string): void {
    const path = join(this.path, file);
    const text = readFileSync(path, "utf8");
    assert.ok(text.includes(from), `${file} does not say ${from}`);
    writeFileSync(path, text.replace(from, to));
  }

  write(file: string, text: string): void {
    writeFileSync(join(this.path, file), text);
  }
}

export async function newSite(): Promise<Site> {
  const sandbox = await startOwn();
  const proxy = await startFaultProxy({ upstream: sandbox.endpoint });
  return new Site(sandbox, proxy, await clientSettings(sandbox.endpoint, REGION));
}
