/** The JSON Schema of manifests, for editors: every kind, those of the project's blueprints, and its parameters. Every field takes its type or an expression. */

import type { JsonObject } from "../core/json.ts";
import type { ObjectShape, Shape } from "../core/shape.ts";
import type { AnyKind, AnyLookup, Kinds } from "../kind/kind.ts";
import { MONITOR } from "../monitor/monitor.ts";
import { prepare } from "./compile.ts";
import { ENVIRONMENT } from "./environment.ts";
import { LIFECYCLE } from "./lifecycle.ts";
import { type MadeKind, madeKindsOf } from "./made-kinds.ts";
import type { Parameter, ParameterSchema } from "./parameter-schema.ts";
import type { SourceSet } from "./source.ts";

const EXPRESSION: JsonObject = { type: "string", pattern: "\\$\\{" };
const NULL: JsonObject = { type: "null", description: "Omitted." };

type Documented = Pick<AnyKind | AnyLookup | MadeKind, "apiVersion" | "name" | "doc" | "spec">;

const DEPENDS_ON = { type: "array", items: { type: "string" }, description: "What must be ready first, as KIND/NAME." };
// What a document may say beside what every document may: of a resource, and of a blueprint's instance.
const MANAGED: JsonObject = {
  dependsOn: DEPENDS_ON,
  readyWhen: { type: "array", items: EXPRESSION, description: "Conditions on `self` before dependents start." },
  lifecycle: { $ref: "#/$defs/lifecycle" },
};
const MADE: JsonObject = { dependsOn: DEPENDS_ON, lifecycle: { $ref: "#/$defs/instanceLifecycle" } };

/** One schema for every document of a manifest set; without sources, parameters may be anything. */
export function jsonSchema(kinds: Kinds, sources?: SourceSet): JsonObject {
  const prepared = sources && prepare(sources, { kinds });
  const made = prepared ? madeKindsOf(prepared) : [];
  const inside = ["Monitor", ...[...kinds.values(), ...made].map(definitionName)];
  const own = {
    Project: ownSchema("Project", projectSpec()),
    Environment: ownSchema("Environment", environmentSpec(prepared?.project.parameters)),
    Blueprint: ownSchema("Blueprint", blueprintSpec(inside)),
  };
  const documents = [
    kindSchemas(MONITOR, "Monitor", {}),
    ...[...kinds.values()].map((kind) => kindSchemas(kind, definitionName(kind), kind.lookup ? {} : MANAGED)),
    ...made.map((kind) => kindSchemas(kind, definitionName(kind), MADE)),
  ];
  const names = [...Object.keys(own), ...inside];
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "BEACON manifest",
    type: "object",
    required: ["apiVersion", "kind", "metadata"],
    oneOf: names.map((name) => ({ $ref: `#/$defs/${name}` })),
    $defs: Object.assign({}, own, ...documents, commonDefinitions()),
  };
}

function definitionName({ apiVersion, name }: Documented): string {
  return `${apiVersion.replace("/", ".")}.${name}`;
}

/** The kind's own definition, and those of objects that stand in several places of its spec. */
function kindSchemas(kind: Documented, name: string, members: JsonObject): Record<string, JsonObject> {
  const shared = new SharedObjects(kind.spec, name);
  const own = kindSchema(kind, members, shared);
  return { [name]: own, ...shared.definitions };
}

/** Objects that stand in several places are defined once: statements within statements would else be written out at every depth. */
class SharedObjects {
  readonly definitions: Record<string, JsonObject> = {};
  /** What may stand in the place of any value. */
  readonly forms: readonly JsonObject[];
  readonly #names = new Map<object, string>();

  constructor(shape: Shape, name: string, forms: readonly JsonObject[] = [EXPRESSION]) {
    this.forms = forms;
    this.#find(shape, name, new Map());
  }

  /** What `make` makes of an object with these fields, or where it is defined. `form`: one object may be told in two forms. */
  once(fields: object, form: "plain" | "item", make: () => JsonObject): JsonObject {
    const name = this.#names.get(fields);
    if (name === undefined) return make();
    const defined = `${name}.${form}`;
    this.definitions[defined] ??= make();
    return { $ref: `#/$defs/${defined}` };
  }

