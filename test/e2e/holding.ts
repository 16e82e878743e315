/** Whether an object holds what is expected of it, told member by member. */

import type { Held } from "../support/world.ts";

/**
 * What differs, one line each; none when `actual` has everything `expected` says. Members that are not mentioned may be anything.
 * `{$members}`: exactly these, in any order; `{$contains}`: these among others; `{$matches}`: a pattern; `{$commas}`: a comma list.
 */
export function differences(actual: Held, expected: Held, path = ""): readonly string[] {
  const miss = () => [`${path || "it"} is ${JSON.stringify(actual)}, not ${text(expected)}`];
  if (typeof expected !== "object" || expected === null) return Object.is(actual, expected) ? [] : miss();
  if ("$matches" in expected) return expected.$matches.test(String(actual)) ? [] : miss();
  if ("$commas" in expected) return differences(String(actual).split(","), { $members: expected.$commas }, path);
  if ("$contains" in expected) return isWithin(actual, expected.$contains) ? [] : miss();
  if ("$members" in expected) return isWithin(actual, expected.$members) && actual.length === expected.$members.length ? [] : miss();
  if (Array.isArray(expected)) {
    if (!Array.isArray(actual) || actual.length !== expected.length) return miss();
    return expected.flatMap((member, index) => differences(actual[index], member, `${path}[${index}]`));
  }
  if (typeof actual !== "object" || actual === null) return miss();
  return Object.entries(expected).flatMap(([name, member]) => differences(actual[name], member, path ? `${path}.${name}` : name));
}

function isWithin(actual: Held, members: readonly Held[]): boolean {
  const left: Held[] = Array.isArray(actual) ? [...actual] : [];
  return members.every((member) => {
    const at = left.findIndex((candidate) => differences(candidate, member).length === 0);
    if (at >= 0) left.splice(at, 1);
    return at >= 0;
  });
}

function text(expected: Held): string {
  return JSON.stringify(expected, (_name, value) => (value instanceof RegExp ? String(value) : value));
}
