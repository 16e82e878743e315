/** `explain`: a kind or a field as text. */

import type { FieldMeta } from "../../core/field.ts";
import type { Shape } from "../../core/shape.ts";
import type { AnyKind, AnyLookup, Identity } from "../../kind/kind.ts";
import { ENVIRONMENT } from "../../manifest/environment.ts";
import type { MadeKind } from "../../manifest/made-kinds.ts";
import { MONITOR } from "../../monitor/monitor.ts";
import { type Fielded, type FoundField, innerFields } from "../fields.ts";
import type { Style } from "../io.ts";
import { alignRows, type Row, renderTable } from "./table.ts";
import { renderValue } from "./value.ts";

/** One of AWS's kinds, or one that a blueprint makes. */
export type ExplainedKind = AnyKind | AnyLookup | MadeKind;

/** A table of all kinds. */
export function listKinds(kinds: readonly ExplainedKind[]): string {
  const type = (kind: ExplainedKind) => ("madeBy" in kind ? "blueprint" : kind.lookup ? "lookup" : "managed");
  const rows = kinds.map((kind) => [kind.name, kind.shortNames.join(","), kind.apiVersion, type(kind)]);
  const own = OWN_DOCUMENTS.map((document) => [document.name, "", document.apiVersion, document.type]);
  return renderTable(["KIND", "SHORT", "APIVERSION", "TYPE"], [...rows, ...own].sort());
}

/** Documents of BEACON's own that are no resources. */
export const OWN_DOCUMENTS = [
  { ...MONITOR, type: "check", specSays: "   exactly one of the checks, and when it is made" },
  { ...ENVIRONMENT, type: "environment", specSays: "" },
] as const;

/** One of them: what it is, and its spec. */
export function explainOwn(own: (typeof OWN_DOCUMENTS)[number], style: Style): string {
  return [
    `${style.bold(own.name)}   ${own.apiVersion}`,
    own.doc,
    "",
    `${style.bold("spec")}${own.specSays}`,
    ...fieldList(own.spec.fields, style),
  ].join("\n");
}

/** A kind: what it is, how its objects are found again, its spec and its status. */
export function explainKind(kind: ExplainedKind, style: Style): string {
  return [
    `${style.bold(kind.name)}   ${kind.apiVersion}${kind.shortNames.length > 0 ? `   short: ${kind.shortNames.join(", ")}` : ""}`,
    kind.doc,
    ...nature(kind),
    "",
    style.bold("spec"),
    ...fieldList(kind.spec.fields, style),
    "",
    style.bold("status"),
    ...fieldList(kind.status.fields, style),
  ].join("\n");
}

function nature(kind: ExplainedKind): string[] {
  if ("madeBy" in kind) return ["", `Made by ${kind.madeBy}: its parameters are the spec of an instance, its outputs the status.`];
  if (kind.lookup) return ["", "A lookup: read when a revision is accepted, and pinned with it."];
  const deviations =
    kind.deviations.length === 0 ? [] : ["", "Differs from AWS's own words:", ...kind.deviations.map((text) => `  - ${text}`)];
  return ["", `Identity: ${identityText(kind.identity)}`, ...deviations];
}

/** A field: its type, what it means, and how BEACON treats it. */
export function explainField(kind: Fielded, found: FoundField, style: Style): string {
  const { shape, path } = found;
  const inner = innerFields(shape);
  const facts = [...limits(shape), ...treatment(shape.meta)];
  return [
    `${style.bold(`${kind.name}.${found.in}.${path.join(".")}`)}   ${typeText(shape)}${shape.optional || found.in === "status" ? "" : "   required"}`,
    ...(shape.meta ? [shape.meta.doc] : []),
    ...(facts.length > 0 ? ["", ...facts.map((fact) => `  - ${fact}`)] : []),
    ...(inner ? ["", style.bold("fields"), ...fieldList(inner, style)] : []),
  ].join("\n");
}

/** `string`, `list of object`, `map of string`, `one of a, b`. */
export function typeText(shape: Shape): string {
  switch (shape.type) {
    case "array":
      return `list of ${typeText(shape.element)}`;
    case "map":
      return `map of ${typeText(shape.element)}`;
    case "enum":
      return `one of ${shape.values.join(", ")}`;
    case "literal":
      return JSON.stringify(shape.value);
    case "union":
      return [...new Set(shape.options.map(typeText))].join(" or ");
    default:
      return shape.type;
  }
}

function fieldList(fields: Readonly<Record<string, Shape>>, style: Style): string[] {
  const rows = Object.entries(fields).map(([name, shape]): Row => {
    const marks = [shape.optional ? "" : "required", shape.meta?.immutable ? "immutable" : ""].filter(Boolean).join(", ");
    const doc = [shape.meta?.doc, marks ? style.dim(`(${marks})`) : ""].filter(Boolean).join(" ");
    return [`  ${name}`, `${style.cyan(shorten(typeText(shape)))}  ${doc}`.trimEnd()];
  });
  return alignRows(rows);
}

// A long list of allowed values is told in full on the field's own page.
function shorten(type: string): string {
  return type.length > 40 ? `${type.slice(0, 37)}...` : type;
}

function limits(shape: Shape): string[] {
  switch (shape.type) {
    case "string":
      return [
        ...(shape.minLength !== undefined || shape.maxLength !== undefined
          ? [`${shape.minLength ?? 0} to ${shape.maxLength ?? "any number of"} characters`]
          : []),
        ...(shape.pattern === undefined ? [] : [`matches ${shape.pattern}`]),
      ];
    case "integer":
    case "number":
      return shape.minimum === undefined && shape.maximum === undefined ? [] : [`from ${shape.minimum ?? "-∞"} to ${shape.maximum ?? "∞"}`];
    default:
      return [];
  }
}

function treatment(meta: FieldMeta | undefined): string[] {
  if (!meta) return [];
  return [
    ...(meta.immutable ? ["AWS cannot change it: a new value needs a new object"] : []),
    ...(meta.exclusive ? ["one object at a time can have it: a replacement that keeps it deletes the old object first"] : []),
    ...(meta.createOnly ? ["written at create, then left to whoever changes it"] : []),
    ...(meta.late ? ["sent after the create, and withdrawn first on delete"] : []),
    ...(meta.whole ? ["ours as a whole: what the manifest does not say of it is taken away at AWS"] : []),
    ...(meta.secret ? ["never stored, logged or shown"] : []),
    ...(meta.unset === undefined ? [] : [`when it leaves the manifest it is set to ${renderValue(meta.unset)}`]),
    ...(meta.ref === undefined ? [] : [`takes ${meta.ref}`]),
    ...(meta.compare === undefined
      ? []
      : [`compared as ${typeof meta.compare === "string" ? meta.compare : `a list told apart by ${meta.compare.keyed}`}`]),
  ];
}

function identityText(identity: Identity): string {
  switch (identity.by) {
    case "name":
      return `by ${identity.key.join(" and ")}, unique at AWS`;
    case "token":
      return "by a client token, the same for every send";
    case "tag":
      return "by its ownership tags";
  }
}
