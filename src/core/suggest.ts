/** The nearest known name, for "did you mean". */

/** The candidate that `name` most likely meant, or undefined when none is near: about a third of its letters may differ. */
export function nearest(name: string, candidates: Iterable<string>): string | undefined {
  let best: { candidate: string; distance: number } | undefined;
  // One letter for every three: names of a single letter are near to nothing.
  const limit = Math.floor((name.length + 1) / 3);
  for (const candidate of candidates) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance <= limit && distance < (best?.distance ?? Number.POSITIVE_INFINITY)) best = { candidate, distance };
  }
  return best?.candidate;
}

// More names than this are no hint any more.
const ENDINGS_MAX = 4;

/** "did you mean `x`?", also of names that end with it (`id` of `vpcId`), or the known names when there are only a few, or undefined. */
export function suggestion(name: string, candidates: Iterable<string>): string | undefined {
  const known = [...candidates];
  const near = nearest(name, known);
  if (near !== undefined) return `did you mean \`${near}\`?`;
  const endings = known.filter((candidate) => name !== "" && candidate.endsWith(`${name[0]?.toUpperCase()}${name.slice(1)}`));
  if (endings.length > 0 && endings.length <= ENDINGS_MAX) return `did you mean ${endings.map((each) => `\`${each}\``).join(" or ")}?`;
  // Eight names fit beside a caret in a terminal of usual width.
  return known.length > 0 && known.length <= 8 ? `known: ${known.join(", ")}` : undefined;
}

/** Insertions, deletions, replacements and swaps of neighbours that turn one text into the other. */
function editDistance(from: string, to: string): number {
  let [before, previous] = [[] as number[], Array.from({ length: to.length + 1 }, (_, index) => index)];
  for (let i = 1; i <= from.length; i++) {
    const row = [i];
    for (let j = 1; j <= to.length; j++) {
      const cost = from[i - 1] === to[j - 1] ? 0 : 1;
      let value = Math.min((previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (previous[j - 1] ?? 0) + cost);
      const swapped = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1];
      if (swapped) value = Math.min(value, (before[j - 2] ?? 0) + 1);
      row.push(value);
    }
    [before, previous] = [previous, row];
  }
  return previous[to.length] ?? 0;
}
