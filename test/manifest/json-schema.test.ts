import assert from "node:assert/strict";
import { test } from "node:test";
import { kinds } from "../../reconcilers/index.ts";
import { jsonSchema } from "../../src/manifest/json-schema.ts";
import { sourcesOf } from "../../src/manifest/source.ts";
import { MONITOR } from "../../src/monitor/monitor.ts";

const PROJECT = `apiVersion: beacon/v1
kind: Project
metadata: { name: shop }
spec:
  parameters:
    days: { type: integer, enum: [1, 7], description: How long }
    tables: { type: object, additionalProperties: { type: object, required: [key], properties: { key: { type: string } } } }
`;

/** The value at a path of member names; the schema is plain JSON. */
const at = (schema: unknown, ...path: readonly (string | number)[]): unknown =>
  path.reduce<unknown>((value, name) => (value as Record<string | number, unknown> | undefined)?.[name], schema);

test("every kind is described, and every field takes its type or an expression", () => {
  const schema = jsonSchema(kinds);
  for (const kind of kinds.values()) {
    const definition = at(schema, "$defs", `${kind.apiVersion.replace("/", ".")}.${kind.name}`);
    assert.equal(at(definition, "properties", "kind", "const"), kind.name);
    assert.deepEqual(Object.keys(at(definition, "properties", "spec", "anyOf", 0, "properties") as object), Object.keys(kind.spec.fields));
  }
  const subnet = at(schema, "$defs", "ec2.aws.v1.Subnet", "properties", "spec", "anyOf", 0);
  assert.deepEqual(at(subnet, "required"), ["vpcId", "cidrBlock"]);
  const expression = { type: "string", pattern: "\\$\\{" };
  assert.deepEqual(at(subnet, "properties", "mapPublicIpOnLaunch", "anyOf"), [
    { type: "boolean" },
    expression,
    { type: "null", description: "Omitted." },
  ]);
  assert.equal(at(schema, "$defs", "ec2.aws.v1.AvailabilityZones", "properties", "lifecycle"), undefined, "a lookup has no life cycle");
});

test("the kinds of blueprints are described with their parameters, and stand in the documents of blueprints", () => {
  const blueprint = `apiVersion: beacon/v1
kind: Blueprint
metadata: { name: network }
spec:
  kind: Network
  parameters:
    range: { typeOf: ec2.aws/v1 VPC.spec.cidrBlock, description: Its range }
    tags: { typeOf: ec2.aws/v1 VPC.spec.tags, default: {} }
    zones: { type: integer, maximum: 3, default: 2 }
  resources: [{ apiVersion: ec2.aws/v1, kind: VPC, metadata: { name: own }, spec: { cidrBlock: "\${params.range}" } }]
`;
  const schema = jsonSchema(kinds, sourcesOf({ "project.yaml": PROJECT, "blueprint.yaml": blueprint }));
  const definition = at(schema, "$defs", "blueprint.beacon.v1.Network", "properties");
  const spec = at(definition, "spec", "anyOf", 0);
  assert.deepEqual(at(spec, "required"), ["range"]);
  const expression = { type: "string", pattern: "\\$\\{" };
  const nothing = { type: "null", description: "Omitted." };
  assert.deepEqual(at(spec, "properties", "zones"), {
    description: "Default: 2.",
    anyOf: [{ type: "integer", maximum: 3 }, expression, nothing],
  });
  assert.equal(at(spec, "properties", "range", "description"), "Its range");
  const lent = "Tags, over the project's default tags. Default: {}.";
  assert.equal(at(spec, "properties", "tags", "description"), lent, "without a description, that of the field that lends its type");
  assert.equal(at(definition, "readyWhen"), undefined);
  const resources = at(schema, "$defs", "Blueprint", "properties", "spec", "properties", "resources", "items", "oneOf") as {
    $ref: string;
  }[];
  assert.ok(resources.some(({ $ref }) => $ref === "#/$defs/blueprint.beacon.v1.Network"));
  assert.equal(resources.length, kinds.size + 2, "Monitors, too");
});

test("an object that stands in several places is defined once, and nothing refers to what is not defined", () => {
  const definitions = jsonSchema(kinds).$defs as Record<string, unknown>;
  const text = JSON.stringify(definitions);
  const used = [...text.matchAll(/"#\/\$defs\/([^"]+)"/g)].map(([, name]) => String(name));
  assert.deepEqual(
    used.filter((name) => !(name in definitions)),
    [],
  );
  const rule = at(definitions, "ec2.aws.v1.SecurityGroup.ingress.item", "anyOf", 0);
  assert.ok(at(rule, "properties", "ipProtocol") && at(rule, "properties", "$if"), "an item that may be conditional");
  assert.ok(text.length < 1_000_000, `${text.length} characters`);
});

test("an environment's parameters are the project's own", () => {
  const schema = jsonSchema(kinds, sourcesOf({ "project.yaml": PROJECT }));
  const parameters = at(schema, "$defs", "Environment", "properties", "spec", "properties", "parameters");
  assert.deepEqual(parameters, {
    type: "object",
    additionalProperties: false,
    properties: {
      days: { type: "integer", description: "How long", enum: [1, 7] },
      tables: { type: "object", additionalProperties: { type: "object", properties: { key: { type: "string" } }, required: ["key"] } },
    },
  });
});

test("a Monitor has the members of its kind, and every field takes its type or an expression", () => {
  const schema = jsonSchema(kinds);
  assert.ok((at(schema, "oneOf") as { $ref: string }[]).some(({ $ref }) => $ref === "#/$defs/Monitor"));
  const properties = at(schema, "$defs", "Monitor", "properties") as object;
  assert.deepEqual(Object.keys(properties), ["apiVersion", "kind", "metadata", "forEach", "includeWhen", "spec"]);
  const spec = at(properties, "spec", "anyOf", 0, "properties");
  assert.deepEqual(Object.keys(spec as object), Object.keys(MONITOR.spec.fields));
  assert.deepEqual(at(spec, "http", "anyOf", 0, "required"), ["url"]);
});
