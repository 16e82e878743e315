import assert from "node:assert/strict";
import { test } from "node:test";
import { createStyle } from "../../../src/cli/io.ts";
import { frame, plainView, progressLine } from "../../../src/cli/render/progress.ts";
import type { Progress } from "../../../src/engine/types.ts";
import { assertGolden } from "../golden.ts";

const style = createStyle(false);

function progress(key: Progress["key"], phase: Progress["phase"], message: string, elapsedMs = 0, generation = 1): Progress {
  return { key, phase, message, elapsedMs, generation, action: "create" };
}

function recorded(): { lines: string[]; view: ReturnType<typeof plainView>; advance: (ms: number) => void } {
  const lines: string[] = [];
  let now = 0;
  const advance = (ms: number): void => {
    now += ms;
  };
  const view = plainView({ err: (line) => void lines.push(line.trimEnd()), errStyle: style }, () => now);
  return { lines, view, advance };
}

test("plain progress: a line when something ends or has waited for a second, none when it is repeated or over at once", () => {
  const { lines, view, advance } = recorded();
  view.onProgress(progress("VPC/main", "acting", "creating"));
  view.onProgress(progress("EIP/nat", "waiting", "pending", 100));
  view.onProgress(progress("EIP/nat", "done", "created", 200));
  view.onProgress(progress("VPC/main", "waiting", "pending", 1000));
  view.remind();
  advance(1000);
  view.onProgress(progress("VPC/main", "waiting", "pending", 2000));
  view.remind();
  view.remind();
  view.onProgress(progress("VPC/main", "done", "created", 2100));
  view.close();
  assert.deepEqual(lines, [
    progressLine(progress("EIP/nat", "done", "created", 200), 0, style).trimEnd(),
    progressLine(progress("VPC/main", "waiting", "pending", 2000), 0, style).trimEnd(),
    progressLine(progress("VPC/main", "done", "created", 2100), 0, style).trimEnd(),
  ]);
});

test("plain progress: what is still under way is said every ten seconds, and not after it ended", () => {
  const { lines, view, advance } = recorded();
  view.onProgress(progress("NatGateway/main", "waiting", "pending", 0));
  view.onProgress(progress("VPC/main", "acting", "creating", 0));
  view.onProgress(progress("Subnet/a", "after", "after VPC/main", 0));
  for (let second = 1; second <= 12; second++) {
    advance(1000);
    view.remind();
  }
  const said = lines.map((line) => /(NatGateway|VPC|Subnet).*?(\d[\d.]* s)/.exec(line)?.slice(1).join(" "));
  assert.deepEqual(said, ["NatGateway 1.0 s", "VPC 10 s", "NatGateway 11 s"]);
  view.onProgress(progress("NatGateway/main", "done", "created", 12_000));
  view.onProgress(progress("VPC/main", "done", "created", 12_000));
  advance(20_000);
  view.remind();
  view.close();
  assert.equal(lines.length, 5);
});

test("live frame: what is being done first, then what waits, then what has not begun, and one line that sums up", () => {
  const under = new Map(
    [
      progress("Listener/https", "after", "after LoadBalancer/main"),
      progress("LoadBalancer/main", "waiting", "provisioning", 37_000),
      progress("TargetGroup/main", "acting", "creating", 400, 2),
    ].map((entry) => [entry.key, { progress: entry, at: 1000 }]),
  );
  assertGolden("progress/frame.txt", frame({ total: 72, under, done: 41, failed: 0 }, { now: 2000, calls: 118, style }));
});

test("live frame: in a narrow terminal the names leave room for what happens", () => {
  const under = new Map([["VPC/main" as const, { progress: progress("VPC/main", "waiting", "deleting", 1000), at: 0 }]]);
  const [line = ""] = frame({ total: 1, under, done: 0, failed: 0 }, { now: 0, calls: 0, style, columns: 50 }).split("\n");
  assert.match(line, /VPC\/main +waiting 1\.0 s: deleting/);
  assert.ok(line.length <= 50, `${line.length} characters`);
});

test("live frame: more lines than a screen are counted", () => {
  const under = new Map(
    Array.from({ length: 30 }, (_, index) => progress(`Subnet/s${index}`, "acting", "creating")).map((entry) => [
      entry.key,
      { progress: entry, at: 0 },
    ]),
  );
  const lines = frame({ total: 30, under, done: 0, failed: 0 }, { now: 0, calls: 0, style }).split("\n");
  assert.equal(lines.length, 14);
  assert.match(lines[12] ?? "", /and 18 more/);
});
