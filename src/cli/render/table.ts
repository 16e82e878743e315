/** Aligned text: tables with headings, as kubectl prints them, and label-text rows. */

// Labels longer than this push their own text to the right instead of everybody's.
const LABEL_MAX = 28;

/** `VPC/main  vpc-1  Ready`: columns as wide as their widest cell, two spaces between, no trailing space. */
export function renderTable(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  return alignColumns([headings, ...rows]).join("\n");
}

/** Likewise, without headings. */
export function alignColumns(rows: readonly (readonly string[])[]): string[] {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}

/** A label and its text. Text without a label keeps its own indentation. */
export type Row = readonly [label: string, text: string] | string;

/** Rows with their texts in one column. */
export function alignRows(rows: readonly Row[]): string[] {
  const labels = rows.flatMap((row) => (typeof row === "string" ? [] : [row[0].length])).filter((length) => length <= LABEL_MAX);
  const width = Math.max(0, ...labels);
  return rows.map((row) => (typeof row === "string" ? row : `${row[0].padEnd(width)}  ${row[1]}`));
}

/** `1 call`, `2 calls`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

/** `Refused: AWS says ...`; the reason is left out where the message begins with it. */
export function reasonText(reason: string | undefined, message: string): string {
  return reason === undefined || message.toLowerCase().startsWith(reason.toLowerCase()) ? message : `${reason}: ${message}`;
}
