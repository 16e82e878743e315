/**
 * What main.ts hands to the commands: the outside world behind ports, each part made when first asked for.
 *
 * A command that must not write asks for {@link Services.look} and gets handles without a way to write; only apply, rollback,
 * delete, unprotect, unlock, and those that ask something of a controller, ask for {@link Services.change}.
 */

import type { CallCount } from "../aws/calls.ts";
import type { Caller } from "../aws/handle.ts";
import type { Identity } from "../aws/identity.ts";
import type { OperationName, Reader, Writer } from "../aws/service.ts";
import type { JsonObject } from "../core/json.ts";
import type { Lease, Runtime, StateReader, StateStore } from "../core/store.ts";
import type { EventsBootstrap } from "../events/bootstrap.ts";
import type { Kinds } from "../kind/kind.ts";

/** Where to look: what the flags and the environment say. */
export type Target = {
  readonly region?: string;
  readonly profile?: string;
  readonly endpoint?: string;
  readonly roleArn?: string;
  readonly sandbox: boolean;
  readonly sandboxDir?: string;
  /** Said aloud when something slow is begun on the way: the sandbox's first installation. */
  readonly onNote: (text: string) => void;
};

/** A way to AWS and to the state that cannot write. */
export type Looking = {
  readonly region: string;
  /** Who the credentials belong to, from STS. */
  readonly accountId: string;
  readonly caller: string;
  readonly sandbox: boolean;
  /** The endpoint is on this machine. */
  readonly local: boolean;
  readonly reader: Reader;
  readonly store: StateReader;
  /** Every call so far, BEACON's own to its table among them. */
  readonly calls: () => readonly CallCount[];
  /** Closes idle connections, so that the process can end. */
  readonly close: () => Promise<void>;
};

/** Likewise, and may write under a lease. */
export type Changing = Looking & { readonly store: StateStore; readonly writer: (lease: Lease, stop?: AbortSignal) => Writer };

/** A way for a controller: to the table, and for each stack with the rights of its role. */
export type Controlling = Pick<Changing, "region" | "accountId" | "caller" | "sandbox" | "local" | "store" | "calls" | "close"> & {
  readonly leaseTtlMs: number;
  /** A way to AWS as this role; without one, as the process itself. Throws AccountMismatch where it leads to another account. */
  readonly open: (whose: {
    readonly roleArn?: string;
    readonly accountId?: string;
  }) => Promise<Pick<Changing, "region" | "accountId" | "caller" | "reader" | "writer" | "calls">>;
  /** To the queue of `bootstrap --events`. */
  readonly queue: Caller;
  /** So many controllers use the account's rates alike. */
  readonly shareWith: (count: number) => void;
};

/** The state table as one look found it. `foreign`: something else has its name. `wrong`: what bootstrap would put right. */
export type StateTable = {
  readonly name: string;
  readonly state: "ready" | "absent" | "preparing" | "foreign";
  readonly wrong: readonly string[];
};

/** A way to AWS that asks nothing by itself, so that what is missing is found one by one. */
export type Examining = Pick<Looking, "region" | "sandbox" | "reader" | "store" | "close"> & {
  readonly whoAmI: () => Promise<Identity>;
  readonly stateTable: () => Promise<StateTable>;
};

/** The local AWS. */
export type SandboxControl = {
  readonly start: (options: {
    dir?: string;
    port?: number;
    delaySeconds?: number;
    onNote: (text: string) => void;
  }) => Promise<SandboxState>;
  readonly stop: (options: { dir?: string }) => Promise<{ readonly stopped: boolean }>;
  readonly status: (options: { dir?: string }) => Promise<SandboxState | undefined>;
  readonly reset: (options: { dir?: string }) => Promise<void>;
  /** A public key that stands in for a key file that is not there; the same for one sandbox. */
  readonly throwAwayKey: (options: { dir?: string }) => string;
  /** The Python it would be installed with. Throws SandboxUnavailable where there is none that is new enough. */
  readonly python: () => Promise<string>;
};

/** A sandbox that runs. */
export type SandboxState = { readonly endpoint: string; readonly pid: number; readonly startedAt: string; readonly dir: string };

/** What `bootstrap` did. */
export type Bootstrapped = {
  readonly table: string;
  readonly created: boolean;
  readonly region: string;
  /** Absent where events were not asked for. */
  readonly events?: EventsBootstrap;
};

/** What to make beside the state table. `events`: the name of the queue that AWS's events come through. */
export type BootstrapOptions = { readonly accountId?: string; readonly events?: string };

/** See the file's header. */
export type Services = {
  readonly version: string;
  readonly kinds: () => Promise<Kinds>;
  readonly runtime: () => Promise<Runtime>;
  readonly look: (target: Target) => Promise<Looking>;
  readonly change: (target: Target) => Promise<Changing>;
  readonly control: (target: Target) => Promise<Controlling>;
  /** Asks for nothing yet. Throws RegionMissing, or what an unavailable sandbox throws. */
  readonly examine: (target: Target) => Promise<Examining>;
  /** Creates the state table where it is missing, and the way of events where it is asked for; resolves to what was done. */
  readonly bootstrap: (target: Target, options: BootstrapOptions) => Promise<Bootstrapped>;
  /** The IAM policy that these operations, and the state table, need. */
  readonly iamPolicy: (operations: readonly OperationName[], scope: { accountId?: string; region?: string }) => Promise<JsonObject>;
  readonly sandbox: () => Promise<SandboxControl>;
};
