import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Following, follow, type Goal, type Standing, standingOf } from "../../src/cli/follow.ts";
import type { StackStatus } from "../../src/core/record.ts";
import type { ResourceKey } from "../../src/core/resource.ts";
import { PROD, record, revision, Scene, status } from "../state/scene.ts";
import { fakeIo } from "./fake-io.ts";

const awaiting = { digest: "d1", what: "missing", grants: { delete: [], replace: [], missing: ["VPC/a"] }, message: "" } as const;
const open = (key: ResourceKey, outcome: "waiting" | "failed" | "skipped") => ({ key, outcome, message: "why" });
const KEYS = new Set<ResourceKey>(["VPC/a", "VPC/b"]);

const cases: readonly { why: string; status: Partial<StackStatus> | undefined; goal: Goal; is: Standing }[] = [
  { why: "no controller has said anything yet", status: undefined, goal: { revision: 2 }, is: "going" },
  { why: "it is at an earlier revision", status: { revision: 1, converged: 1 }, goal: { revision: 2 }, is: "going" },
  { why: "it is at it", status: { revision: 2, converged: 1 }, goal: { revision: 2 }, is: "going" },
  { why: "it is done", status: { revision: 2, converged: 2 }, goal: { revision: 2 }, is: "done" },
  { why: "a newer one is done", status: { revision: 4, converged: 3 }, goal: { revision: 2 }, is: "done" },
  {
    why: "one failed while another is under way",
    status: { revision: 2, converged: 1, unfinished: [open("VPC/a", "failed"), open("VPC/b", "waiting")] },
    goal: { revision: 2 },
    is: "going",
  },
  {
    why: "one failed, and what rests on it was not begun",
    status: { revision: 2, converged: 1, unfinished: [open("VPC/a", "failed"), open("VPC/b", "skipped")] },
    goal: { revision: 2 },
    is: "failed",
  },
  {
    why: "something else of the stack fails, which this revision did not touch",
    status: { revision: 2, converged: 1, unfinished: [open("VPC/old", "failed")] },
    goal: { revision: 2 },
    is: "going",
  },
  {
    why: "a failure of the revision before says nothing of this one",
    status: { revision: 1, converged: 0, unfinished: [open("VPC/a", "failed")] },
    goal: { revision: 2 },
    is: "going",
  },
  {
    why: "the approval is not heard yet",
    status: { revision: 2, converged: 2, awaiting },
    goal: { revision: 2, approved: "d1" },
    is: "going",
  },
  {
    why: "the approval is heard, and what it was for is under way",
    status: { revision: 2, converged: 2, unfinished: [open("VPC/a", "waiting")] },
    goal: { revision: 2, approved: "d1" },
    is: "going",
  },
  {
    why: "something else is awaited by now",
    status: { revision: 2, converged: 2, awaiting: { ...awaiting, digest: "d2" } },
    goal: { revision: 2, approved: "d1" },
    is: "done",
  },
];

describe("how far a goal is", () => {
  for (const { why, status: said, goal, is } of cases)
    test(`${why}: ${is}`, () => assert.equal(standingOf(said && status(said), goal, KEYS), is));
});

type Told = { readonly following: Following; readonly lines: string[]; readonly stop: AbortController };

function told(scene: Scene, more: Partial<Following> = {}): Told {
  const { store, process: runtime } = scene.actor("person");
  const [lines, stop] = [[] as string[], new AbortController()];
  const io = fakeIo({ err: (text) => void lines.push(text) });
  const changes: Following["changes"] = [{ key: "VPC/a", action: "update" }];
  const following = {
    ...{ store, runtime, stack: PROD, io, changes },
    goal: { revision: 2 },
    timeoutMs: 600_000,
    stop: stop.signal,
    calls: () => 0,
    ...more,
  };
  return { following, lines, stop };
}

const CONVERGING = status({ phase: "Converging", message: "VPC/a: provisioning", revision: 2, converged: 1 });
const DONE = status({ revision: 2, converged: 2, message: "" });

describe("following", () => {
  test("tells each phase and each resource once, and ends when the revision is brought about", async () => {
    const scene = new Scene();
    await scene.world.run(async () => {
      const lease = await scene.actor("controller").acquire({ controller: true });
      await scene.actor("x").store.accept(PROD, revision(1), undefined);
      const { following, lines } = told(scene);
      const followed = follow(following);
      lease.journal.status(CONVERGING);
      await lease.journal.commit();
      await scene.world.sleep(5000);
      const conditions = [{ type: "Ready", status: true, reason: "Synced", message: "", since: "" }] as const;
      lease.journal.put(record("VPC/a", { id: "vpc-1", revision: 2, conditions }));
      lease.journal.status(DONE);
      await lease.journal.commit();
      const { outcome, done } = await followed;
      assert.deepEqual([outcome, [...done]], ["done", ["VPC/a"]]);
      assert.deepEqual(
        lines.map((line) => line.replace(/ +/g, " ").replace(/\d+\.\d s/, "_ s")),
        ["Converging: VPC/a: provisioning", "Synced", " ✓ VPC/a updated _ s"],
      );
    });
  });

  test("a holder that dies is said after its TTL, the next one is greeted, and nothing of it ends the following", async () => {
    const scene = new Scene();
    await scene.world.run(async () => {
      const dying = scene.actor("first");
      await dying.acquire({ controller: true });
      const { following, lines } = told(scene);
      const followed = follow(following);
      await scene.world.sleep(60_000);
      assert.deepEqual(lines, [], "a heart that beats is nothing to tell of");
      dying.process.kill();
      await scene.world.sleep(30_000);
      assert.deepEqual(lines.splice(0), ["first has not been heard of for 15 s: waiting for another controller to take it"]);
      const next = await scene.actor("second").acquire({ controller: true });
      await scene.world.sleep(3000);
      assert.deepEqual(lines.splice(0), ["second holds beacon/prod now"]);
      next.journal.status(DONE);
      await next.journal.commit();
      assert.equal((await followed).outcome, "done");
    });
  });

  test("ends when the time is over, and when a signal comes", async () => {
    const scene = new Scene();
    await scene.world.run(async () => {
      await scene.actor("controller").acquire({ controller: true });
      const startMs = scene.world.elapsedMs;
      assert.equal((await follow(told(scene, { timeoutMs: 20_000 }).following)).outcome, "late");
      assert.ok(scene.world.elapsedMs - startMs < 23_000);
      const { following, stop } = told(scene);
      const followed = follow(following);
      await scene.world.sleep(2500);
      stop.abort();
      assert.equal((await followed).outcome, "left");
    });
  });
});
