/**
 * Plays the simulations: `npm run simulation`, `SEEDS=20000`, `SEED=17` for one with its trace, `FIRST=1000` to begin elsewhere.
 * `SCENARIO=engine` or `SCENARIO=sharing` plays one of them alone. Ends with 1 if any seed fails, after printing its trace.
 */

import { simulate } from "./scenario.ts";
import { simulateSharing } from "./sharing/scenario.ts";

const one = process.env.SEED;
const first = Number(process.env.FIRST ?? 1);
const FAILURES_MAX = 10;

/** One run of a seed: its trace, how long it was, and figures of which the distribution is of interest. */
type Story = {
  readonly trace: readonly string[];
  readonly virtualMs: number;
  readonly figures: Readonly<Record<string, readonly number[]>>;
};
type Scenario = { readonly seeds: number; readonly play: (seed: number) => Promise<Story> };

const SCENARIOS: Readonly<Record<string, Scenario>> = {
  engine: {
    seeds: 3000,
    play: async (seed) => {
      const { applies, ...story } = await simulate(seed);
      return { ...story, figures: { applies: [applies] } };
    },
  },
  sharing: {
    seeds: 100,
    play: async (seed) => {
      const { isHard, takeoverMs, handoverMs, driftMs, settledMs, ...story } = await simulateSharing(seed);
      const when = isHard ? "with faults" : "without faults";
      const named = { takeover: takeoverMs, handover: handoverMs, drift: driftMs, settled: settledMs };
      return { ...story, figures: Object.fromEntries(Object.entries(named).map(([name, values]) => [`${name} ${when}, ms`, values])) };
    },
  },
};

const chosen = process.env.SCENARIO;
for (const [name, scenario] of Object.entries(SCENARIOS)) {
  if (chosen !== undefined ? chosen === name : one === undefined || name === "engine") await playAll(name, scenario);
}

async function playAll(name: string, { seeds, play }: Scenario): Promise<void> {
  if (one !== undefined) {
    const story = await play(Number(one));
    console.log(story.trace.join("\n"));
    console.log(`${name}, seed ${one}: as it should be`);
    return;
  }
  const count = Number(process.env.SEEDS ?? seeds);
  const startedMs = performance.now();
  const failures: string[] = [];
  const figures = new Map<string, number[]>();
  let virtualMs = 0;
  for (let seed = first; seed < first + count && failures.length < FAILURES_MAX; seed++) {
    try {
      const story = await play(seed);
      virtualMs += story.virtualMs;
      for (const [figure, values] of Object.entries(story.figures)) figures.set(figure, [...(figures.get(figure) ?? []), ...values]);
    } catch (error) {
      failures.push((error as Error).message);
    }
  }
  for (const failure of failures) console.error(`${failure}\n`);
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  console.log(`${name}: ${count} seeds, ${(virtualMs / 3_600_000).toFixed(1)} virtual hours in ${seconds} s: ${failures.length} failed`);
  for (const [figure, values] of figures) if (values.length > 0) console.log(`  ${figure}: ${spread(values)}`);
  if (failures.length > 0) process.exitCode = 1;
}

function spread(values: readonly number[]): string {
  const sorted = values.toSorted((left, right) => left - right);
  const at = (share: number) => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN);
  return `${values.length} in all, p50 ${at(0.5)}, p90 ${at(0.9)}, p99 ${at(0.99)}, max ${at(1)}`;
}
