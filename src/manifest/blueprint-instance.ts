/**
 * One instance of a blueprint: its parameters, whose values are read among the names outside, and its outputs, which are
 * read among the names inside. Both are read when somebody asks, because expressions of others may ask first.
 */

import type { View } from "../core/compiled.ts";
import type { Json, JsonObject } from "../core/json.ts";
import type { ResourceKey } from "../core/resource.ts";
import { suggestion } from "../core/suggest.ts";
import { type Accessor, UnknownAccess } from "./accessor.ts";
import { checkValue } from "./check-value.ts";
import type { Use } from "./declarations.ts";
import { type Slot, selfName } from "./expand.ts";
import { type Expander, expanderOf } from "./expander.ts";
import { Frame } from "./frame.ts";
import type { Expression } from "./language.ts";
import { type Resolved, type Site, together } from "./links.ts";
import type { ExpressionScope, Names } from "./names.ts";
import { emptyMap, member, type Node, type Place, placeText } from "./node.ts";
import { valueOfNode } from "./node-values.ts";
import type { Output } from "./outputs.ts";
import type { Parameter } from "./parameter-schema.ts";
import { completed } from "./parameters.ts";
import { asPlaces, hasItsLength, parameterIn } from "./partly-known.ts";
import type { Problems } from "./problems.ts";
import { remembered } from "./remembered.ts";
import type { PlacedReference } from "./texts.ts";
import { DYN, type Type } from "./types.ts";
import { ANY, REPORTED, type Reading } from "./value-reader.ts";
import { fromCel, isExpression, toCel } from "./values.ts";
import type { Instance } from "./world.ts";

/** A parameter or output as read: its value, expressions left in place, and what each part of it comes from. */
type Part = { readonly value: Json | undefined; readonly links: readonly { readonly path: string; readonly meant: Resolved }[] };

const NO_PART: Part = Object.freeze({ value: REPORTED, links: [] });

/** See the file's header. */
export class BlueprintInstance {
  /** `WebService/backend`. */
  readonly key: ResourceKey;
  /** `backend`: what stands before the dot in the keys of the resources inside. */
  readonly name: string;
  /** `webService.backend`: how expressions outside write it. */
  readonly path: string;
  readonly shown: string;
  readonly declaration: Use;
  readonly scope: ExpressionScope;
  readonly each?: JsonObject;
  /** Of the frame its own document stands in, and of the one inside. */
  readonly expander: Expander;
  readonly inner: Expander;
  /** The resources and lookups inside, those of instances inside it among them. */
  readonly resources: Instance[] = [];
  readonly #names: Names;
  readonly #parts = new Map<string, Part>();
  readonly #needs = new Map<string, readonly { readonly path: string; readonly names: readonly string[] }[]>();
  readonly #contexts = new WeakMap<View, object>();
  readonly #open = new Set<string>();

