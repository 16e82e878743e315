/**
 * The error table: every error a person can meet, with what it means and what to do next.
 *
 * A {@link BeaconError} says what happened, where, why, and what to do. Codes are a closed set; docs/errors.md lists
 * them and a test compares. Errors found in manifests are {@link Problem}s, gathered so that all are shown at once.
 */

/** Every error code, and the sentence docs/errors.md gives for it. */
export const ERROR_CODES = Object.freeze({
  // Manifests: found before any AWS call.
  ManifestInvalid: "The manifests have problems; each is listed with its place. Nothing was sent to AWS.",
  ManifestNotFound: "A file or folder given with -f does not exist or holds no manifest.",
  EnvironmentUnknown: "The environment is not declared by the manifests, or none is marked as default.",
  ParameterInvalid: "A parameter is missing, unknown, of the wrong type or out of range.",
  // The way to AWS.
  CredentialsMissing: "No AWS credentials were found, or they have expired.",
  RegionMissing: "No region: the environment names none, and neither do --region, AWS_REGION nor the profile.",
  AccountMismatch: "The credentials belong to another account than the environment's accountId.",
  Unreachable: "The AWS endpoint could not be reached.",
  AwsRefused: "AWS refused a request; the message is AWS's own.",
  ReadFailed: "A look at AWS failed, so there is no answer; what could not be read is named.",
  WriteForbidden: "A read-only command tried to call an operation that is not among the kinds' declared reads. This is a bug in a kind.",
  OperationUndeclared: "A kind called an operation it does not declare. This is a bug in that kind.",
  // State.
  StateTableMissing: "The state table does not exist in this account and region.",
  StateTooNew: "The state was written by a newer beaconctl.",
  StateDamaged: "An item of the state table was damaged by another hand and cannot be read; the message names it.",
  SourceMissing: "What a revision was compiled from is not kept with it, so that nothing but the manifests can bring it about.",
  RevisionOutdated: "The manifests that a revision was made from no longer compile with this beaconctl; each problem is listed.",
  StateConflict: "The state changed at the same time; nothing was lost, and the command can be run again.",
  LeaseHeld: "Another process is applying this stack.",
  LeaseLost: "The lease of this stack passed to another process; no further call was started.",
  SourceMismatch: "The stack was applied from another source; --take-over makes this one its source.",
  StackUnknown: "The state table knows no such stack.",
  RevisionUnknown: "The stack has no such revision, or it is not kept any more.",
  ResourceUnknown: "No such resource in this stack.",
  // Plans and consent.
  PlanChanged: "The plan is not the one that was expected or approved; nothing was done.",
  ApprovalRequired: "The plan deletes, replaces or re-creates resources, and that was not approved.",
  ConfirmationRequired: "The environment asks for a phrase, which was not given.",
  StillDeclared: "The resource is still declared by the manifests of its stack.",
  ResourceProtected: "The resource is protected against deletion.",
  ResourcePaused: "The plan would change a resource that is paused.",
  NothingAwaits: "No approval is awaited.",
  ControllerMissing: "No controller holds the stack, so nobody would answer.",
  // The run.
  ApplyFailed: "Some resources could not be brought to what the manifests say; each is listed with its cause.",
  StillWaiting: "The time ran out while AWS was still preparing something; the next run goes on.",
  Interrupted: "The run was interrupted; what was done is recorded, and the next run goes on.",
  // The sandbox and the command line.
  SandboxUnavailable: "The local AWS could not be installed or started.",
  UsageInvalid: "The command line is not understood.",
  ExpressionInvalid: "An expression could not be evaluated.",
} as const);

/** CamelCase, from the closed list. */
export type ErrorCode = keyof typeof ERROR_CODES;

/** An error for a person. `message` says what happened and why; `where` a place or resource; `next` what to do. */
export class BeaconError extends Error {
  readonly code: ErrorCode;
  readonly where: string | undefined;
  readonly next: string | undefined;
  readonly problems: readonly Problem[];

  constructor(
    code: ErrorCode,
    message: string,
    details: { where?: string; next?: string; cause?: unknown; problems?: readonly Problem[] } = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = "BeaconError";
    this.code = code;
    this.where = details.where;
    this.next = details.next;
    this.problems = details.problems ?? [];
  }
}

/** A place in a manifest. Lines and columns count from 1; `length` is what the caret underlines. */
export type SourceSpan = { readonly file: string; readonly line: number; readonly column: number; readonly length: number };

/** One thing wrong in the manifests. */
export type Problem = {
  /** Says what is wrong, in one line: "unknown field `cidrblock` in VPC/main". */
  readonly message: string;
  readonly span?: SourceSpan;
  /** Stands beside the caret: "did you mean `cidrBlock`?". */
  readonly hint?: string;
  /** Where it was met: "in WebService/backend at manifests/backend.yaml:4:9", the innermost instance first. */
  readonly notes?: readonly string[];
};
