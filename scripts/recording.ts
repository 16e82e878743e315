/**
 * Draws docs/recording.svg, the picture in the README, from the demo's real output:
 * `FORCE_COLOR=1 npm run -s demo 2>&1 | node scripts/recording.ts`.
 *
 * Shows the part that says most in one screen: the drift, and its correction.
 */

import { readFileSync, writeFileSync } from "node:fs";

const FIRST = "# The drift";
const FONT_SIZE = 13;
const LINE_HEIGHT = 18;
// A monospace letter is 0.6 of its size wide.
const LETTER_WIDTH = FONT_SIZE * 0.6;
const PADDING = 16;
const COLUMNS_MAX = 132;

const COLORS: Readonly<Record<string, string>> = {
  31: "#f7768e",
  32: "#9ece6a",
  33: "#e0af68",
  35: "#bb9af7",
  36: "#7dcfff",
  2: "#7a83a8",
};

/** One run of letters in one colour. */
type Span = { readonly text: string; readonly color: string | undefined; readonly bold: boolean };

// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what terminal colours are made of.
const ESCAPE = /\x1b\[([\d;]*)m/;

/** Splits a line with ANSI colours into spans. */
function spansOf(line: string): Span[] {
  const parts = line.split(ESCAPE);
  let [color, bold]: [string | undefined, boolean] = [undefined, false];
  return parts.flatMap((part, index): Span[] => {
    if (index % 2 === 0) return part === "" ? [] : [{ text: part, color, bold }];
    for (const code of part.split(";")) {
      if (code === "1") bold = true;
      else if (code === "22") [bold, color] = [false, color === COLORS[2] ? undefined : color];
      else if (code === "39" || code === "0" || code === "") color = undefined;
      else color = COLORS[code] ?? color;
    }
    return [];
  });
}

function lineSvg(line: string, row: number): string {
  const y = PADDING + (row + 1) * LINE_HEIGHT;
  const spans = spansOf(line).map(({ text, color, bold }) => {
    const style = `${color ? ` fill="${color}"` : ""}${bold ? ' font-weight="bold"' : ""}`;
    return `<tspan${style}>${text.replaceAll("&", "&amp;").replaceAll("<", "&lt;")}</tspan>`;
  });
  return `<text x="${PADDING}" y="${y}" xml:space="preserve">${spans.join("")}</text>`;
}

function draw(lines: readonly string[]): string {
  const width = Math.ceil(PADDING * 2 + COLUMNS_MAX * LETTER_WIDTH);
  const height = PADDING * 2 + lines.length * LINE_HEIGHT;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="beaconctl shows drift and corrects it">`,
    `<rect width="100%" height="100%" rx="8" fill="#1a1b26"/>`,
    `<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace" font-size="${FONT_SIZE}" fill="#c0caf5">`,
    ...lines.map(lineSvg),
    "</g>",
    "</svg>",
    "",
  ].join("\n");
}

const plain = (line: string): string => line.replace(new RegExp(ESCAPE, "g"), "");
const all = readFileSync(0, "utf8").split("\n");
const from = all.findIndex((line) => plain(line).startsWith(FIRST) || plain(line).startsWith(FIRST.slice(2)));
const to = all.findIndex((line, index) => index > from && /^\d+ updated\./.test(plain(line)));
if (from < 0 || to < 0) throw new Error("this is not the demo's output");
writeFileSync(new URL("../docs/recording.svg", import.meta.url), draw(all.slice(from, to + 1)));
