/** One look at the world: what several kinds want to know is asked once. */

import type { Reader } from "./service.ts";

const looks = new WeakMap<Reader, Map<string, Promise<unknown>>>();

/** A handle for one look. What is asked through {@link onceALook} is asked once over it; a later look needs another. */
export function forOneLook(reader: Reader): Reader {
  const handle: Reader = {
    read: (service, operation, input) => reader.read(service, operation, input),
    pages: (service, operation, input, items) => reader.pages(service, operation, input, items),
  };
  looks.set(handle, new Map());
  return handle;
}

/** The answer to `question` as this look has it; over a handle that is not for one look, `ask` is asked each time. */
export function onceALook<T>(aws: Reader, question: string, ask: () => Promise<T>): Promise<T> {
  const look = looks.get(aws);
  if (!look) return ask();
  const answer = (look.get(question) as Promise<T> | undefined) ?? ask();
  look.set(question, answer);
  return answer;
}
