/**
 * `npm run simulation`: thousands of seeds. `SEED=n` replays one, with its story; `SEEDS=n` and `FIRST=n` choose how many and
 * from where.
 */

import { simulate } from "./scenario.ts";

const one = process.env.SEED;
const first = Number(process.env.FIRST ?? 1);
const count = Number(process.env.SEEDS ?? 3000);
const FAILURES_MAX = 10;

const startedMs = performance.now();
const failures: string[] = [];
let [applies, virtualMs] = [0, 0];

if (one !== undefined) {
  const story = await simulate(Number(one));
  console.log(story.trace.join("\n"));
  console.log(`seed ${one}: as it should be`);
} else {
  for (let seed = first; seed < first + count && failures.length < FAILURES_MAX; seed++) {
    try {
      const story = await simulate(seed);
      applies += story.applies;
      virtualMs += story.virtualMs;
    } catch (error) {
      failures.push((error as Error).message);
    }
  }
  for (const failure of failures) console.error(`${failure}\n`);
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  console.log(
    `${count} seeds, ${applies} applies, ${Math.round(virtualMs / 3_600_000)} virtual hours in ${seconds} s: ${failures.length} failed`,
  );
  process.exitCode = failures.length > 0 ? 1 : 0;
}
