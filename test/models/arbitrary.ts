/** Specs by chance: whatever a kind's schema accepts, near its edges above all. */

import fc from "fast-check";
import type { z } from "zod";
import type { Json, JsonObject } from "../../src/core/json.ts";

type Definition = {
  readonly type: string;
  readonly innerType?: z.ZodType;
  readonly element?: z.ZodType;
  readonly keyType?: z.ZodType;
  readonly valueType?: z.ZodType;
  readonly options?: readonly z.ZodType[];
  readonly shape?: Readonly<Record<string, z.ZodType>>;
  readonly entries?: Readonly<Record<string, string>>;
  readonly values?: readonly Json[];
};

// Texts of every form the kinds know, and near misses of each: a schema takes its own out of them.
const TEXTS = [
  ...[
    "vpc-0123456789abcdef0",
    "a",
    "ab",
    "abc",
    "Web servers",
    "with space ",
    " ",
    "",
    "sg-web",
    "SG-web",
    "default",
    "aws/web",
    "/aws/lambda/f",
  ],
  ...["10.0.0.0/16", "10.0.1.0/24", "10.0.0.0/8", "0.0.0.0/0", "10.0.0.4/30", "10.0.0.7/32", "10.0.0.1/16", "10.0.0.5", "256.0.0.1"],
  ...["2001:db8::/32", "2001:db8::/44", "2001:db8::/45", "2001:db8::/56", "2001:db8::/64", "2001:db8::1/128", "::/0"],
  ...["tcp", "udp", "icmp", "icmpv6", "-1", "0", "6", "50", "050", "255", "256", "999"],
  ...[
    "arn:aws:kms:eu-west-1:111122223333:key/1",
    "arn:aws:outposts:eu-west-1:111122223333:outpost/op-1",
    "arn:aws:iam::111122223333:role/web",
    "arn:aws:kms:",
    "arn:aws:iam::aws:policy/ReadOnlyAccess",
    "/a/path/",
    ...["s3:::copies", "iam::111122223333:role/r", "sns:eu-west-1:111122223333:t", "sqs:eu-west-1:111122223333:q"].map(
      (arn) => `arn:aws:${arn}`,
    ),
    "arn:aws:lambda:eu-west-1:111122223333:function:f",
    "s3:ObjectCreated:*",
    "2030-01-31",
    "111122223333",
    "aws:name",
    "beacon:stack",
  ],
  ...["p99.9", "tm90", "TM(10%:90%)", "/a/b", "application:label:", "arn:aws:wafv2:eu-west-1:111122223333:regional/ipset/a/1"],
  ...["example.com", "*.example.com", "www.example.com", "WWW.Example.com.", "\\052.example.com.", "ns-1.awsdns-01.co.uk"],
  ...["Z0123456789ABCDEFGHIJ", "0a1b2c3d-1111-2222-3333-444455556666", '"v=spf1 -all"'],
  ...["arn:aws:acm-pca:eu-west-1:111122223333:certificate-authority/1"],
  ...["t3.micro", "m5.large", "ELB", "EC2,ELB", "ami-1", "app/web/1/targetgroup/web/2"],
  "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIElEc9kKsmVKp1J4kFcjodqihXO0ZiIy7a4Ainbg3AzT ops@example.com",
  ...["ünï/codé", "emoji 😀", "semi;colon", "star*", "new\nline", "a=b@c:d+e", "#hash", "under_score.dot-dash"],
];
const [ALLOW, TRUST] = [
  { Effect: "Allow", Action: "s3:GetObject", Resource: "*" },
  { Effect: "Allow", Principal: { Service: "ec2.amazonaws.com" }, Action: "sts:AssumeRole" },
];
const DOCUMENTS: readonly Json[] = [
  { Version: "2012-10-17", Statement: [] },
  // What ECR calls a lifecycle policy.
  {
    rules: [
      { rulePriority: 1, selection: { tagStatus: "any", countType: "imageCountMoreThan", countNumber: 1 }, action: { type: "expire" } },
    ],
  },
  ...[ALLOW, TRUST, { ...ALLOW, Principal: "*" }].flatMap((one) => [{ Statement: one }, JSON.stringify({ Statement: [one] })]),
];
const LENGTHS = [127, 128, 129, 255, 256, 257, 512, 513, 1011, 2048];
const POOL = [
  ...TEXTS,
  ...LENGTHS.map((length) => "x".repeat(length)),
  ...LENGTHS.map((length) => `arn:aws:kms:${"x".repeat(length - 12)}`),
];
const NUMBERS = [-2, -1, 0, 1, 2, 5, 7, 10, 22, 35, 36, 60, 100, 180, 200, 255, 256, 443, 3600, 65_535, 65_536, 86_400, 1e9];

