/**
 * A run as it goes. In a terminal every resource under way has a line that is redrawn; elsewhere a line is written when a
 * resource's state changes, and every ten seconds for what is still under way, so that a log shows that nothing hangs.
 */

import { formatDuration } from "../../core/duration.ts";
import type { Progress } from "../../engine/types.ts";
import type { Io, Style } from "../io.ts";

/** Shows progress until closed. */
export type ProgressView = { readonly onProgress: (progress: Progress) => void; readonly close: () => void };

/** What a frame is drawn from. */
export type RunState = {
  readonly total: number;
  readonly under: ReadonlyMap<string, { readonly progress: Progress; readonly at: number }>;
  readonly done: number;
  readonly failed: number;
};

const REMIND_MS = 10_000;
// A wait shorter than this is over before anybody has read about it.
const WORTH_SAYING_MS = 1000;
const FRAME_MS = 100;
// As many lines as fit a small terminal beside the bar; the rest is counted.
const LINES_MAX = 12;
const BAR_WIDTH = 20;
// Room for the longest usual name; a narrow terminal leaves the names less, so that what happens can be read beside them.
const NAME_WIDTH = 40;
const NAME_WIDTH_MIN = 16;
const REST_WIDTH = 40;
// What a terminal that does not tell its width has.
const COLUMNS = 80;
const SPINNER = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

/** The view that fits the terminal. `total`: how many resources change. `calls`: AWS calls so far. */
export async function createProgressView(io: Io, options: { total: number; calls: () => number }): Promise<ProgressView> {
  return io.live ? liveView(io, options) : plainView(io, performance.now.bind(performance));
}

type Watched = { progress: Progress; at: number; readonly since: number; saidAt: number | undefined };

/** Lines only. `now` in milliseconds. */
export function plainView(io: Pick<Io, "err" | "errStyle">, now: () => number): ProgressView & { readonly remind: () => void } {
  const under = new Map<string, Watched>();
  const onProgress = (progress: Progress): void => {
    const before = under.get(progress.key);
    const same = before?.progress.phase === progress.phase && before.progress.message === progress.message;
    if (same && before) Object.assign(before, { progress, at: now() });
    else under.set(progress.key, { progress, at: now(), since: now(), saidAt: undefined });
    if (!isFinal(progress)) return;
    under.delete(progress.key);
    io.err(progressLine(progress, 0, io.errStyle));
  };
  const remind = (): void => {
    for (const entry of under.values()) {
      if (!isDue(entry, now())) continue;
      entry.saidAt = now();
      io.err(progressLine(entry.progress, now() - entry.at, io.errStyle));
    }
  };
  const timer = setInterval(remind, WORTH_SAYING_MS).unref();
  return { onProgress, remind, close: () => clearInterval(timer) };
}

// What waits is said once it is worth it, and again every ten seconds; what is being done, when it takes that long.
function isDue({ progress, since, saidAt }: Watched, now: number): boolean {
  if (progress.phase === "after") return false;
  if (saidAt !== undefined) return now - saidAt >= REMIND_MS;
  return now - since >= (progress.phase === "waiting" ? WORTH_SAYING_MS : REMIND_MS);
}

async function liveView(io: Io, { total, calls }: { total: number; calls: () => number }): Promise<ProgressView> {
  const [{ createLogUpdate }, { default: sliceAnsi }] = await Promise.all([import("log-update"), import("slice-ansi")]);
  const screen = createLogUpdate(process.stderr);
  const under = new Map<string, { progress: Progress; at: number }>();
  const counts = { done: 0, failed: 0 };
  const draw = (): void => {
    const columns = process.stderr.columns || COLUMNS;
    const text = frame({ total, under, ...counts }, { now: performance.now(), calls: calls(), style: io.errStyle, columns });
    const lines = text.split("\n").map((line) => sliceAnsi(line, 0, columns));
    screen(lines.join("\n"));
  };
  const onProgress = (progress: Progress): void => {
    if (!isFinal(progress)) return void under.set(progress.key, { progress, at: performance.now() });
    under.delete(progress.key);
    counts[progress.phase === "failed" ? "failed" : "done"] += 1;
    screen.clear();
    io.err(progressLine(progress, 0, io.errStyle));
    draw();
  };
  const timer = setInterval(draw, FRAME_MS).unref();
  const close = (): void => {
    clearInterval(timer);
    screen.clear();
    screen.done();
  };
  return { onProgress, close };
}

/** The redrawn part: what is under way, and one line that sums up. */
export function frame(state: RunState, view: { now: number; calls: number; style: Style; columns?: number }): string {
  const { now, calls, style, columns = COLUMNS } = view;
  const nameWidth = Math.min(NAME_WIDTH, Math.max(NAME_WIDTH_MIN, columns - REST_WIDTH));
  const entries = [...state.under.values()].sort((left, right) => rank(left.progress) - rank(right.progress));
  const lines = entries
    .slice(0, LINES_MAX)
    .map(({ progress, at }) =>
      progressLine(progress, now - at, style, { spinner: SPINNER[Math.floor(now / FRAME_MS) % SPINNER.length], nameWidth }),
    );
  const more = entries.length - lines.length;
  return [...lines, ...(more > 0 ? [style.dim(`    … and ${more} more`)] : []), summary(state, calls, style)].join("\n");
}

function summary(state: RunState, calls: number, style: Style): string {
  const finished = state.done + state.failed;
  const filled = state.total === 0 ? BAR_WIDTH : Math.min(BAR_WIDTH, Math.round((finished / state.total) * BAR_WIDTH));
  const waiting = [...state.under.values()].filter(({ progress }) => progress.phase === "waiting").length;
  const bar = `${"█".repeat(filled)}${style.dim("░".repeat(BAR_WIDTH - filled))}`;
  return ` ${finished} of ${state.total} ${bar}  ${waiting} waiting  ${state.failed} failed   ${style.dim(`${calls} calls`)}`;
}

/** One resource's line. `sinceMs`: since the progress was reported, added to its elapsed time. */
export function progressLine(
  progress: Progress,
  sinceMs: number,
  style: Style,
  { spinner = "…", nameWidth = NAME_WIDTH }: { spinner?: string | undefined; nameWidth?: number } = {},
): string {
  const name = progress.generation > 1 ? `${progress.key} (g${progress.generation})` : progress.key;
  return `  ${symbol(progress, style, spinner)} ${name.padEnd(nameWidth)}  ${state(progress, progress.elapsedMs + sinceMs)}`;
}

function state({ phase, message }: Progress, elapsedMs: number): string {
  switch (phase) {
    case "waiting":
      return `waiting ${formatDuration(elapsedMs)}: ${message}`;
    case "done":
    case "acting":
      return `${message.padEnd(12)} ${formatDuration(elapsedMs)}`;
    case "after":
    case "failed":
    case "skipped":
      return message;
  }
}

function symbol({ phase }: Progress, style: Style, spinner: string): string {
  switch (phase) {
    case "done":
      return style.green("✓");
    case "failed":
      return style.red("✗");
    case "skipped":
    case "after":
      return style.dim("·");
    case "acting":
    case "waiting":
      return style.cyan(spinner);
  }
}

// What is being done stands above what waits, and both above what has not begun.
function rank({ phase }: Progress): number {
  return phase === "acting" ? 0 : phase === "waiting" ? 1 : 2;
}

function isFinal({ phase }: Progress): boolean {
  return phase === "done" || phase === "failed" || phase === "skipped";
}
