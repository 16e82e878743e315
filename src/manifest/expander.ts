/** What the documents of one frame are read with. */

import type { Frame } from "./frame.ts";
import type { LocalReferences } from "./inference.ts";
import { Links } from "./links.ts";
import type { Problems } from "./problems.ts";
import type { Texts } from "./texts.ts";
import { ValueReader } from "./value-reader.ts";

/** See the file's header. `problems` say, inside an instance, which one they are in. */
export type Expander = {
  readonly frame: Frame;
  readonly texts: Texts;
  readonly locals: LocalReferences;
  readonly reader: ValueReader;
  readonly links: Links;
  readonly problems: Problems;
};

/** The expander of a frame. */
export function expanderOf(frame: Frame, shared: Pick<Expander, "texts" | "locals">, problems: Problems): Expander {
  const { texts, locals } = shared;
  return { frame, texts, locals, problems, reader: new ValueReader(frame, texts, problems), links: new Links(frame, locals, problems) };
}