// Objects within objects this deep have only what they must: statements within statements would grow without end.
const DEPTH_MAX = 5;

/** Values that the schema accepts; fields that may be absent are absent now and then. */
export function valuesOf(schema: z.ZodType, depth = 0): fc.Arbitrary<Json | undefined> {
  const definition = schema.def as unknown as Definition;
  if (definition.type === "optional" && depth > DEPTH_MAX) return fc.constant(undefined);
  if (definition.type === "optional") return fc.option(valuesOf(definition.innerType as z.ZodType, depth), { nil: undefined });
  if (definition.type === "string") return textsOf(schema);
  if (definition.type === "number") return numbersOf(schema);
  if (definition.type === "boolean") return fc.boolean();
  if (definition.type === "enum") return fc.constantFrom(...Object.values(definition.entries ?? {}));
  if (definition.type === "literal") return fc.constantFrom(...(definition.values ?? []));
  if (definition.type === "array")
    return accepted(
      schema,
      fc.array(valuesOf(definition.element as z.ZodType, depth) as fc.Arbitrary<Json>, { maxLength: depth > 2 ? 2 : 3 }),
    );
  if (definition.type === "record") return accepted(schema, mapsOf(definition, depth));
  if (definition.type === "object") return accepted(schema, membersOf(definition.shape ?? {}, depth + 1));
  // Free-form documents: policies.
  if (definition.type === "any" || definition.type === "union")
    return accepted(schema, fc.constantFrom<Json>(...DOCUMENTS, "{}", "", 5, true, []));
  throw new Error(`no values for ${definition.type}`);
}

function accepted<T>(schema: z.ZodType, values: fc.Arbitrary<T>): fc.Arbitrary<T> {
  return values.filter((value) => schema.safeParse(value).success);
}

// Ids that are names of what every object has come from no AWS; keys of maps are the user's own, and may be (see mapsOf).
function textsOf(schema: z.ZodType): fc.Arbitrary<string> {
  const known = POOL.filter((text) => schema.safeParse(text).success);
  const [first] = known;
  if (first === undefined) throw new Error(`none of the known texts fits ${JSON.stringify(schema.def)}`);
  const chance = fc
    .string({ unit: "grapheme", maxLength: 20 })
    .map((text) => (schema.safeParse(text).success && !(text in {}) ? text : first));
  return fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...known) }, chance);
}

function numbersOf(schema: z.ZodType): fc.Arbitrary<number> {
  const { minValue, maxValue } = schema as unknown as { readonly minValue: number | null; readonly maxValue: number | null };
  const edges = [minValue, maxValue].filter((edge) => typeof edge === "number" && Number.isFinite(edge)) as number[];
  return fc.constantFrom(...[...NUMBERS, ...edges].filter((number) => schema.safeParse(number).success));
}

function mapsOf({ keyType, valueType }: Definition, depth: number): fc.Arbitrary<Record<string, Json>> {
  const keys = fc.oneof({ weight: 9, arbitrary: textsOf(keyType as z.ZodType) }, fc.constantFrom("constructor", "valueOf"));
  return fc.dictionary(keys, valuesOf(valueType as z.ZodType, depth) as fc.Arbitrary<Json>, { maxKeys: 3 });
}

function membersOf(shape: Readonly<Record<string, z.ZodType>>, depth: number): fc.Arbitrary<JsonObject> {
  const members = fc.record(Object.fromEntries(Object.entries(shape).map(([name, inner]) => [name, valuesOf(inner, depth)])));
  return members.map((found) => Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined)) as JsonObject);
}
