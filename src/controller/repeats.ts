/**
 * What was said already: a state that goes on is told by every pass that meets it, and once is enough for people.
 *
 * An event repeats another when it says the same of the same thing, and nothing has said since that it was over.
 */

import { stackName } from "../core/resource.ts";
import type { ControllerEvent } from "./events.ts";

// A stack of 1,000 resources, all stalled, ten times over; past it the oldest is told once more.
const REMEMBERED_MAX = 10_000;

/** See the file's header. */
export class Repeats {
  readonly #said = new Map<string, string>();

  /** Whether the event repeats one that was asked about before; remembers it. */
  has(event: ControllerEvent): boolean {
    for (const over of endedBy(event)) this.#said.delete(over);
    if (event.type === "leaseLost" || event.type === "leaseReleased") this.#forget(event);
    const state = stateOf(event);
    if (!state) return false;
    const repeats = this.#said.get(state.key) === state.text;
    this.#said.set(state.key, state.text);
    const [oldest] = this.#said.keys();
    if (this.#said.size > REMEMBERED_MAX && oldest !== undefined) this.#said.delete(oldest);
    return repeats;
  }

  #forget({ stack }: ControllerEvent): void {
    const own = `${stackName(stack)} `;
    for (const key of this.#said.keys()) if (key.startsWith(own)) this.#said.delete(key);
  }
}

/** What an event says that holds until something else is said; undefined for what happens once. */
function stateOf(event: ControllerEvent): { readonly key: string; readonly text: string } | undefined {
  const { stack } = event;
  switch (event.type) {
    case "passFailed":
    case "sourceInvalid":
      return { key: keyOf(stack, event.type), text: event.message };
    case "stalled":
      return { key: keyOf(stack, event.type, event.resource), text: `${event.reason} ${event.message}` };
    case "approvalNeeded":
      return { key: keyOf(stack, event.type), text: event.digest };
    case "leaseTaken":
    case "leaseLost":
    case "leaseReleased":
    case "passEnded":
    case "driftFound":
    case "driftCorrected":
    case "driftGone":
    case "driftAttributed":
    case "recovered":
    case "revisionAccepted":
    case "revisionConverged":
    case "paused":
    case "resumed":
    case "monitorFailed":
    case "monitorRecovered":
      return undefined;
  }
}

/** The states that are over by what the event says. */
function endedBy(event: ControllerEvent): readonly string[] {
  const { stack } = event;
  if (event.type === "recovered") return [keyOf(stack, "stalled", event.resource)];
  if (event.type === "passEnded" && event.outcome !== "failed") return [keyOf(stack, "passFailed")];
  if (event.type === "revisionAccepted") return [keyOf(stack, "sourceInvalid"), keyOf(stack, "approvalNeeded")];
  return [];
}

function keyOf(stack: ControllerEvent["stack"], type: ControllerEvent["type"], resource = ""): string {
  return `${stackName(stack)} ${type} ${resource}`;
}
