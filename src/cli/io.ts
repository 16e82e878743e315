/** The terminal as commands see it: two streams, colours that may be off, and a question that may be impossible. */

import { styleText } from "node:util";

/** Colours by meaning-free names; each is the identity where colour is off. */
export type Style = Readonly<Record<"bold" | "dim" | "red" | "green" | "yellow" | "cyan" | "magenta", (text: string) => string>>;

/** What a command may print to and ask. */
export type Io = {
  /** Writes a block to stdout and ends its line. */
  readonly out: (text: string) => void;
  /** Likewise to stderr: errors, progress and notes, so that stdout stays the answer alone. */
  readonly err: (text: string) => void;
  readonly style: Style;
  readonly errStyle: Style;
  /** errStyle colours: for renderers of other layers that take a flag. */
  readonly errColor: boolean;
  /** A person is at both ends: questions can be asked. */
  readonly interactive: boolean;
  /** stderr is a terminal: progress may be redrawn in place. */
  readonly live: boolean;
  /** Asks on stderr and reads one line from stdin. Rejects with an AbortError on Ctrl-C. */
  readonly ask: (question: string) => Promise<string>;
};

/** Colour functions, or identities. */
export function createStyle(enabled: boolean): Style {
  const paint = (format: keyof Style) => (enabled ? (text: string) => styleText(format, text, { validateStream: false }) : same);
  return Object.freeze({
    bold: paint("bold"),
    dim: paint("dim"),
    red: paint("red"),
    green: paint("green"),
    yellow: paint("yellow"),
    cyan: paint("cyan"),
    magenta: paint("magenta"),
  });
}

function same(text: string): string {
  return text;
}

/** The process's own terminal. Colour obeys `--no-color`, NO_COLOR (https://no-color.org) and FORCE_COLOR. */
export function processIo(options: { color: boolean }): Io {
  const colored = (stream: NodeJS.WriteStream): boolean => {
    if (!options.color || process.env.NO_COLOR) return false;
    return stream.isTTY || Boolean(process.env.FORCE_COLOR);
  };
  return {
    out: (text) => void process.stdout.write(`${text}\n`),
    err: (text) => void process.stderr.write(`${text}\n`),
    style: createStyle(colored(process.stdout)),
    errStyle: createStyle(colored(process.stderr)),
    errColor: colored(process.stderr),
    interactive: process.stdin.isTTY === true && process.stderr.isTTY === true,
    live: process.stderr.isTTY === true && process.env.TERM !== "dumb",
    ask,
  };
}

async function ask(question: string): Promise<string> {
  const { createInterface } = await import("node:readline/promises");
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return (await lines.question(question)).trim();
  } finally {
    lines.close();
  }
}
