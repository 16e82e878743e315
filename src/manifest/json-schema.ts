/** The JSON Schema of manifests, for editors: every kind, and the project's own parameters. Every field takes its type or an expression. */

import type { JsonObject } from "../core/json.ts";
import type { Shape } from "../core/shape.ts";
import type { AnyKind, AnyLookup, Kinds } from "../kind/kind.ts";
import { MONITOR } from "../monitor/monitor.ts";
import { prepare } from "./compile.ts";
import type { Parameter, ParameterSchema } from "./parameters.ts";
import type { SourceSet } from "./source.ts";

const EXPRESSION: JsonObject = { type: "string", pattern: "\\$\\{" };
const NULL: JsonObject = { type: "null", description: "Omitted." };

/** One schema for every document of a manifest set; without sources, parameters may be anything. */
export function jsonSchema(kinds: Kinds, sources?: SourceSet): JsonObject {
  const parameters = sources ? prepare(sources, { kinds }).project.parameters : undefined;
  const documents = [...kinds.values()].map((kind) => [definitionName(kind), kindSchema(kind)] as const);
  const own = [
    ["Project", ownSchema("Project", projectSpec())],
    ["Environment", ownSchema("Environment", environmentSpec(parameters))],
    ["Monitor", kindSchema({ ...MONITOR, lookup: true })],
  ] as const;
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "BEACON manifest",
    type: "object",
    required: ["apiVersion", "kind", "metadata"],
    oneOf: [...own, ...documents].map(([name]) => ({ $ref: `#/$defs/${name}` })),
    $defs: { ...Object.fromEntries(own), ...Object.fromEntries(documents), ...commonDefinitions() },
  };
}

function definitionName({ apiVersion, name }: AnyKind | AnyLookup): string {
  return `${apiVersion.replace("/", ".")}.${name}`;
}

/** Of a kind; and of a Monitor, which may have the members that a lookup may. */
function kindSchema(kind: Pick<AnyKind | AnyLookup, "apiVersion" | "name" | "doc" | "spec" | "lookup">): JsonObject {
  const managed = {
    dependsOn: { type: "array", items: { type: "string" }, description: "Resources that must be ready first, as KIND/NAME." },
    readyWhen: { type: "array", items: EXPRESSION, description: "Conditions on `self` before dependents start." },
    lifecycle: { $ref: "#/$defs/lifecycle" },
  };
  return {
    type: "object",
    description: kind.doc,
    required: ["apiVersion", "kind", "metadata"],
    additionalProperties: false,
    properties: {
      apiVersion: { const: kind.apiVersion },
      kind: { const: kind.name },
      metadata: { $ref: "#/$defs/metadata" },
      forEach: { description: "One resource for each: scalars or a map.", anyOf: [EXPRESSION, { type: "array" }, { type: "object" }] },
      includeWhen: { description: "Whether the resource exists.", anyOf: [EXPRESSION, { type: "boolean" }] },
      ...(kind.lookup ? {} : managed),
      spec: shapeSchema(kind.spec),
    },
  };
}

/** The schema of a shape, its expression form included. */
export function shapeSchema(shape: Shape): JsonObject {
  const plain = plainSchema(shape);
  const described = shape.meta ? { description: shape.meta.doc } : {};
  if (shape.type === "any") return described;
  const forms = shape.type === "string" ? [{ anyOf: [EXPRESSION, plain] }] : [plain, EXPRESSION];
  return { ...described, anyOf: shape.optional ? [...forms, NULL] : forms };
}

function plainSchema(shape: Shape): JsonObject {
  switch (shape.type) {
    case "string": {
      const { minLength, maxLength, pattern } = shape;
      return defined({ type: "string", minLength, maxLength, pattern });
    }
    case "integer":
    case "number":
      return defined({ type: shape.type, minimum: shape.minimum, maximum: shape.maximum });
    case "boolean":
      return { type: "boolean" };
    case "enum":
      return { enum: shape.values };
    case "literal":
      return { const: shape.value };
    case "array":
      return { type: "array", items: itemSchema(shape.element) };
    case "map":
      return { type: "object", additionalProperties: shapeSchema(shape.element) };
    case "object":
      return objectSchema(shape.fields);
    case "union":
      return { anyOf: shape.options.map(plainSchema) };
    case "any":
      return {};
  }
}

function objectSchema(fields: Readonly<Record<string, Shape>>): JsonObject {
  const names = Object.entries(fields);
  const required = names.filter(([, field]) => !field.optional).map(([name]) => name);
  const properties = Object.fromEntries(names.map(([name, field]) => [name, shapeSchema(field)]));
  return { type: "object", additionalProperties: false, ...(required.length > 0 ? { required } : {}), properties };
}

