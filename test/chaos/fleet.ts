/**
 * A dozen small stacks in a sandbox of their own, controllers that share them, each behind a proxy of its own, and somebody who
 * changes something every moment.
 *
 * Who holds which stack is read from the state table over and over, so that the time from one holder to the next is known.
 */

import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { CloudWatchLogs } from "@aws-sdk/client-cloudwatch-logs";
import { EC2 } from "@aws-sdk/client-ec2";
import { kinds } from "../../reconcilers/index.ts";
import type { SandboxState } from "../../sandbox/sandbox.ts";
import type { AwsSession } from "../../src/aws/handle.ts";
import { BOOTSTRAP_OPERATIONS } from "../../src/aws/permissions.ts";
import { systemRuntime } from "../../src/aws/runtime.ts";
import type { SourceBundle } from "../../src/core/record.ts";
import type { Stack } from "../../src/core/resource.ts";
import { NO_GRANTS, nextRevision } from "../../src/engine/revision.ts";
import { compileBundle } from "../../src/manifest/bundle.ts";
import { bootstrap } from "../../state/bootstrap.ts";
import type { TableStore } from "../../state/store.ts";
import { type FaultProxy, startFaultProxy } from "../support/fault-proxy.ts";
import { clientSettings, startOwn } from "../support/sandbox.ts";
import { STATE_TABLE, stateAt } from "../support/state-table.ts";
import { type Beaconctl, beaconctl } from "./beaconctl.ts";

const REGION = "eu-west-1";
const STACKS = 12;
const RETENTION = 30;
/** Long enough that a machine under load still beats three times in it. */
export const TTL_MS = 4_000;
export const INTERVAL_MS = 4_000;
const POLL_MS = 100;
const CHANGE_EVERY_MS = 300;

/** A controller process. */
export class Member {
  readonly process: Beaconctl;
  readonly proxy: FaultProxy;

  constructor(proxy: FaultProxy) {
    this.proxy = proxy;
    const args = ["controller", "--region", REGION, "--interval", `${INTERVAL_MS}ms`, "--no-events", "--no-http"];
    this.process = beaconctl(args, { endpoint: proxy.endpoint, env: { BEACON_LEASE_TTL: `${TTL_MS}ms` } });
  }

  get name(): string {
    return `pid ${this.process.pid}`;
  }

  /** Mutating calls to AWS since then, of everything but the state. */
  effectsSince(at: number): readonly { readonly name: string; readonly body: string; readonly at: number }[] {
    return this.proxy.calls.filter((call) => call.mutating && call.at >= at && !call.body.includes('"beacon-state"'));
  }
}

/** A stack came into other hands, at a time of the wall clock: between the look before and this one. */
type Taking = { readonly stack: string; readonly by: string; readonly at: number };

type Change = { readonly project: string; readonly at: number };

/** See the file's header. */
export class Fleet {
  readonly stacks: readonly Stack[] = Array.from({ length: STACKS }, (_, n) => ({ project: `app${n + 1}`, environment: "live" }));
  readonly takings: Taking[] = [];
  /** How long each outside change lived, in ms. */
  readonly livedMs: number[] = [];
  /** Those that are not put back. */
  open: readonly Change[] = [];
  readonly #sandbox: SandboxState;
  readonly #session: AwsSession;
  readonly #store: TableStore;
  readonly #logs: CloudWatchLogs;
  readonly #ec2: EC2;
  readonly #all: Member[] = [];
  readonly #over = new AbortController();
  #holders: ReadonlyMap<string, string> = new Map();
  #busy: readonly Promise<void>[] = [];
  #changes = true;

