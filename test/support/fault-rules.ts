/**
 * What can be made to go wrong between a client and AWS, and which calls it befalls.
 *
 * Rules are plain JSON (save `where`), so that another process can set them too. The first rule that matches a call and is
 * due decides what becomes of it; every matching rule counts it.
 */

import type { AwsCall } from "./aws-call.ts";

/** Before the call is executed, or after it and before its answer is sent. */
export type When = "before" | "after";

/** What happens to a call. */
export type Fault =
  /** Executed, then the connection breaks. */
  | { readonly type: "lostResponse" }
  /** The connection breaks and nothing is executed. */
  | { readonly type: "lostRequest" }
  /** An AWS error by name, instead of executing the call or instead of its answer. */
  | { readonly type: "error"; readonly when: When; readonly status: number; readonly code: string; readonly message?: string }
  /** Answered with this, and not executed: a world as somebody makes believe it is. */
  | { readonly type: "answer"; readonly body: string }
  /** The service's own throttling error; not executed. */
  | { readonly type: "throttle" }
  | { readonly type: "delay"; readonly when: When; readonly ms: number }
  /** Waits until the injection is released. */
  | { readonly type: "hold"; readonly when: When }
  /** Sends a signal to a process. A call that SIGKILL precedes is not executed; one that SIGSTOP precedes is. */
  | { readonly type: "signal"; readonly when: When; readonly pid: number; readonly signal: NodeJS.Signals }
  /**
   * Writes `to` for `from` in the answers of a create (any mutating call) and of the reads after it: for so many reads that
   * show `from`, or for so long since the last create. Without either: always.
   */
  | { readonly type: "delayState"; readonly from: string; readonly to: string; readonly reads?: number; readonly ms?: number }
  /** EC2's eventual consistency: what was created through this rule is missing from Describe answers for so long. */
  | { readonly type: "hideNew"; readonly ms: number };

/** Which calls. `operations` and `except` take names with `*`: `ec2:Create*`. `contains` looks into the request's body. */
export type Match = {
  readonly operations?: readonly string[];
  readonly except?: readonly string[];
  readonly mutating?: boolean;
  readonly contains?: string;
  readonly where?: (call: AwsCall) => boolean;
};

/** `nth` counts matching calls from 1 (default 1); the fault befalls that call and the `times - 1` after it (default 1). */
export type Rule = { readonly match: Match; readonly fault: Fault; readonly nth?: number; readonly times?: number | "always" };

/** A rule at work. */
export class Injection {
  readonly id: number;
  readonly rule: Rule;
  /** Matching calls so far, and those that met the fault. */
  seen = 0;
  fired = 0;
  /** Resolves with the first call that meets the fault (for `hold`: when it is being held). */
  readonly struck: Promise<AwsCall>;
  /** Resolves when the test lets held calls go on. */
  readonly released: Promise<void>;
  readonly release: () => void;
  readonly #strike: (call: AwsCall) => void;

  constructor(id: number, rule: Rule) {
    this.id = id;
    this.rule = rule;
    const struck = Promise.withResolvers<AwsCall>();
    const released = Promise.withResolvers<void>();
    this.struck = struck.promise;
    this.#strike = struck.resolve;
    this.released = released.promise;
    this.release = released.resolve;
  }

  /** Counts a call, and tells whether the fault is due. */
  counts(call: AwsCall): boolean {
    if (!matches(this.rule.match, call)) return false;
    this.seen += 1;
    const first = this.rule.nth ?? 1;
    const times = this.rule.times ?? 1;
    return this.seen >= first && (times === "always" || this.seen < first + times);
  }

  strike(call: AwsCall): void {
    this.fired += 1;
    this.#strike(call);
  }
}

/** True when every part of the match holds. */
export function matches(match: Match, call: AwsCall): boolean {
  if (match.mutating !== undefined && match.mutating !== call.mutating) return false;
  if (match.operations !== undefined && !match.operations.some((pattern) => isLike(call.name, pattern))) return false;
  if (match.except?.some((pattern) => isLike(call.name, pattern))) return false;
  if (match.contains !== undefined && !call.body.includes(match.contains)) return false;
  return match.where?.(call) ?? true;
}

function isLike(name: string, pattern: string): boolean {
  const source = pattern.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*");
  return new RegExp(`^${source}$`).test(name);
}

/** Executed, and answered 500: what must be taken as ambiguous. */
export const error500After: Fault = { type: "error", when: "after", status: 500, code: "InternalError" };
/** Not executed, and answered 500: looks the same to the caller. */
export const error500Before: Fault = { type: "error", when: "before", status: 500, code: "InternalError" };

/** How long something stays pending: so many reads, or so long since it was created. */
export type Pending = { readonly reads?: number; readonly ms?: number };

/** NAT gateways are `pending` at first, as on AWS. */
export function natGatewaysPending(pending: Pending): Rule {
  const fault: Fault = { type: "delayState", from: "<state>available</state>", to: "<state>pending</state>", ...pending };
  return { match: { operations: ["ec2:CreateNatGateway", "ec2:DescribeNatGateways"] }, fault, times: "always" };
}

/** Tables are `CREATING` at first, as on AWS. */
export function tablesCreating(pending: Pending): Rule {
  const fault: Fault = { type: "delayState", from: '"TableStatus": "ACTIVE"', to: '"TableStatus": "CREATING"', ...pending };
  return { match: { operations: ["dynamodb:CreateTable", "dynamodb:DescribeTable"] }, fault, times: "always" };
}
