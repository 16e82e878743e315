import assert from "node:assert/strict";
import { test } from "node:test";
import { Environment } from "@marcbachmann/cel-js";
import fc from "fast-check";
import type { Json } from "../../src/core/json.ts";
import { literal } from "../../src/manifest/loops.ts";
import { parseTemplate } from "../../src/manifest/template.ts";
import { fromCel } from "../../src/manifest/values.ts";

const expressions = fc.constantFrom("a", "a.b", '"}"', "'{'", '"\\""', "{}", '{"a": {"b": "}"}}', 'r"\\"', '"""a"}"""', "x ? {} : y");
// A dollar before a brace or an expression would make it one, or a literal.
const texts = fc.string({ unit: fc.constantFrom("a", " ", "{", "}", '"', "'", "$", "\n") }).map((text) => text.replace(/\$+(\{|$)/g, "$1"));
const parts = fc.array(
  fc.oneof(
    texts.map((text) => ({ text })),
    expressions.map((expression) => ({ expression })),
  ),
);

test("a text is cut where its expressions are, whatever stands in and around them", () => {
  fc.assert(
    fc.property(parts, (given) => {
      const written = given.map((part) => ("text" in part ? part.text : `\${${part.expression}}`)).join("");
      const read = parseTemplate(written);
      assert.ok("parts" in read);
      const joined = read.parts.map((part) => ("text" in part ? part.text : `\${${part.expression}}`)).join("");
      assert.equal(joined, written);
      const found = read.parts.flatMap((part) => ("expression" in part ? [part] : []));
      assert.deepEqual(
        found.map(({ expression }) => expression),
        given.flatMap((part) => ("expression" in part ? [part.expression] : [])),
      );
      for (const { expression, start } of found) assert.equal(written.slice(start, start + expression.length), expression);
    }),
  );
});

test("what is escaped or open is told", () => {
  const rows = [
    { text: "$${a}", read: { parts: [{ text: "${a}" }] }, why: "$$ stands for $" },
    { text: "a$${b}${c}", read: { parts: [{ text: "a${b}" }, { expression: "c", start: 8 }] }, why: "beside an expression" },
    { text: "a ${b", read: { unclosed: 2 }, why: "never closed" },
    { text: 'a ${"}', read: { unclosed: 2 }, why: "a string in it is never closed" },
    { text: "", read: { parts: [{ text: "" }] }, why: "nothing is a text too" },
  ];
  for (const { text, read, why } of rows) assert.deepEqual(parseTemplate(text), read, why);
});

test("JSON written as an expression evaluates to itself", () => {
  const environment = new Environment({ homogeneousAggregateLiterals: false });
  const scalar = fc.oneof(fc.string({ unit: "binary" }), fc.integer(), fc.boolean());
  // CEL leaves out the keys that would change an object's prototype.
  const key = fc.string().filter((name) => !["__proto__", "constructor", "prototype"].includes(name));
  const value = fc.letrec<{ json: Json }>((tie) => ({
    json: fc.oneof(
      { maxDepth: 3 },
      scalar,
      fc.array(tie("json"), { maxLength: 4 }),
      fc.dictionary(key, tie("json"), { maxKeys: 4, noNullPrototype: true }),
    ),
  })).json;
  fc.assert(fc.property(value, (json) => assert.deepEqual(fromCel(environment.evaluate(literal(json))), json)));
});