  constructor(sandbox: SandboxState, settings: Awaited<ReturnType<typeof clientSettings>>) {
    this.#sandbox = sandbox;
    this.#logs = new CloudWatchLogs(settings);
    this.#ec2 = new EC2(settings);
    ({ session: this.#session, store: this.#store } = stateAt(sandbox.endpoint, REGION));
  }

  /** Accepts a revision of every stack, which is all that an apply leaves to the controllers, and begins to watch. */
  async begin(): Promise<void> {
    await bootstrap(this.#session.caller(BOOTSTRAP_OPERATIONS), systemRuntime, { table: STATE_TABLE });
    const world = { state: { records: new Map(), requests: [] }, pins: {}, newer: [], remotes: new Map(), orphans: [] };
    const acceptance = { at: new Date().toISOString(), by: "test", region: REGION, accountId: "123456789012", grants: NO_GRANTS };
    for (const { project } of this.stacks) {
      const bundle = bundleOf(project);
      const compiled = compileBundle(bundle, { kinds });
      await this.#store.accept(compiled.stack, nextRevision(compiled, world, acceptance), bundle);
    }
    this.#busy = [this.#again(() => this.#look())];
  }

  async start(): Promise<Member> {
    const member = new Member(await startFaultProxy({ upstream: this.#sandbox.endpoint }));
    this.#all.push(member);
    return member;
  }

  /** The stacks of a process, as they were last seen. */
  heldBy({ name }: Member): readonly string[] {
    return [...this.#holders].flatMap(([stack, holder]) => (holder === name ? [stack] : []));
  }

  /** Resolves once these hold all stacks evenly. */
  async evenly(members: readonly Member[], withinMs: number): Promise<void> {
    await this.until(`${members.map(({ name }) => name).join(", ")} hold all stacks evenly`, withinMs, () => {
      const counts = members.map((member) => this.heldBy(member).length);
      return counts.reduce((all, count) => all + count) === STACKS && Math.max(...counts) - Math.min(...counts) <= 1;
    });
  }

  async until(what: string, withinMs: number, holds: () => boolean | Promise<boolean>): Promise<void> {
    const endMs = performance.now() + withinMs;
    while (!(await holds())) {
      if (performance.now() > endMs) assert.fail(`${what}: not within ${withinMs} ms\n${this.#shown()}`);
      await pause(POLL_MS);
    }
  }

  /** From `at` to each of these stacks in other hands than `but`'s, in ms. */
  takenAfter(at: number, stacks: readonly string[], { name }: Member): readonly number[] {
    return stacks.map((stack) => {
      const taking = this.takings.find((one) => one.stack === stack && one.at > at && one.by !== name);
      return taking ? taking.at - at : assert.fail(`${stack} was not taken from ${name}\n${this.#shown()}`);
    });
  }

  /** Changes something every moment, from now on. */
  harass(): void {
    this.#busy = [...this.#busy, this.#again(() => this.#change()), this.#again(() => this.#see())];
  }

  /** No more changes, and those that were made put back. */
  async calm(): Promise<void> {
    this.#changes = false;
    await this.until("every change put back", 3 * INTERVAL_MS, () => this.open.length === 0);
  }

  /** What AWS holds of all stacks together. */
  async objects(): Promise<string> {
    const [{ Vpcs = [] }, { logGroups = [] }] = await Promise.all([
      this.#ec2.describeVpcs({ Filters: [{ Name: "tag-key", Values: ["beacon:stack"] }] }),
      this.#logs.describeLogGroups({ logGroupNamePrefix: "/fleet/" }),
    ]);
    return `${Vpcs.length} VPCs, ${logGroups.length} log groups`;
  }

  /** Every create that any controller sent. */
  creates(): readonly string[] {
    return this.#all.flatMap((member) => member.effectsSince(0)).flatMap(({ name }) => (/:Create(Vpc|LogGroup)$/.test(name) ? [name] : []));
  }

  async close(): Promise<void> {
    this.#over.abort();
    await Promise.all(this.#busy);
    for (const { process } of this.#all) process.abandon();
    for (const { proxy } of this.#all) await proxy.close();
    this.#logs.destroy();
    this.#ec2.destroy();
    await this.#session.close();
  }

  #shown(): string {
    const said = this.#all.map(({ name, process }) => `${name}: ${process.output.split("\n").slice(-12).join("\n")}`);
    return [[...this.#holders].map((pair) => pair.join(" ")).join(", "), ...said].join("\n");
  }

  async #again(act: () => Promise<void>): Promise<void> {
    while (!this.#over.signal.aborted) {
      await act();
      await pause(POLL_MS);
    }
  }

  async #look(): Promise<void> {
    const leases = await this.#store.leases(this.stacks);
    const at = Date.now();
    const pidOf = (holder: string) => /pid \d+/.exec(holder)?.[0] ?? holder;
    const holders = new Map([...leases].flatMap(([stack, { holder, free }]) => (free ? [] : [[stack, pidOf(holder)] as const])));
    for (const [stack, by] of holders) if (this.#holders.get(stack) !== by) this.takings.push({ stack, by, at });
    this.#holders = holders;
  }

  async #change(): Promise<void> {
    const free = this.#changes ? this.stacks.filter(({ project }) => !this.open.some((one) => one.project === project)) : [];
    const stack = free[(this.livedMs.length + this.open.length * 5) % free.length];
    if (!stack) return;
    // One, and no other, of what AWS takes.
    await this.#logs.putRetentionPolicy({ logGroupName: logGroupOf(stack.project), retentionInDays: 7 });
    this.open = [...this.open, { project: stack.project, at: Date.now() }];
    await pause(CHANGE_EVERY_MS);
  }

  async #see(): Promise<void> {
    const { logGroups = [] } = await this.#logs.describeLogGroups({ logGroupNamePrefix: "/fleet/" });
    const now = Date.now();
    const isBack = ({ project }: Change) =>
      logGroups.some((group) => group.logGroupName === logGroupOf(project) && group.retentionInDays === RETENTION);
    const back = this.open.filter(isBack);
    this.livedMs.push(...back.map(({ at }) => now - at));
    this.open = this.open.filter((change) => !back.includes(change));
  }
}

function logGroupOf(project: string): string {
  return `/fleet/${project}/log`;
}

function bundleOf(project: string): SourceBundle {
  const text = `apiVersion: beacon/v1
kind: Project
metadata: { name: ${project} }
spec: { id: fleet }
---
apiVersion: beacon/v1
kind: Environment
metadata: { name: live }
spec: { region: ${REGION}, drift: { contestedAfter: 100 } }
---
apiVersion: ec2.aws/v1
kind: VPC
metadata: { name: main }
spec: { cidrBlock: 10.0.0.0/16 }
---
apiVersion: logs.aws/v1
kind: LogGroup
metadata: { name: log }
spec: { logGroupName: ${logGroupOf(project)}, retentionInDays: ${RETENTION} }
`;
  return { sources: [{ file: "stack.yaml", directory: "/", text }], files: {}, params: [], paramsFiles: [], environment: "live" };
}

/** A fleet in a sandbox of its own. */
export async function newFleet(): Promise<Fleet> {
  const sandbox = await startOwn();
  return new Fleet(sandbox, await clientSettings(sandbox.endpoint, REGION));
}
