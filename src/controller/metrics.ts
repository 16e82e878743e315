/**
 * Metrics for Prometheus.
 *
 * What happens is counted when it is told; how things stand is read from the view when somebody asks. A stack's series go with
 * its lease: whoever holds it next goes on from zero, and sums over replicas stay right.
 */

import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import { stackName } from "../core/resource.ts";
import type { ControllerEvent, Listener } from "./events.ts";
import { COUNTS, type Definition, MONITOR_STATES, PHASES, READINGS } from "./metric-definitions.ts";
import type { ControllerSnapshot, ControllerView, StackSnapshot } from "./snapshot.ts";

/** What the HTTP server serves, and what is to hear of events. */
export type Metrics = {
  readonly listener: Listener;
  /** Prometheus' text format. */
  readonly text: () => Promise<string>;
  readonly contentType: string;
};

type Labels = Readonly<Record<string, string>>;
type Sample = readonly [labels: Labels, value: number];
type Instruments = Readonly<Record<keyof typeof COUNTS, Counter | Histogram>>;

/** Metrics in a registry of their own, with those of the process and of Node beside. */
export function createMetrics({ view }: { readonly view: Pick<ControllerView, "snapshot"> }): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const readings = Object.entries(READINGS).map(([name, definition]) => {
    return { instrument: gaugeOrCounter(definition, registry), samples: SAMPLES[name as keyof typeof READINGS] };
  });
  const counts = Object.fromEntries(Object.entries(COUNTS).map(([name, own]) => [name, instrumentOf(own, registry)])) as Instruments;
  const stacks = new Set<string>();
  return {
    listener: (event) => {
      stacks.add(stackName(event.stack));
      for (const [name, labels, value] of countsOf(event)) add(counts[name], labels, value);
    },
    text: () => {
      const snapshot = view.snapshot();
      keepHeld(counts, stacks, snapshot);
      for (const { instrument, samples } of readings) {
        instrument.reset();
        for (const [labels, value] of samples(snapshot)) instrument.inc(labels, value);
      }
      return registry.metrics();
    },
    contentType: registry.contentType,
  };
}

const SAMPLES: { readonly [Name in keyof typeof READINGS]: (snapshot: ControllerSnapshot) => readonly Sample[] } = {
  buildInfo: ({ version }) => [[{ version, node: process.version.slice(1) }, 1]],
  healthy: ({ unhealthy }) => [[{}, unhealthy === undefined ? 1 : 0]],
  ready: ({ ready }) => [[{}, ready ? 1 : 0]],
  replicas: ({ replicas }) => [[{}, replicas]],
  leaseHeld: ({ stacks }) => stacks.map(({ stack, held }) => [{ stack }, held ? 1 : 0]),
  queueDepth: ofHeld(({ queue }) => [[{}, queue.depth]]),
  queueOldest: ofHeld(({ queue }) => [[{}, queue.oldestMs / 1000]]),
  resources: ofHeld(({ status }) => (status ? [[{}, status.counts.resources]] : [])),
  conditions: ofHeld(({ status }) => {
    if (!status) return [];
    const { ready, drifted, stalled } = status.counts;
    return Object.entries({ Ready: ready, Drifted: drifted, Stalled: stalled }).map(([condition, number]) => [{ condition }, number]);
  }),
  phase: ofHeld(({ status }) => (status ? oneOf("phase", PHASES, status.phase) : [])),
  revision: ofHeld(({ status }) => (status ? [[{}, status.revision]] : [])),
  converged: ofHeld(({ status }) => (status ? [[{}, status.converged]] : [])),
  awaiting: ofHeld(({ status }) => (status ? [[{}, status.awaiting ? 1 : 0]] : [])),
  sourceInvalid: ofHeld(({ status }) => (status ? [[{}, status.sourceProblem === undefined ? 0 : 1]] : [])),
  monitorState: ofHeld(({ monitors = [] }) =>
    monitors.flatMap(({ monitor, state }) =>
      oneOf("state", MONITOR_STATES, state).map(([own, value]) => [{ monitor, ...own }, value] as const),
    ),
  ),
  monitorFailing: ofHeld(({ monitors = [] }) => monitors.map(({ monitor, failing }) => [{ monitor }, failing ? 1 : 0])),
  awsCalls: ({ calls }) =>
    calls.flatMap(({ operation, calls: all, throttles, failures }) =>
      Object.entries({ ok: all - throttles - failures, throttled: throttles, failed: failures }).map(
        ([result, number]) => [{ ...operationLabels(operation), result }, number] as const,
      ),
    ),
  awsRetries: ({ calls }) => calls.map(({ operation, retries }) => [operationLabels(operation), retries]),
};

