import assert from "node:assert/strict";
import { test } from "node:test";
import { forOneLook, onceALook } from "../../src/aws/look.ts";
import { type Reader, service } from "../../src/aws/service.ts";

const toy = service<{ Client: unknown }>("toy", "Client", () => Promise.reject(new Error("never loaded")));

function counting(): { readonly reader: Reader; readonly asked: string[] } {
  const asked: string[] = [];
  const read = async (_service: unknown, operation: string, input: { readonly n: number }) => {
    asked.push(operation);
    return { n: input.n };
  };
  return { reader: { read, pages: read } as unknown as Reader, asked };
}

test("over one look a question is asked once, over another look again", async () => {
  const { reader, asked } = counting();
  const look = forOneLook(reader);
  const ask = (aws: Reader, n: number) => onceALook(aws, `n ${n}`, () => aws.read(toy, "GetN" as never, { n } as never));
  assert.deepEqual(await Promise.all([ask(look, 1), ask(look, 1), ask(look, 2)]), [{ n: 1 }, { n: 1 }, { n: 2 }]);
  assert.deepEqual(await ask(look, 1), { n: 1 });
  assert.equal(asked.length, 2);
  await ask(forOneLook(reader), 1);
  assert.equal(asked.length, 3);
});

test("over any other handle, each question is asked", async () => {
  const { reader, asked } = counting();
  const ask = () => onceALook(reader, "n", () => reader.read(toy, "GetN" as never, { n: 1 } as never));
  await Promise.all([ask(), ask()]);
  assert.equal(asked.length, 2);
});