  #find(shape: Shape, path: string, seen: Map<object, string>): void {
    if (shape.type === "array" || shape.type === "map") this.#find(shape.element, path, seen);
    if (shape.type === "union") for (const option of shape.options) this.#find(option, path, seen);
    if (shape.type !== "object" || Object.keys(shape.fields).length === 0) return;
    const first = seen.get(shape.fields);
    if (first !== undefined) {
      this.#names.set(shape.fields, first);
      return;
    }
    seen.set(shape.fields, path);
    for (const [name, inner] of Object.entries(shape.fields)) this.#find(inner, `${path}.${name}`, seen);
  }
}

function kindSchema(kind: Documented, members: JsonObject, shared: SharedObjects): JsonObject {
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
      ...members,
      spec: shapeSchema(kind.spec, shared),
    },
  };
}

/** The schema of a shape, its expression form included. */
function shapeSchema(shape: Shape, shared: SharedObjects): JsonObject {
  const plain = plainSchema(shape, shared);
  const described = shape.meta ? { description: shape.meta.doc } : {};
  if (shape.type === "any") return described;
  const forms = shape.type === "string" && shared.forms.length > 0 ? [{ anyOf: [...shared.forms, plain] }] : [plain, ...shared.forms];
  return { ...described, anyOf: shape.optional ? [...forms, NULL] : forms };
}

function plainSchema(shape: Shape, shared: SharedObjects): JsonObject {
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
      return { type: "array", items: itemSchema(shape.element, shared) };
    case "map":
      return { type: "object", additionalProperties: shapeSchema(shape.element, shared) };
    case "object":
      return shared.once(shape.fields, "plain", () => objectSchema(shape.fields, shared));
    case "union":
      return { anyOf: shape.options.map((option) => plainSchema(option, shared)) };
    case "any":
      return {};
  }
}

function objectSchema(fields: Readonly<Record<string, Shape>>, shared: SharedObjects): JsonObject {
  const names = Object.entries(fields);
  const required = names.filter(([, field]) => !field.optional).map(([name]) => name);
  const properties = Object.fromEntries(names.map(([name, field]) => [name, shapeSchema(field, shared)]));
  return { type: "object", additionalProperties: false, ...(required.length > 0 ? { required } : {}), properties };
}

/** List items may be conditional or repeated. */
function itemSchema(element: Shape, shared: SharedObjects): JsonObject {
  if (element.type !== "object") return shapeSchema(element, shared);
  return shared.once(element.fields, "item", () => directedItem(element.fields, shared));
}

function directedItem(fields: Readonly<Record<string, Shape>>, shared: SharedObjects): JsonObject {
  const plain = objectSchema(fields, shared);
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
      live: { type: "boolean", description: "Its value changes by itself: a change of it alone is no difference." },
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

function blueprintSpec(documents: readonly string[]): JsonObject {
  return {
    type: "object",
    required: ["kind", "resources"],
    additionalProperties: false,
    properties: {
      kind: { type: "string", pattern: "^[A-Z][A-Za-z0-9]*$", description: "The kind of its instances." },
      description: { type: "string" },
      parameters: { type: "object", additionalProperties: { $ref: "#/$defs/parameter" } },
      resources: { type: "array", minItems: 1, items: { oneOf: documents.map((name) => ({ $ref: `#/$defs/${name}` })) } },
      outputs: { type: "object", description: "Names and values, or {value, description}." },
    },
  };
}

/** Environments are read before anything is evaluated: their values are plain. */
function environmentSpec(parameters: readonly Parameter[] | undefined): JsonObject {
  const spec = objectSchema(ENVIRONMENT.spec.fields, new SharedObjects(ENVIRONMENT.spec, "Environment", []));
  const values = parameters && Object.fromEntries(parameters.map(({ name, schema, node }) => [name, parameterSchema(schema, node)]));
  const given = values ? { parameters: { type: "object", additionalProperties: false, properties: values } } : {};
  return { ...spec, properties: { ...(spec.properties as JsonObject), ...given } };
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
  const lifecycle = (shape: ObjectShape) => objectSchema(shape.fields, new SharedObjects(shape, "lifecycle"));
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
    lifecycle: lifecycle(LIFECYCLE.resource),
    instanceLifecycle: {
      description: "For the resources inside, where neither they nor, of all but drift, their kinds say anything.",
      ...lifecycle(LIFECYCLE.instance),
    },
    parameter: {
      type: "object",
      anyOf: [{ required: ["type"] }, { required: ["typeOf"] }],
      properties: {
        type: { enum: ["string", "integer", "number", "boolean", "array", "object"] },
        typeOf: { type: "string", description: "The type of a kind's field: ec2.aws/v1 Subnet.spec.tags" },
        format: { enum: ["hostname", "cidr"] },
      },
    },
  };
}
