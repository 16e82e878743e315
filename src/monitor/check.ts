/**
 * The words a Monitor's checks are written in.
 *
 * A check looks once, and judges what it saw. The judgement is a pure function, so that its test is a table; when to look
 * again is decided in run.ts, and when somebody must be told in standing.ts. Who runs a Monitor, a person or the controller,
 * makes no difference here.
 */

import type { z } from "zod";
import type { OperationName, Reader } from "../aws/service.ts";
import type { JsonObject } from "../core/json.ts";

/** What a check may look with: AWS by its read-only handle, and HTTP. */
export type Tools = { readonly reader: Reader; readonly fetch: typeof fetch };

/** What an observation means. `seen` is for a person: `2 of 3 healthy`, `HTTP 503`. */
export type Verdict = { readonly healthy: boolean; readonly seen: string };

/** A check as its file writes it. */
export type CheckDefinition<Spec extends z.ZodObject, Seen> = {
  /** The member of a Monitor's spec that asks for it. */
  readonly name: string;
  /** One sentence for `explain` and the docs page. */
  readonly doc: string;
  readonly spec: Spec;
  /** Every AWS operation that `observe` may call. */
  readonly operations: readonly OperationName[];
  /** What is looked at, as a person knows it: a URL, a name. */
  readonly subject: (spec: z.infer<Spec>) => string;
  /** What a healthy one shows: `ACTIVE`, `at least 2`. */
  readonly wanted: (spec: z.infer<Spec>) => string;
  /** One look. What is not there, or does not answer, is an observation too; a look that AWS refuses throws `AwsError`. */
  readonly observe: (tools: Tools, spec: z.infer<Spec>, signal: AbortSignal) => Promise<Seen>;
  /** Pure. */
  readonly judge: (spec: z.infer<Spec>, seen: Seen) => Verdict;
};

/** A check with its types erased. */
export type Check = Pick<CheckDefinition<z.ZodObject, unknown>, "name" | "doc" | "operations"> & {
  readonly spec: z.ZodObject;
  readonly subject: (spec: JsonObject) => string;
  readonly wanted: (spec: JsonObject) => string;
  readonly observe: (tools: Tools, spec: JsonObject, signal: AbortSignal) => Promise<unknown>;
  readonly judge: (spec: JsonObject, seen: unknown) => Verdict;
};

/** Types a check's functions by its spec, then erases them: specs were parsed by the check's own schema before they come back. */
export function defineCheck<Spec extends z.ZodObject, Seen>(definition: CheckDefinition<Spec, Seen>): Check {
  return Object.freeze(definition) as unknown as Check;
}