/** List items may be conditional or repeated. */
function itemSchema(element: Shape): JsonObject {
  if (element.type !== "object") return shapeSchema(element);
  const plain = objectSchema(element.fields);
  const directives = {
    $if: { anyOf: [EXPRESSION, { type: "boolean" }] },
    $for: { type: "string", pattern: "^\\s*[A-Za-z_]\\w*\\s+in\\s+\\$\\{" },
  };
  return { anyOf: [{ ...plain, properties: { ...(plain.properties as JsonObject), ...directives } }, EXPRESSION] };
}

function defined(schema: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(schema).filter(([, value]) => value !== undefined));
}

function ownSchema(kind: string, spec: JsonObject): JsonObject {
  return {
    type: "object",
    required: ["apiVersion", "kind", "metadata"],
    additionalProperties: false,
    properties: { apiVersion: { const: "beacon/v1" }, kind: { const: kind }, metadata: { $ref: "#/$defs/metadata" }, spec },
  };
}

function projectSpec(): JsonObject {
  const nextStep = {
    anyOf: [
      { type: "string" },
      {
        type: "object",
        required: ["text"],
        additionalProperties: false,
        properties: { $if: { anyOf: [EXPRESSION, { type: "boolean" }] }, $for: { type: "string" }, text: { type: "string" } },
      },
    ],
  };
  const output = {
    type: "object",
    required: ["value"],
    additionalProperties: false,
    properties: {
      value: {},
      description: { type: "string" },
      summary: { type: "boolean", description: "Shown after an apply; where no output says so, all are." },
    },
  };
  return {
    type: "object",
    additionalProperties: false,
    properties: {
      id: { type: "string", description: "The source's name, where the git remote is not to be it." },
      defaultTags: { type: "object", additionalProperties: { type: "string" } },
      locals: { type: "object" },
      parameters: { type: "object", additionalProperties: { $ref: "#/$defs/parameter" } },
      outputs: { type: "object", additionalProperties: output },
      nextSteps: { type: "array", items: nextStep, description: "What a person should do after an apply." },
    },
  };
}

function environmentSpec(parameters: readonly Parameter[] | undefined): JsonObject {
  const values = parameters && Object.fromEntries(parameters.map(({ name, schema, node }) => [name, parameterSchema(schema, node)]));
  return {
    type: "object",
    additionalProperties: false,
    properties: {
      default: { type: "boolean", description: "Chosen when --env is not given." },
      region: { type: "string" },
      accountId: { type: "string", pattern: "^\\d{12}$", description: "Any other account is refused." },
      roleArn: { type: "string" },
      confirm: { type: "object", additionalProperties: false, properties: { apply: { type: "string" }, delete: { type: "string" } } },
      drift: {
        type: "object",
        additionalProperties: false,
        properties: { mode: { enum: ["correct", "report", "ignore"] }, interval: { type: "string", pattern: "^[1-9]\\d*(s|m|h)$" } },
      },
      parameters: values ? { type: "object", additionalProperties: false, properties: values } : { type: "object" },
    },
  };
}

/** A parameter's own schema is JSON Schema already; only formats that editors do not know are left out. */
function parameterSchema(
  { type, description, items, properties, required, additionalProperties }: ParameterSchema,
  node?: Parameter["node"],
): JsonObject {
  const nested = (schema: ParameterSchema) => parameterSchema(schema);
  const values = node?.entries.get("enum")?.value;
  return defined({
    type,
    description,
    enum: values?.type === "list" ? values.items.flatMap((item) => (item.type === "scalar" ? [item.value] : [])) : undefined,
    items: items && nested(items),
    properties: properties && Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, nested(schema)])),
    required,
    additionalProperties: additionalProperties && nested(additionalProperties),
  });
}

function commonDefinitions(): JsonObject {
  const choice = (...values: readonly string[]) => ({ anyOf: [{ enum: values }, EXPRESSION] });
  return {
    metadata: {
      type: "object",
      required: ["name"],
      additionalProperties: false,
      properties: {
        name: { type: "string", pattern: "^[A-Za-z0-9][A-Za-z0-9_-]*$" },
        renamedFrom: { type: "string", description: "The key it had before." },
      },
    },
    lifecycle: {
      type: "object",
      additionalProperties: false,
      properties: {
        deletion: choice("delete", "force", "retain", "protect"),
        replace: choice("createFirst", "deleteFirst", "never"),
        drift: choice("correct", "report", "ignore"),
        ignoreFields: { type: "array", items: { type: "string" } },
        adopt: { type: ["boolean", "string"] },
        manage: { type: ["boolean", "string"] },
      },
    },
    parameter: {
      type: "object",
      required: ["type"],
      properties: { type: { enum: ["string", "integer", "number", "boolean", "array", "object"] }, format: { enum: ["hostname", "cidr"] } },
    },
  };
}
