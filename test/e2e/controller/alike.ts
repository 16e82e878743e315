/** Whether an account is what it was, though much of it was put back or made anew. */

import { comparable, type World } from "../../support/world.ts";

/** The world in a form in which an object that was made anew, and a template with more versions, are what they were. */
export function alike(world: World): World {
  const text = JSON.stringify(comparable(world), (name, value) => (name === "TreatMissingData" && value === "missing" ? undefined : value));
  return JSON.parse(text.replaceAll(/("(?:beacon:generation|LatestVersionNumber|DefaultVersionNumber)":)("\d+"|\d+)/g, '$1"n"'));
}
