/** Errors as a person or a program reads them. */

import { BeaconError } from "../../core/errors.ts";
import { type ExitCode, exitCodeOf } from "../exit.ts";
import type { Style } from "../io.ts";
import { Stopped } from "../stop.ts";

/** How an error is shown. */
export type ErrorView = { readonly json: boolean; readonly verbose: boolean; readonly style: Style };

/** One block for stderr, and the exit code. Anything but a BeaconError is a bug, and says so. */
export function renderError(error: unknown, view: ErrorView): { readonly text: string; readonly exitCode: ExitCode } {
  if (!(error instanceof BeaconError)) return { text: renderBug(error, view), exitCode: 70 };
  return {
    text: view.json ? errorJson(error) : errorText(error, view),
    exitCode: error instanceof Stopped ? error.exitCode : exitCodeOf(error.code),
  };
}

function errorText(error: BeaconError, { style, verbose }: ErrorView): string {
  const lines = [
    ...(error.code === "ManifestInvalid" ? [error.message] : [`${style.red(style.bold("error:"))} ${error.message}`]),
    ...(error.where === undefined ? [] : [`  at ${error.where}`]),
    ...(error.next === undefined ? [] : [`${style.cyan("next:")} ${error.next}`]),
  ];
  if (verbose && error.cause !== undefined) lines.push(style.dim(`cause: ${stackOf(error.cause)}`));
  return lines.join("\n");
}

function errorJson(error: BeaconError): string {
  const { code, message, where, next, problems } = error;
  return JSON.stringify({ error: { code, message, where, next, problems: problems.length > 0 ? problems : undefined } }, null, 2);
}

function renderBug(error: unknown, { json, verbose, style }: ErrorView): string {
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  if (json) return JSON.stringify({ error: { code: "Bug", message, stack: verbose ? stackOf(error) : undefined } }, null, 2);
  const hint = verbose ? style.dim(stackOf(error)) : `${style.cyan("next:")} run it again with --verbose, and report what it prints`;
  return `${style.red(style.bold("bug:"))} ${message}\n${hint}`;
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
