/** Whether an account is what it was, though much of it was put back or made anew. */

import { comparable, type Held, type World } from "../../support/world.ts";

/** The world in a form in which an object that was made anew, and a template with more versions, are what they were. */
export function alike(world: World): World {
  // Before they are put in an order, which must not depend on what is left out.
  return comparable(Object.fromEntries(Object.entries(world).map(([kind, objects]) => [kind, objects.map(timeless)])));
}

function timeless(object: Held): Held {
  const { LatestVersionNumber: _latest, DefaultVersionNumber: _default, TreatMissingData: missing, Tags: tags, ...rest } = object;
  const { "beacon:generation": _generation, ...lasting } = tags ?? {};
  // What AWS takes for granted it tells of an alarm once that was changed.
  return { ...rest, ...(tags ? { Tags: lasting } : {}), ...(missing && missing !== "missing" ? { TreatMissingData: missing } : {}) };
}
