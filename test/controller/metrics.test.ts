/** What Prometheus reads: values against events and snapshots, labels within their bounds, and the documentation against both. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { DEFINITIONS } from "../../src/controller/metric-definitions.ts";
import { createMetrics } from "../../src/controller/metrics.ts";
import { drifted, SAMPLES } from "./sample-events.ts";
import { ELSEWHERE, HELD, type SampleView, sampleView } from "./sample-view.ts";

/** Samples by name and labels, as they stand in the text. */
function parsed(text: string): ReadonlyMap<string, number> {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.slice(line.lastIndexOf(" ") + 1))]));
}

async function scrape(metrics: { text: () => Promise<string> }): Promise<ReadonlyMap<string, number>> {
  return parsed(await metrics.text());
}

function setUp(view: SampleView = sampleView()) {
  return { view, metrics: createMetrics({ view }) };
}

test("how things stand is read when somebody asks", async () => {
  const { metrics } = setUp();
  const values = await scrape(metrics);
  const rows: readonly (readonly [sample: string, value: number])[] = [
    [`beacon_build_info{version="0.1.0",node="${process.version.slice(1)}"}`, 1],
    ["beacon_healthy", 1],
    ["beacon_ready", 1],
    ["beacon_replicas", 2],
    ['beacon_lease_held{stack="beacon/prod"}', 1],
    ['beacon_lease_held{stack="beacon/dev"}', 0],
    ['beacon_queue_depth{stack="beacon/prod"}', 3],
    ['beacon_queue_oldest_seconds{stack="beacon/prod"}', 1.5],
    ['beacon_resources{stack="beacon/prod"}', 62],
    ['beacon_resource_conditions{stack="beacon/prod",condition="Ready"}', 60],
    ['beacon_resource_conditions{stack="beacon/prod",condition="Drifted"}', 1],
    ['beacon_resource_conditions{stack="beacon/prod",condition="Stalled"}', 1],
    ['beacon_stack_phase{stack="beacon/prod",phase="Drifted"}', 1],
    ['beacon_stack_phase{stack="beacon/prod",phase="Synced"}', 0],
    ['beacon_revision{stack="beacon/prod"}', 8],
    ['beacon_revision_converged{stack="beacon/prod"}', 7],
    ['beacon_awaiting_approval{stack="beacon/prod"}', 1],
    ['beacon_source_invalid{stack="beacon/prod"}', 0],
    ['beacon_monitor_state{stack="beacon/prod",monitor="backend",state="unhealthy"}', 1],
    ['beacon_monitor_state{stack="beacon/prod",monitor="backend",state="healthy"}', 0],
    ['beacon_monitor_state{stack="beacon/prod",monitor="table",state="unknown"}', 1],
    ['beacon_monitor_failing{stack="beacon/prod",monitor="backend"}', 1],
    ['beacon_monitor_failing{stack="beacon/prod",monitor="table"}', 0],
    ['beacon_aws_calls_total{service="ec2",action="DescribeVpcs",result="ok"}', 7],
    ['beacon_aws_calls_total{service="ec2",action="DescribeVpcs",result="throttled"}', 2],
    ['beacon_aws_calls_total{service="ec2",action="DescribeVpcs",result="failed"}', 1],
    ['beacon_aws_retries_total{service="ec2",action="DescribeVpcs"}', 3],
  ];
  for (const [sample, value] of rows) assert.equal(values.get(sample), value, sample);
  assert.ok((values.get("process_resident_memory_bytes") ?? 0) > 1e6, "the process's own are beside them");
});

test("what happens is counted, and counts begin at zero", async () => {
  const { metrics } = setUp();
  const found = 'beacon_drift_found_total{stack="beacon/prod",mode="correct"}';
  assert.equal((await scrape(metrics)).get(found), 0, "Prometheus sees no increase in a series that begins at one");
  for (const event of Object.values(SAMPLES)) metrics.listener(event);
  metrics.listener({ ...SAMPLES.driftFound, mode: "report" });
  metrics.listener({ ...SAMPLES.passEnded, outcome: "quiet", elapsedMs: 40, triggers: ["interval", "event"] });
  const values = await scrape(metrics);
  const rows: readonly (readonly [sample: string, value: number])[] = [
    ['beacon_lease_changes_total{change="taken"}', 1],
    ['beacon_lease_changes_total{change="released"}', 1],
    ['beacon_lease_changes_total{change="lost"}', 1],
    [found, 1],
    ['beacon_drift_found_total{stack="beacon/prod",mode="report"}', 1],
    ['beacon_drift_corrected_total{stack="beacon/prod"}', 1],
    ['beacon_drift_gone_total{stack="beacon/prod"}', 1],
    ['beacon_correction_seconds_sum{stack="beacon/prod"}', 2.9],
    ['beacon_correction_seconds_bucket{le="5",stack="beacon/prod"}', 1],
    ['beacon_correction_seconds_bucket{le="2",stack="beacon/prod"}', 0],
    ['beacon_pass_failures_total{stack="beacon/prod"}', 1],
    ['beacon_pass_seconds_count{stack="beacon/prod",outcome="acted"}', 1],
    ['beacon_pass_seconds_bucket{le="0.05",stack="beacon/prod",outcome="quiet"}', 1],
    ['beacon_pass_triggers_total{stack="beacon/prod",trigger="interval"}', 2],
    ['beacon_pass_triggers_total{stack="beacon/prod",trigger="event"}', 1],
  ];
  for (const [sample, value] of rows) assert.equal(values.get(sample), value, sample);
});

