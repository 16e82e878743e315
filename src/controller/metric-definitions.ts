/**
 * Every metric of BEACON's own: name, type, labels and meaning. docs/operations.md lists them, and a test compares.
 *
 * Names begin with `beacon_`; times are seconds. No label holds a resource's name: the values of each are a short list that is
 * written here, a stack, a Monitor, or an operation of AWS that some kind declares.
 */

import type { StackStatus } from "../core/record.ts";
import type { MonitorState } from "../monitor/run.ts";
import type { ControllerEvent, Trigger } from "./events.ts";

type EventOf<Type extends ControllerEvent["type"]> = Extract<ControllerEvent, { type: Type }>;

/** One metric. `values`: the labels whose values are a closed list. */
export type Definition = {
  readonly name: string;
  readonly type: "gauge" | "counter" | "histogram";
  readonly labels: readonly string[];
  readonly help: string;
  readonly values?: Readonly<Record<string, readonly string[]>>;
  /** Upper bounds of a histogram's buckets, in seconds. */
  readonly buckets?: readonly number[];
};

/** The members of a closed union, which the compiler compares with it. */
function listed<Member extends string>(members: Readonly<Record<Member, true>>): readonly Member[] {
  return Object.keys(members) as Member[];
}

export const PHASES = listed<StackStatus["phase"]>({
  Synced: true,
  Converging: true,
  Drifted: true,
  Stalled: true,
  AwaitingApproval: true,
  Paused: true,
});
export const MONITOR_STATES = listed<MonitorState>({ healthy: true, unhealthy: true, unknown: true });
const OUTCOMES = listed<EventOf<"passEnded">["outcome"]>({ quiet: true, acted: true, failed: true });
const MODES = listed<EventOf<"driftFound">["mode"]>({ correct: true, report: true });
const TRIGGERS = listed<Trigger>({ interval: true, revision: true, request: true, event: true, retry: true, verify: true, start: true });

// A look at one kind takes a tenth of a second, a pass that waits for AWS 20 s, one that is throttled minutes.
const PASS_BUCKETS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 60, 300];
// Seconds through events, an interval or two by polling, and whatever a correction that fails at first takes.
const CORRECTION_BUCKETS = [0.5, 1, 2, 5, 10, 30, 60, 120, 300, 900, 3600];

/** What is read from the snapshot whenever somebody asks. */
export const READINGS = {
  buildInfo: { name: "beacon_build_info", type: "gauge", labels: ["version", "node"], help: "1; the versions are labels." },
  healthy: { name: "beacon_healthy", type: "gauge", labels: [], help: "1 while the loop turns and the state table answers." },
  ready: { name: "beacon_ready", type: "gauge", labels: [], help: "1 once the first look around is done." },
  replicas: { name: "beacon_replicas", type: "gauge", labels: [], help: "Controllers of this state table that live." },
  leaseHeld: {
    name: "beacon_lease_held",
    type: "gauge",
    labels: ["stack"],
    help: "1 where this replica holds the stack, 0 where another or nobody does.",
  },
  queueDepth: { name: "beacon_queue_depth", type: "gauge", labels: ["stack"], help: "Keys that are due and not looked at yet." },
  queueOldest: { name: "beacon_queue_oldest_seconds", type: "gauge", labels: ["stack"], help: "How long the oldest of them has been due." },
  resources: { name: "beacon_resources", type: "gauge", labels: ["stack"], help: "Resources of the stack." },
  conditions: {
    name: "beacon_resource_conditions",
    type: "gauge",
    labels: ["stack", "condition"],
    help: "Resources that are Ready, Drifted or Stalled.",
  },
  phase: {
    name: "beacon_stack_phase",
    type: "gauge",
    labels: ["stack", "phase"],
    help: "1 for the phase that the stack is in, 0 for the others.",
  },
  revision: { name: "beacon_revision", type: "gauge", labels: ["stack"], help: "Number of the revision that is worked on." },
  converged: {
    name: "beacon_revision_converged",
    type: "gauge",
    labels: ["stack"],
    help: "Number of the newest revision that was wholly brought about.",
  },
  awaiting: { name: "beacon_awaiting_approval", type: "gauge", labels: ["stack"], help: "1 while a person is waited for." },
  sourceInvalid: {
    name: "beacon_source_invalid",
    type: "gauge",
    labels: ["stack"],
    help: "1 while the watched manifests are not accepted.",
  },
  monitorState: {
    name: "beacon_monitor_state",
    type: "gauge",
    labels: ["stack", "monitor", "state"],
    help: "1 for what the Monitor's last check found, 0 for the other states; unknown: nobody could look.",
  },
  monitorFailing: {
    name: "beacon_monitor_failing",
    type: "gauge",
    labels: ["stack", "monitor"],
    help: "1 from a Monitor's alert to its recovery.",
  },
  awsCalls: {
    name: "beacon_aws_calls_total",
    type: "counter",
    labels: ["service", "action", "result"],
    help: "Calls to AWS: ok, throttled, or failed, which a plain not-found is, too.",
  },
  awsRetries: {
    name: "beacon_aws_retries_total",
    type: "counter",
    labels: ["service", "action"],
    help: "Calls that repeated an earlier one.",
  },
} as const satisfies Readonly<Record<string, Definition>>;

/** What events count. */
export const COUNTS = {
  leaseChanges: {
    name: "beacon_lease_changes_total",
    type: "counter",
    labels: ["change"],
    help: "Leases that were taken, released or lost.",
    values: { change: ["taken", "released", "lost"] },
  },
  passes: {
    name: "beacon_pass_seconds",
    type: "histogram",
    labels: ["stack", "outcome"],
    help: "How long passes took, by whether they found nothing to do, acted, or had failures.",
    values: { outcome: OUTCOMES },
    buckets: PASS_BUCKETS,
  },
  passFailures: {
    name: "beacon_pass_failures_total",
    type: "counter",
    labels: ["stack"],
    help: "Passes that could not be ended, and are tried again.",
  },
  triggers: {
    name: "beacon_pass_triggers_total",
    type: "counter",
    labels: ["stack", "trigger"],
    help: "What made passes look.",
    values: { trigger: TRIGGERS },
  },
  driftFound: {
    name: "beacon_drift_found_total",
    type: "counter",
    labels: ["stack", "mode"],
    help: "Resources that were found to have drifted, by whether it is corrected or only reported.",
    values: { mode: MODES },
  },
  driftCorrected: {
    name: "beacon_drift_corrected_total",
    type: "counter",
    labels: ["stack"],
    help: "Resources whose drift was corrected.",
  },
  driftGone: { name: "beacon_drift_gone_total", type: "counter", labels: ["stack"], help: "Resources whose drift went by itself." },
  corrections: {
    name: "beacon_correction_seconds",
    type: "histogram",
    labels: ["stack"],
    help: "From a change to its correction; from when it was first seen, where AWS does not tell when it was.",
    buckets: CORRECTION_BUCKETS,
  },
} as const satisfies Readonly<Record<string, Definition>>;

export const DEFINITIONS: readonly Definition[] = [...Object.values(READINGS), ...Object.values(COUNTS)];
