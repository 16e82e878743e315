/** What the manifest layer hands to the engine: a stack compiled offline, before any AWS call. */

import type { JsonObject } from "./json.ts";
import type { KindId, Lifecycle, Resource, ResourceKey, Stack } from "./resource.ts";

/**
 * What expressions see of another resource: its spec and status values, as far as known. `undefined`: nothing is known
 * yet. An attribute that is absent makes the expression that reads it `Unknown`.
 */
export type View = (key: ResourceKey) => JsonObject | undefined;

/** An `Environment` document, defaults filled in. */
export type EnvironmentSettings = {
  readonly name: string;
  /** Absent: `--region`, then AWS_REGION, then an error. */
  readonly region?: string;
  /** Any other account is refused; the sandbox is exempt. */
  readonly accountId?: string;
  readonly roleArn?: string;
  /** Phrases that must be typed, or given as `--confirm`. */
  readonly confirm: { readonly apply?: string; readonly delete?: string };
  /** Of resources that say nothing themselves, the mode; how often it is looked for; and after how many rounds another writer has won. */
  readonly drift: { readonly mode: Lifecycle["drift"]; readonly intervalMs?: number; readonly contestedAfter?: number };
  /** Whether a controller accepts a valid change of watched manifests by itself; `allow`: also one that does so. */
  readonly approval: { readonly mode: "auto" | "manual"; readonly allow: { readonly replace: boolean; readonly delete: boolean } };
};

/** A lookup to resolve when the revision is accepted; its spec is static. */
export type LookupRequest = { readonly key: ResourceKey; readonly kind: KindId; readonly spec: JsonObject; readonly declaredAt: string };

/** A Monitor: a check, declared as data. It is no resource: it has no record, and no plan knows it. */
export type CompiledMonitor = {
  /** `Monitor/backend`. */
  readonly key: ResourceKey;
  /** The name of its check. */
  readonly check: string;
  /** Values in the manifest's words; expressions where the value comes from a resource. */
  readonly spec: JsonObject;
  /** Resources and lookups that must be looked at to know all of its spec; none where everything is known. */
  readonly needs: readonly ResourceKey[];
  /** `manifests/monitors.yaml:7:1`. */
  readonly declaredAt: string;
  /** The spec with every expression evaluated; `Unknown` where the view does not know enough. */
  readonly resolve: (view: View) => JsonObject;
};

/** A stack, compiled: everything static evaluated, everything remote an expression. */
export type CompiledStack = {
  readonly stack: Stack;
  /** The project's `spec.id` or git remote: an apply from another source is refused. */
  readonly source: string;
  readonly environment: EnvironmentSettings;
  readonly resources: readonly Resource[];
  readonly lookups: readonly LookupRequest[];
  readonly monitors: readonly CompiledMonitor[];
  /** Over resources, lookups, monitors and outputs: the same manifests and parameters give the same digest. */
  readonly digest: string;
  /** The resource's spec with every expression evaluated; `Unknown` where the view does not know enough. `null` members are left out. */
  readonly resolve: (resource: Resource, view: View) => JsonObject;
  /** Whether the resource's `readyWhen` holds; `why` names the first condition that does not. `self` is the resource in the view. */
  readonly readyWhen: (resource: Resource, view: View) => { readonly met: true } | { readonly met: false; readonly why: string };
  /** The project's outputs; `Unknown` where the view does not know enough, null where a resource is excluded. */
  readonly outputs: (view: View) => JsonObject;
  /** Names of outputs whose values change by themselves: a change of theirs alone is no difference. */
  readonly liveOutputs: ReadonlySet<string>;
  /** The outputs that a person should see after an apply, by name. */
  readonly summary: readonly string[];
  /** What the project says is to be done after an apply; steps that the view does not know enough for are left out. */
  readonly nextSteps: (view: View) => readonly string[];
};