test("the series of a stack that is not held any more disappear, whatever was counted; those of others stay", async () => {
  const { view, metrics } = setUp();
  const other = { project: "beacon", environment: "dev" };
  for (const event of Object.values(SAMPLES)) for (const stack of [event.stack, other]) metrics.listener({ ...event, stack });
  view.snapshotNow = { ...view.snapshotNow, stacks: [HELD, { ...HELD, stack: "beacon/dev" }] };
  const before = [...(await scrape(metrics)).keys()];
  const of = (stack: string, names: readonly string[]) => names.filter((name) => name.includes(`stack="${stack}"`));
  assert.equal(of("beacon/prod", before).length, of("beacon/dev", before).length);
  view.snapshotNow = {
    ...view.snapshotNow,
    stacks: [
      { ...HELD, held: false },
      { ...HELD, stack: "beacon/dev" },
    ],
  };
  // What a pass tells that was under way when the lease went.
  metrics.listener(SAMPLES.passEnded);
  const values = await scrape(metrics);
  assert.deepEqual(of("beacon/prod", [...values.keys()]), ['beacon_lease_held{stack="beacon/prod"}']);
  assert.equal(values.get('beacon_lease_held{stack="beacon/prod"}'), 0);
  assert.equal(of("beacon/dev", [...values.keys()]).length, of("beacon/dev", before).length);
  view.snapshotNow = { ...view.snapshotNow, stacks: [ELSEWHERE] };
  assert.deepEqual(of("beacon/dev", [...(await scrape(metrics)).keys()]), ['beacon_lease_held{stack="beacon/dev"}']);
});

test("ten thousand resources, fields and people are no more series than one", async () => {
  const { metrics } = setUp();
  for (const event of Object.values(SAMPLES)) metrics.listener(event);
  const before = (await scrape(metrics)).size;
  for (let index = 0; index < 10_000; index++) {
    const drift = [drifted(`tags.T${index}`)];
    for (const type of ["driftFound", "driftCorrected", "driftGone", "driftAttributed"] as const)
      metrics.listener({ ...SAMPLES[type], resource: `VPC/v${index}`, drift });
    metrics.listener({ ...SAMPLES.stalled, resource: `VPC/v${index}`, reason: `R${index}`, message: `m${index}` });
    metrics.listener({ ...SAMPLES.leaseLost, why: `w${index}` });
  }
  const text = await metrics.text();
  assert.equal(parsed(text).size, before);
  assert.doesNotMatch(text, /VPC|v9999|tags/);
});

test("two that ask at once get the whole truth both", async () => {
  const { metrics } = setUp();
  const [one, other] = await Promise.all([metrics.text(), metrics.text()]);
  const own = (text: string) => text.split("\n").filter((line) => line.startsWith("beacon_"));
  assert.ok(own(one).length > 50);
  assert.deepEqual(own(one), own(other));
});

test("the text has a type and a help for every metric, and labels that it declares", async () => {
  const { metrics } = setUp();
  for (const event of Object.values(SAMPLES)) metrics.listener(event);
  const text = await metrics.text();
  assert.match(metrics.contentType, /^text\/plain; version=0\.0\.4/);
  for (const { name, type, help, labels } of DEFINITIONS) {
    assert.ok(text.includes(`# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`), name);
    assert.match(name, type === "counter" ? /^beacon_\w+_total$/ : /^beacon_\w+(?<!_total)$/);
    const samples = text.split("\n").filter((line) => new RegExp(`^${name}(_bucket|_sum|_count)?[ {]`).test(line));
    assert.ok(samples.length > 0, `${name} has samples`);
    const seen = new Set(samples.flatMap((line) => [...line.matchAll(/(\w+)="/g)].map((match) => match[1])));
    assert.deepEqual([...seen].filter((label) => label !== "le").sort(), [...labels].sort(), name);
  }
});

test("docs/operations.md lists every metric", () => {
  const text = readFileSync(new URL("../../docs/operations.md", import.meta.url), "utf8");
  const table = text.split("### Metrics\n")[1]?.split("\n#")[0] ?? "";
  const rows = table.split("\n").filter((line) => line.startsWith("| `beacon_"));
  const expected = DEFINITIONS.map(
    ({ name, type, labels, help }) => `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(", ")} | ${help} |`,
  );
  assert.deepEqual(rows, expected);
});
