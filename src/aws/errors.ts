/**
 * What an AWS error means for what was sent: by error code before status (docs/architecture.md, "Exactly once").
 *
 * *refused*: definitely not executed, and would be refused again. *throttled*: definitely not executed, may be sent again
 * later. *unsent*: failed before the first byte left (DNS, connect, TLS). *ambiguous*: it may have been executed.
 */

/** See the file's header. */
export type Verdict = "refused" | "throttled" | "unsent" | "ambiguous";

/** Every failure of an AWS call, whatever raised it. `name` is AWS's error code. */
export class AwsError extends Error {
  readonly operation: string;
  readonly verdict: Verdict;
  readonly status: number | undefined;

  constructor(name: string, message: string, details: { operation: string; verdict: Verdict; status?: number; cause?: unknown }) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = name;
    this.operation = details.operation;
    this.verdict = details.verdict;
    this.status = details.status;
  }
}

/**
 * True when the error's code is among `names`, with or without a trailing `Exception` or `Fault`. `Name: text` asks for the text
 * in the message, too, whatever its case: some services have one code for everything that a request may be refused for.
 */
export function isNamed(error: unknown, names: readonly string[]): error is AwsError {
  if (!(error instanceof AwsError)) return false;
  return names.some((wanted) => {
    const [name = "", text = ""] = wanted.split(": ", 2);
    return bare(name) === bare(error.name) && error.message.toLowerCase().includes(text.toLowerCase());
  });
}

function bare(name: string): string {
  return name.replace(/(Exception|Fault)$/, "");
}
