/** A terminal that nobody sits at: prints nowhere, asks nobody, shows no colour; each part can be replaced. */

import { createStyle, type Io } from "../../src/cli/io.ts";

export function fakeIo(parts: Partial<Io> = {}): Io {
  const style = createStyle(false);
  const silent = { out: () => {}, err: () => {}, ask: async () => "" };
  return { ...silent, style, errStyle: style, errColor: false, interactive: false, live: false, ...parts };
}