function ofHeld(samples: (stack: StackSnapshot) => readonly Sample[]): (snapshot: ControllerSnapshot) => readonly Sample[] {
  return ({ stacks }) =>
    stacks
      .filter(({ held }) => held)
      .flatMap((stack) => samples(stack).map(([labels, value]) => [{ stack: stack.stack, ...labels }, value] as const));
}

function oneOf(label: string, values: readonly string[], present: string): readonly Sample[] {
  return values.map((value) => [{ [label]: value }, value === present ? 1 : 0]);
}

function operationLabels(operation: string): Labels {
  const [service = "", action = ""] = operation.split(":");
  return { service, action };
}

/** What the event adds to which count. */
function countsOf(event: ControllerEvent): readonly (readonly [name: keyof typeof COUNTS, ...Sample])[] {
  const stack = stackName(event.stack);
  switch (event.type) {
    case "leaseTaken":
      return [["leaseChanges", { change: "taken" }, 1]];
    case "leaseReleased":
      return [["leaseChanges", { change: "released" }, 1]];
    case "leaseLost":
      return [["leaseChanges", { change: "lost" }, 1]];
    case "passEnded":
      return [
        ["passes", { stack, outcome: event.outcome }, event.elapsedMs / 1000],
        ...event.triggers.map((trigger) => ["triggers", { stack, trigger }, 1] as const),
      ];
    case "passFailed":
      return [["passFailures", { stack }, 1]];
    case "driftFound":
      return [["driftFound", { stack, mode: event.mode }, 1]];
    case "driftCorrected":
      return [
        ["driftCorrected", { stack }, 1],
        ["corrections", { stack }, event.afterMs / 1000],
      ];
    case "driftGone":
      return [["driftGone", { stack }, 1]];
    case "driftAttributed":
    case "stalled":
    case "recovered":
    case "revisionAccepted":
    case "revisionConverged":
    case "approvalNeeded":
    case "sourceInvalid":
    case "paused":
    case "resumed":
    case "monitorFailed":
    case "monitorRecovered":
      return [];
  }
}

/** Takes away the series of stacks that are held no longer, and begins the others at zero, so that a first increase shows. */
function keepHeld(counts: Instruments, stacks: Set<string>, { stacks: all }: ControllerSnapshot): void {
  const held = new Set(all.filter((stack) => stack.held).map(({ stack }) => stack));
  const gone = [...stacks].filter((stack) => !held.has(stack));
  for (const [name, definition] of Object.entries<Definition>(COUNTS)) {
    const instrument = counts[name as keyof typeof COUNTS];
    const labelsOf = (stack: string) => variants(definition, definition.labels.includes("stack") ? { stack } : {});
    if (definition.labels.includes("stack")) for (const labels of gone.flatMap(labelsOf)) instrument.remove(labels);
    if (instrument instanceof Counter) for (const labels of [...held].flatMap(labelsOf)) instrument.inc(labels, 0);
  }
  stacks.clear();
  for (const stack of held) stacks.add(stack);
}

/** These labels with every value that the others can have. */
function variants({ values = {} }: Definition, labels: Labels): readonly Labels[] {
  return Object.entries(values).reduce<readonly Labels[]>(
    (all, [label, own]) => all.flatMap((before) => own.map((value) => ({ ...before, [label]: value }))),
    [labels],
  );
}

function add(instrument: Counter | Histogram, labels: Labels, value: number): void {
  if (instrument instanceof Counter) instrument.inc(labels, value);
  else instrument.observe(labels, value);
}

function gaugeOrCounter(definition: Definition, registry: Registry): Gauge | Counter {
  const { name, help, labels } = definition;
  const own = { name, help, labelNames: [...labels], registers: [registry] };
  return definition.type === "counter" ? new Counter(own) : new Gauge(own);
}

function instrumentOf(definition: Definition, registry: Registry): Counter | Histogram {
  const { name, help, labels, buckets = [] } = definition;
  const own = { name, help, labelNames: [...labels], registers: [registry] };
  return definition.type === "counter" ? new Counter(own) : new Histogram({ ...own, buckets: [...buckets] });
}
