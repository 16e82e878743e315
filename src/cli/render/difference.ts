/** One differing field: scalars with an arrow, sets by member, documents by line. */

import type { Difference } from "../../core/diff.ts";
import type { MemberText } from "../../core/field.ts";
import { equal, isObject, type Json } from "../../core/json.ts";
import type { Style } from "../io.ts";
import { documentLines, isDocument } from "./document.ts";
import type { Row } from "./table.ts";
import { renderValue } from "./value.ts";

/** `cause`: say the cause on every line, where a resource's differences have several. `text`: the field's own words for a member. */
export type DifferenceView = { readonly style: Style; readonly cause: boolean; readonly text: MemberText | undefined };

// Documents are cut here; -o json has them whole.
const DOCUMENT_LINES_MAX = 40;

/** The rows of one difference. */
export function differenceRows(difference: Difference, view: DifferenceView): Row[] {
  const suffix = view.cause ? view.style.dim(`  (${difference.cause})`) : "";
  const members = memberLines(difference, view);
  if (members.length > 0) return members.map((line) => [difference.path, `${line}${suffix}`]);
  if (isDocument(difference.before) && isDocument(difference.after)) return documentBlock(difference, view.style, suffix);
  return [[difference.path, `${scalarChange(difference, view.style)}${suffix}`]];
}

function scalarChange({ before, after }: Difference, style: Style): string {
  if (before === undefined) return style.green(`+ ${renderValue(after)}`);
  if (after === undefined) return style.red(`- ${renderValue(before)}`);
  return `${style.red(renderValue(before))} → ${style.green(renderValue(after))}`;
}

// What drifted says what will be done about it: an outside addition is taken away, a removal put back.
function memberLines({ added = [], removed = [], changed = [], cause }: Difference, { style, text }: DifferenceView): string[] {
  const [why, back] = cause === "drift" ? ["   not in the manifest: will be removed", "   missing at AWS: will be put back"] : ["", ""];
  return [
    ...removed.map((member) => `${style.red(`- ${renderValue(member, text)}`)}${why}`),
    ...added.map((member) => `${style.green(`+ ${renderValue(member, text)}`)}${back}`),
    ...changed.flatMap((pair) => changedLines(pair, style, text)),
  ];
}

type Pair = { readonly before: Json; readonly after: Json };

// A member's own words leave out what is deep inside it: where they do not tell the change, each place that changes does.
function changedLines({ before, after }: Pair, style: Style, text: MemberText | undefined): string[] {
  const [from, to] = [renderValue(before, text), renderValue(after, text)];
  if (from !== to) return [`~ ${style.red(from)} → ${style.green(to)}`];
  return changesIn(before, after, "").map(
    ([path, old, now]) => `~ ${from}: ${path} ${style.red(renderValue(old))} → ${style.green(renderValue(now))}`,
  );
}

type Place = readonly [path: string, before: Json | undefined, after: Json | undefined];

/** The innermost places where two values differ. */
function changesIn(before: Json | undefined, after: Json | undefined, path: string): readonly Place[] {
  if (equal(before, after)) return [];
  if (!isObject(before) || !isObject(after)) return [[path, before, after]];
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return names.flatMap((name) => changesIn(before[name], after[name], path === "" ? name : `${path}.${name}`));
}

function documentBlock(difference: Difference, style: Style, suffix: string): string[] {
  const lines = documentLines(difference.before, difference.after);
  const shown = lines.slice(0, DOCUMENT_LINES_MAX).map(({ sign, text }) => {
    const line = `  ${sign} ${text}`;
    return sign === "+" ? style.green(line) : sign === "-" ? style.red(line) : style.dim(line);
  });
  const rest = lines.length - shown.length;
  return [`${difference.path}${suffix}`, ...shown, ...(rest > 0 ? [`  … ${rest} more lines (-o json has them all)`] : [])];
}