  constructor(slot: Slot, declaration: Use, scope: ExpressionScope, expander: Expander) {
    const { world } = expander.frame;
    this.key = slot.key;
    this.name = slot.name;
    this.path = slot.path;
    this.shown = slot.shown;
    this.declaration = declaration;
    this.scope = scope;
    if (slot.each) this.each = slot.each;
    this.expander = expander;
    this.#names = world.language.inside.get(declaration.kind.name) as Names;
    this.inner = expanderOf(new Frame(world, this.#names, this), expander, this.#noting(declaration.place));
  }

  /** What `self` is inside, and in its own spec. */
  get self(): Accessor {
    const { self } = this.expander.frame.world.language;
    return toCel(self, { name: selfName(this.name) }) as Accessor;
  }

  /** The instances around this one, from the innermost, and this one first. */
  get around(): readonly BlueprintInstance[] {
    return [this, ...(this.expander.frame.instance?.around ?? [])];
  }

  /** Every parameter that has a value, expressions left in place. */
  spec(): JsonObject {
    const values = this.declaration.kind.parameters.map(({ name }) => [name, this.#parameter(name).value] as const);
    return Object.fromEntries(values.filter(([, value]) => value !== undefined));
  }

  /** Adds a problem for every parameter that is missing, unknown or wrong, and reads the outputs. */
  check(): void {
    const { spec, kind, label } = this.declaration;
    const { problems } = this.expander;
    if (spec && spec.type !== "map" && !(spec.type === "scalar" && spec.value === null)) {
      problems.add(spec.place, `the spec of ${label} must be a map`);
      return;
    }
    const known = Object.keys(kind.spec.fields);
    for (const [name, { key }] of spec?.type === "map" ? spec.entries : [])
      if (!known.includes(name)) problems.add(key, `unknown parameter \`${name}\` in ${label}`, suggestion(name, known));
    this.spec();
    for (const output of kind.outputs) this.#output(output);
  }

  /** `params` inside. */
  parameters(view: View): Accessor {
    const data = () => {
      const values = Object.keys(this.declaration.kind.spec.fields).map((name) => [name, fromCel(this.#value(name, view))]);
      return Object.fromEntries(values.filter(([, value]) => value !== undefined)) as JsonObject;
    };
    return new this.#names.params.valueClass((name) => this.#value(name, view), data);
  }

  /** What expressions outside read: an output, or else a parameter. */
  attribute(name: string, view: View): unknown {
    const output = this.#outputNamed(name);
    return output ? valueOfNode(output.value, this.#insideReading(), this.#insideContext(output, view)) : this.#value(name, view);
  }

  /** The resources that an attribute comes from; all of the instance's where it is undefined. */
  attributeLinks(name: string | undefined): Resolved {
    const { kind } = this.declaration;
    const linksOf = (output: Output) => together(this.#output(output).links.map(({ meant }) => meant));
    if (name === undefined) return together([...kind.outputs.map(linksOf), this.parameterLinks(undefined, undefined)]);
    const output = this.#outputNamed(name);
    return output ? linksOf(output) : this.parameterLinks(name, undefined);
  }

  /** The resources that a parameter, or one member of it, comes from; all parameters where it is undefined. */
  parameterLinks(name: string | undefined, inside: string | undefined): Resolved {
    const links = this.#named(name).flatMap((each) => {
      return this.#parameter(each).links.filter(({ path }) => concerns(path, each, inside));
    });
    return together(links.map(({ meant }) => meant));
  }

  /** What a parameter, or one member of it, needs of what AWS has not told yet, before anything is evaluated. */
  parameterNeeds(name: string | undefined, inside: string | undefined): readonly string[] {
    return this.#named(name).flatMap((each) =>
      this.#needsOf(each).flatMap((need) => (concerns(need.path, each, inside) ? need.names : [])),
    );
  }

  /** The one resource that the whole of a parameter refers to. */
  parameterTarget(name: string): Instance | undefined {
    const { frame, links } = this.expander;
    return this.#target(member(this.declaration.spec, name), links, { scope: this.scope, context: frame.contextOf(this) });
  }

  /** Likewise of an output. */
  outputTarget(name: string): Instance | undefined {
    const output = this.#outputNamed(name);
    const { scope } = this.#names;
    return output && this.#target(output.value, this.inner.links, { scope, context: this.#insideContext(output) });
  }

  /** A parameter that is not known as a whole, as far as it is: each expression in it is written as its place in the parameter. Undefined for any other expression. */
  parts(expression: Expression): Json | undefined {
    const value = parameterIn(expression.text, (name) => this.#parameter(name).value);
    return value === undefined || isExpression(value) ? undefined : asPlaces(value, expression.text.trim(), (text) => this.#typeOf(text));
  }

  /** The elements of a list parameter whose length is known, each as a value or as what reading it raises. Undefined for any other expression. */
  elements(expression: Expression): readonly unknown[] | undefined {
    const list = parameterIn(expression.text, (name) => this.#parameter(name).value);
    if (!Array.isArray(list) || !hasItsLength(list, (text) => this.#typeOf(text))) return undefined;
    const element = expression.type.kind === "list" ? expression.type.element : DYN;
    const context = this.expander.frame.contextOf(this);
    return list.map((value: Json) =>
      isExpression(value) ? new UnknownAccess(value.$expr) : toCel(element, value, (text) => this.#evaluate(text, context)),
    );
  }

  #typeOf(text: string): Type | undefined {
    return this.expander.frame.world.language.check(text, this.scope).expression?.type;
  }

  /** For what is wrong with an expression inside: noted at the parameter's value where it reads a single one, else at the instance. */
  problemsOf({ references }: Expression): Problems {
    const read = new Set(references.flatMap(({ root, name = "" }) => (root === "params" ? [name] : [])));
    const [value] = [...read].map((name) => member(this.declaration.spec, name));
    return value && read.size === 1 ? this.#noting(value.place) : this.inner.problems;
  }

  #noting(place: Place): Problems {
    return this.expander.problems.within(`in ${this.key} at ${placeText(place)}`);
  }

  /** How a document of this instance's is read: its spec among the names outside. */
  reading(): Reading {
    const { frame, links } = this.expander;
    const context = frame.contextOf(this);
    const { scope } = this;
    return { label: this.declaration.label, scope, context, refer: (references) => links.resolve(references, { scope, context }) };
  }

  #value(name: string, view: View): unknown {
    if (this.#open.has(name)) throw new UnknownAccess(`${this.shown}.${name}`, { key: this.key, attribute: name });
    const type = this.#names.params.fields.get(name) ?? DYN;
    const { value } = this.#parameter(name);
    const context = remembered(this.#contexts, view, () => this.expander.frame.contextOf(this, view));
    return toCel(type, value, (text) => this.#evaluate(text, context));
  }

  #evaluate(text: string, context: object): Json | undefined {
    const { expression } = this.expander.frame.world.language.check(text, this.scope);
    // What is wrong was reported, and an expression without a text stands in for it.
    if (!expression) throw new UnknownAccess(text);
    return fromCel(expression.evaluate(context));
  }

  #parameter(name: string): Part {
    // Whoever asks while it is being read is a part of what it is made from: that is told where it is evaluated.
    if (this.#open.has(name)) return NO_PART;
    return remembered(this.#parts, `params.${name}`, () => this.#readParameter(name));
  }

  #readParameter(name: string): Part {
    const { declaration, expander } = this;
    const parameter = declaration.kind.parameters.find((candidate) => candidate.name === name);
    const node = member(declaration.spec, name);
    const links: Part["links"][number][] = [];
    this.#open.add(name);
    const reading = { ...this.#collecting(this.reading(), links), stay: this.#stay(name) };
    const given = node && expander.reader.read(node, declaration.kind.spec.fields[name] ?? ANY, reading, name);
    this.#open.delete(name);
    return { value: parameter ? this.#checked(parameter, completed(parameter, given)) : given, links };
  }

  /** What is wrong is left alone inside: it is told once, here. */
  #checked({ name, alone }: Parameter, value: Json | undefined): Json | undefined {
    const { spec, label, place } = this.declaration;
    const { problems } = this.expander;
    const before = problems.size;
    const node = spec?.type === "map" ? spec : emptyMap(place);
    checkValue(alone, { [name]: value }, { node, label, problems, home: place });
    return problems.size === before ? value : REPORTED;
  }

  #stay(name: string): NonNullable<Reading["stay"]> {
    const { problems } = this.expander;
    return (unknown, place) => {
      if (unknown.of?.key !== this.key || unknown.of.attribute !== name) return true;
      problems.add(place, `\`${name}\` of ${this.declaration.label} is made from itself`);
      return false;
    };
  }

  #output(output: Output): Part {
    return remembered(this.#parts, `outputs.${output.name}`, () => this.#readOutput(output));
  }

  #readOutput(output: Output): Part {
    const { reader, links: resolver } = this.inner;
    const { scope } = this.#names;
    const context = this.#insideContext(output);
    const links: Part["links"][number][] = [];
    const refer: Reading["refer"] = (references) => resolver.resolve(references, { scope, context });
    const label = `output ${output.name} of ${this.declaration.kind.name}`;
    const value = reader.read(output.value, ANY, this.#collecting({ label, scope, context, refer }, links), output.name);
    return { value, links };
  }

  #collecting(reading: Reading, links: Part["links"][number][]): Reading {
    return {
      ...reading,
      refer: (references, path) => {
        const meant = reading.refer(references, path);
        links.push({ path, meant });
        return meant;
      },
    };
  }

  /** Told from the texts alone, because it is asked for before every name is known. */
  #needsOf(name: string): readonly { readonly path: string; readonly names: readonly string[] }[] {
    if (this.#open.has(name)) return [];
    return remembered(this.#needs, name, () => {
      const node = member(this.declaration.spec, name);
      const needs: { path: string; names: readonly string[] }[] = [];
      const refer = (references: readonly PlacedReference[], path: string) => {
        needs.push({ path, names: references.flatMap(({ reference }) => this.expander.links.remote(reference)) });
        return [];
      };
      this.#open.add(name);
      const { label } = this.declaration;
      if (node) this.expander.reader.read(node, ANY, { label, scope: this.scope, context: undefined, refer }, name);
      this.#open.delete(name);
      return needs;
    });
  }

  #target(node: Node | undefined, links: Expander["links"], site: Site): Instance | undefined {
    const read = node?.type === "scalar" ? this.expander.texts.read(node, site.scope) : undefined;
    return read && "text" in read ? links.target(read.text, site) : undefined;
  }

  #named(name: string | undefined): readonly string[] {
    return name === undefined ? Object.keys(this.declaration.kind.spec.fields) : [name];
  }

  #outputNamed(name: string): Output | undefined {
    return this.declaration.kind.outputs.find((output) => output.name === name);
  }

  #insideReading() {
    return { texts: this.inner.texts, scope: this.#names.scope };
  }

  #insideContext(output: Output, view?: View): object {
    return this.inner.frame.context(output.value.place.source.directory, view);
  }
}

/** Whether what stands at the path is a part of the parameter's member. */
function concerns(path: string, name: string, inside: string | undefined): boolean {
  if (inside === undefined || path === name) return true;
  const wanted = `${name}.${inside}`;
  return path === wanted || path.startsWith(`${wanted}.`);
}
