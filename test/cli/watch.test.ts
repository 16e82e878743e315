import assert from "node:assert/strict";
import { test } from "node:test";
import { watchResources } from "../../src/cli/watch.ts";
import type { ResourceKey } from "../../src/core/resource.ts";
import { PROD, record, Scene, status } from "../state/scene.ts";

const ready = (is: boolean, reason: "Synced" | "Drifted" | "Refused" = "Synced") => ({
  type: "Ready" as const,
  status: is,
  reason,
  message: "",
  since: "2026-01-01T00:00:00.000Z",
});

test("all at first, then what changed and what went; a look that found nothing new is nothing", async () => {
  const scene = new Scene();
  await scene.world.run(async () => {
    const { journal } = await scene.actor("controller").acquire({ controller: true });
    const { store, process: runtime } = scene.actor("person");
    const lines: string[] = [];
    const stop = new AbortController();
    const checks = (second: number) => ({ "ec2.aws/v1 VPC": { at: `2026-01-01T00:00:0${second}.000Z`, next: "2026-01-01T00:01:00.000Z" } });
    journal.put(record("VPC/a", { id: "vpc-1", conditions: [ready(true)] }));
    journal.put(record("VPC/b"));
    journal.put(record("VPC/other"));
    journal.status(status({ checks: checks(1) }));
    await journal.commit();
    const watching = watchResources({
      ...{ store, stack: PROD, runtime, kinds: new Map(), signal: stop.signal },
      isWanted: (key: ResourceKey) => key !== "VPC/other",
      show: (views, gone) => {
        for (const { key, status: its } of views) lines.push(`${key} ${its.ready ? "ready" : its.reason}${its.drift ? " drifted" : ""}`);
        for (const key of gone) lines.push(`${key} gone`);
      },
      say: (line) => lines.push(line),
    });
    await scene.world.sleep(1500);
    assert.deepEqual(lines.splice(0), ["VPC/a ready", "VPC/b Creating", "Synced, revision 1: as the revision says"]);

    journal.status(status({ checks: checks(2) }));
    journal.put(record("VPC/other", { id: "vpc-3" }));
    await journal.commit();
    await scene.world.sleep(2500);
    assert.deepEqual(lines, [], "that it was looked at again is no change, nor what was not asked for");

    const drift = [{ path: "tags.Name", from: "a", to: "b", firstSeenAt: "2026-01-01T00:00:02.000Z" }];
    journal.put(record("VPC/a", { id: "vpc-1", conditions: [ready(true, "Drifted")], drift }));
    journal.remove("VPC/b");
    await journal.commit();
    await store.ask(PROD, { type: "pause", target: "*", until: "2026-01-01T01:00:00.000Z", reason: "why", by: "me", at: "x" });
    await scene.world.sleep(2500);
    assert.deepEqual(lines.splice(0).toSorted(), [
      "VPC/a ready drifted",
      "VPC/b gone",
      "the stack is paused until 2026-01-01 01:00 UTC by me: why",
    ]);
    stop.abort();
    await watching;
  });
});
