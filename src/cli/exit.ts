/** Exit codes: what a script learns from beaconctl. docs/operations.md and `--help` show this table. */

import type { ErrorCode } from "../core/errors.ts";

/** Every exit code, with the sentence that explains it. */
export const EXIT_CODES = Object.freeze({
  0: "Done; for diff: nothing differs.",
  1: "diff: something differs. No other command uses it.",
  2: "The input is wrong: command line, manifests, parameters, a name nobody knows. Nothing was sent to AWS.",
  3: "AWS or the state table could not be reached, or refused: credentials, region, account, network, a failed look.",
  4: "Refused for safety: consent missing, the plan changed, protected or still declared. Nothing was changed.",
  5: "Another process holds the stack's lease, or took it.",
  6: "Some resources failed; the rest was done, and the next run goes on.",
  7: "The time ran out while AWS was still preparing something; the next run goes on.",
  8: "health: something is not healthy; doctor: something is missing. Each line says what.",
  70: "A bug in beaconctl.",
  130: "Interrupted by SIGINT; what was done is recorded, and the next run goes on.",
  143: "Ended by SIGTERM, likewise.",
} as const);

/** One of the table. */
export type ExitCode = keyof typeof EXIT_CODES;

const EXIT_OF_ERROR: Readonly<Record<ErrorCode, ExitCode>> = Object.freeze({
  ManifestInvalid: 2,
  ManifestNotFound: 2,
  EnvironmentUnknown: 2,
  ParameterInvalid: 2,
  CredentialsMissing: 3,
  RegionMissing: 3,
  AccountMismatch: 3,
  Unreachable: 3,
  AwsRefused: 3,
  ReadFailed: 3,
  WriteForbidden: 70,
  OperationUndeclared: 70,
  StateTableMissing: 3,
  StateTooNew: 3,
  StateDamaged: 3,
  SourceMissing: 2,
  RevisionOutdated: 2,
  StateConflict: 5,
  LeaseHeld: 5,
  LeaseLost: 5,
  SourceMismatch: 4,
  StackUnknown: 2,
  RevisionUnknown: 2,
  ResourceUnknown: 2,
  PlanChanged: 4,
  ApprovalRequired: 4,
  ConfirmationRequired: 4,
  StillDeclared: 4,
  ResourceProtected: 4,
  ResourcePaused: 4,
  NothingAwaits: 4,
  ControllerMissing: 3,
  ApplyFailed: 6,
  StillWaiting: 7,
  Interrupted: 130,
  SandboxUnavailable: 3,
  UsageInvalid: 2,
  ExpressionInvalid: 2,
});

/** The exit code an error ends the process with. */
export function exitCodeOf(code: ErrorCode): ExitCode {
  return EXIT_OF_ERROR[code];
}
