/** Member by member, specs with deep structures are AWS's own requests: the same members, required, of the same types, enums and limits. */

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { kinds } from "../../reconcilers/index.ts";
import type { KindId } from "../../src/core/resource.ts";
import type { ObjectShape, Shape } from "../../src/core/shape.ts";
import { loadModels, shapeNamed } from "./model.ts";
import { WALKED } from "./walked.ts";

before(() => loadModels("wafv2", "cloudwatch"));

for (const [id, { shape, but }] of Object.entries(WALKED)) {
  test(`${id} is AWS's ${shape}, but for what is said`, () => {
    const kind = kinds.get(id as KindId);
    assert.ok(kind, `there is no kind ${id}`);
    const [service, name] = shape.split(".") as [string, string];
    const found = [...new Walk(service).compare(kind.spec, name, "")];
    assert.deepEqual(
      found.filter(({ path }) => !but.some((row) => row.path.test(path))),
      [],
    );
    const unused = but.filter((row) => !found.some(({ path }) => row.path.test(path)));
    assert.deepEqual(
      unused.map(({ path }) => String(path)),
      [],
      "nothing differs there",
    );
  });
}

type Found = { readonly path: string; readonly text: string };

class Walk {
  readonly #service: string;
  readonly #seen = new Map<object, string>();

  constructor(service: string) {
    this.#service = service;
  }

  *compare(own: Shape, name: string, path: string): Generator<Found> {
    const aws = shapeNamed(this.#service, name);
    const element = aws.member?.shape;
    if (own.type === "object" && aws.type === "structure") yield* this.#members(own, name, path);
    else if (own.type === "object" && aws.type === "map") yield* this.#keys(own, name, path);
    else if (own.type === "array" && element !== undefined) yield* this.compare(own.element, element, `${path}.*`);
    else if (own.type === "map" && aws.value) yield* this.compare(own.element, aws.value.shape, `${path}.*`);
    else if (own.type === "map" && element !== undefined) yield* this.#pairs(own.element, element, path);
    else yield* this.#scalars(own, name, path);
  }

  *#members(own: ObjectShape, name: string, path: string): Generator<Found> {
    // An object that stands in several places is the same everywhere.
    if (this.#seen.get(own.fields) === name) return;
    this.#seen.set(own.fields, name);
    const { members = {}, required = [] } = shapeNamed(this.#service, name);
    const fields = new Map(Object.entries(own.fields).map(([field, shape]) => [field.toLowerCase(), [field, shape] as const]));
    for (const [member, { shape }] of Object.entries(members)) {
      const [field, inner] = fields.get(member.toLowerCase()) ?? [];
      if (field === undefined || inner === undefined) {
        yield { path: `${path}.${member}`, text: "is missing" };
        continue;
      }
      fields.delete(member.toLowerCase());
      if (inner.meta?.tags) continue;
      if (inner.optional === required.includes(member))
        yield { path: `${path}.${field}`, text: inner.optional ? "is required" : "is not required" };
      yield* this.compare(inner, shape, `${path}.${field}`);
    }
    for (const [field] of fields.values()) yield { path: `${path}.${field}`, text: "is no member of AWS's" };
  }

  *#keys(own: ObjectShape, name: string, path: string): Generator<Found> {
    const { key, value } = shapeNamed(this.#service, name);
    const known = shapeNamed(this.#service, key?.shape as string).enum ?? [];
    const [ours, theirs] = [Object.keys(own.fields).sort().join(), [...known].sort().join()];
    if (ours !== theirs) yield { path, text: `${ours} instead of ${theirs}` };
    for (const [field, inner] of Object.entries(own.fields)) yield* this.compare(inner, value?.shape as string, `${path}.${field}`);
  }

  // A map of ours that is a list of names and values at AWS.
  *#pairs(own: Shape, name: string, path: string): Generator<Found> {
    const { members = {} } = shapeNamed(this.#service, name);
    const value = members.Value ?? members.Values;
    if (!members.Name || !value) yield { path, text: `${name} has no names and values` };
    else yield* this.compare(own, value.shape, `${path}.*`);
  }

  *#scalars(own: Shape, name: string, path: string): Generator<Found> {
    const aws = shapeNamed(this.#service, name);
    const differ = (ours: unknown, theirs: unknown): Found => ({
      path,
      text: `${JSON.stringify(ours)} instead of ${JSON.stringify(theirs)}`,
    });
    if (own.type === "enum") {
      const [ours, theirs] = [[...own.values].sort(), [...(aws.enum ?? aws.values ?? [])].sort()];
      if (ours.join() !== theirs.join()) yield differ(ours, theirs);
    } else if (own.type === "string" && aws.type === "string" && !aws.enum) {
      const [ours, theirs] = [
        [own.minLength ?? 0, own.maxLength],
        [aws.min ?? 0, aws.max],
      ];
      if (ours.join() !== theirs.join()) yield differ(ours, theirs);
    } else if ((own.type === "integer" && ["integer", "long"].includes(aws.type)) || (own.type === "number" && aws.type === "double")) {
      const [ours, theirs] = [
        [own.minimum, own.maximum],
        [aws.min, aws.max],
      ];
      if (ours.join() !== theirs.join()) yield differ(ours, theirs);
    } else if (own.type !== aws.type) yield differ(own.type, aws.type);
  }
}
