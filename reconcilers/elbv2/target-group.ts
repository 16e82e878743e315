import type { TargetDescription, TargetGroup } from "@aws-sdk/client-elastic-load-balancing-v2";
import { z } from "zod";
import type { Reader } from "../../src/aws/service.ts";
import type { Tags } from "../../src/aws/tags.ts";
import { type FieldChange, overlay } from "../../src/core/diff.ts";
import { field, tags } from "../../src/core/field.ts";
import { isObject, type Json, type JsonObject } from "../../src/core/json.ts";
import { objectShape, shapeOf } from "../../src/core/shape.ts";
import { allTags, elbv2, elbv2Tags, findersOf, NOT_FOUND, PAGE, tagList, twice } from "../../src/kind/elbv2.ts";
import { targetGroupAttributes } from "../../src/kind/elbv2-attribute-schemas.ts";
import { attributesOf, attributesUpdater, initialAttributes } from "../../src/kind/elbv2-attributes.ts";
import { userOf } from "../../src/kind/elbv2-users.ts";
import { fromAws, toAws } from "../../src/kind/elbv2-words.ts";
import { type CheckFinding, defineKind, type Remote, type Scope, type StaticResource } from "../../src/kind/kind.ts";
import { defined, listInScope, unlessNamed } from "../../src/kind/listing.ts";

// "200,202" or "200-299" (Matcher).
const CODES = /^\d{1,3}(-\d{1,3})?(,\d{1,3}(-\d{1,3})?)*$/;

const codes = (doc: string) => field(z.string().regex(CODES, "must be codes such as 200, 200,202 or 200-299").optional(), { doc });
const seconds = (min: number, max: number, doc: string, unset?: number) =>
  field(z.int().min(min).max(max).optional(), { doc, ...(unset === undefined ? {} : { unset }) });

const target = z.strictObject({
  id: field(z.string().min(1), { doc: "An instance's ID, an IP address, or the ARN of a Lambda function or a load balancer." }),
  port: field(z.int().min(1).max(65_535).optional(), { doc: "Its port; the group's when absent." }),
  availabilityZone: field(z.string().min(1).optional(), { doc: "Its zone, or `all` for an address outside the VPC." }),
  quicServerId: field(z.string().min(1).max(256).optional(), { doc: "Its QUIC server ID." }),
});

const spec = z.strictObject({
  name: field(
    z
      .string()
      .min(1)
      .max(32)
      .regex(/^[A-Za-z0-9]+(-[A-Za-z0-9]+)*$/, "may hold letters, digits and single hyphens between them")
      .optional(),
    { doc: "Unique in the region; derived when absent.", immutable: true },
  ),
  targetType: field(z.enum(["instance", "ip", "lambda", "alb"]).optional(), {
    doc: "What its targets are; AWS's default is instance.",
    immutable: true,
  }),
  protocol: field(z.enum(["HTTP", "HTTPS", "TCP", "TLS", "UDP", "TCP_UDP", "QUIC", "TCP_QUIC"]).optional(), {
    doc: "How targets are spoken to; a group of a Lambda function has none.",
    immutable: true,
  }),
  protocolVersion: field(z.enum(["HTTP1", "HTTP2", "GRPC"]).optional(), {
    doc: "Which HTTP; AWS's default is HTTP1.",
    immutable: true,
  }),
  port: field(z.int().min(1).max(65_535).optional(), {
    doc: "The port of targets that have none of their own; a group of a Lambda function has none.",
    immutable: true,
  }),
  vpcId: field(z.string().min(1).optional(), { doc: "The VPC of its targets.", immutable: true, ref: "ec2.aws/v1 VPC.vpcId" }),
  ipAddressType: field(z.enum(["ipv4", "ipv6"]).optional(), {
    doc: "The addresses of its targets; AWS's default is ipv4.",
    immutable: true,
  }),
  targetControlPort: field(z.int().min(1).max(65_535).optional(), {
    doc: "Where the agent of the target optimizer listens.",
    immutable: true,
  }),
  healthCheckEnabled: field(z.boolean().optional(), {
    doc: "Whether targets are checked: for Lambda functions only, all others always are.",
  }),
  healthCheckProtocol: field(z.enum(["HTTP", "HTTPS", "TCP"]).optional(), { doc: "How targets are checked; HTTP or TCP by default." }),
  healthCheckPort: field(
    z
      .string()
      .regex(/^(traffic-port|[1-9]\d{0,4})$/, 'must be traffic-port, or a port as text: "8080"')
      .optional(),
    { doc: "Where targets are checked: traffic-port is where they are used.", unset: "traffic-port" },
  ),
  healthCheckPath: field(z.string().min(1).max(1024).regex(/^\//, "must begin with /").optional(), {
    doc: "What is asked for; by default `/`, and AWS's own method with GRPC.",
  }),
  healthCheckIntervalSeconds: seconds(5, 300, "How often; for Lambda functions 35 by default.", 30),
  healthCheckTimeoutSeconds: seconds(2, 120, "After how long an answer is missing; AWS's default goes by the protocol."),
  healthyThresholdCount: seconds(2, 10, "After how many good answers a target is healthy.", 5),
  unhealthyThresholdCount: seconds(2, 10, "After how many bad answers a target is unhealthy.", 2),
  matcher: field(
    z
      .strictObject({
        httpCode: codes("HTTP status codes."),
        grpcCode: codes("gRPC status codes, with protocol version GRPC."),
      })
      .optional(),
    { doc: "Which answers are good; by default 200, and 12 with GRPC." },
  ),
  targets: field(z.array(target).optional(), {
    doc: "Its targets, where nobody else registers them; leave it out for an Auto Scaling group's.",
    compare: { keyed: "id" },
    unset: [],
  }),
  attributes: field(targetGroupAttributes.optional(), { doc: "Its attributes: stickiness, slow start, targets that leave.", unset: {} }),
  tags: tags(),
});

const status = z.strictObject({
  targetGroupArn: field(z.string(), { doc: "The ARN of the target group." }),
  targetGroupFullName: field(z.string(), { doc: "`targetgroup/name/id`, by which CloudWatch knows it." }),
  loadBalancerArns: field(z.array(z.string()), { doc: "The load balancer that uses it." }),
});

type Spec = z.infer<typeof spec>;

const ATTRIBUTES = objectShape(targetGroupAttributes);
const TARGET = objectShape(target);
const MATCHER = shapeOf(spec.shape.matcher);

const HEALTH_CHECK = [
  "healthCheckEnabled",
  "healthCheckProtocol",
  "healthCheckPort",
  "healthCheckPath",
  "healthCheckIntervalSeconds",
  "healthCheckTimeoutSeconds",
  "healthyThresholdCount",
  "unhealthyThresholdCount",
  "matcher",
] as const satisfies readonly (keyof Spec)[];

export const targetGroup = defineKind({
  apiVersion: "elbv2.aws/v1",
  kind: "TargetGroup",
  doc: "Where a load balancer sends requests, and how it finds out who can take them.",
  shortNames: ["tg"],
  spec,
  status,
  id: "targetGroupArn",
  identity: { by: "name", key: ["name"], name: { field: "name", maxLength: 32, lowerCase: true }, upsert: true },
  deviations: [
    "`attributes`, a list of names and texts at AWS, is an object with typed members: `slow_start.duration_seconds` is `slowStart.durationSeconds`.",
    "`targets`, calls of their own at AWS, are a field here: one port a target. Without it, nobody's targets are touched.",
    "Without `name`, one is derived; AWS has no such default.",
    "Groups of Gateway Load Balancers (protocol GENEVE) are not supported.",
    "`healthCheckPath`, `healthCheckTimeoutSeconds` and `matcher` stay as they are when they leave the manifest: AWS's defaults go by the protocol.",
  ],
  errors: {
    notFound: ["TargetGroupNotFoundException"],
    exists: ["DuplicateTargetGroupNameException"],
    wait: ["ResourceInUseException"],
    propagating: ["ValidationError: VPC ID", "InvalidTargetException"],
  },
  list: {
    operations: [
      "tag:GetResources",
      "elasticloadbalancing:DescribeTargetGroups",
      "elasticloadbalancing:DescribeTags",
      "elasticloadbalancing:DescribeTargetGroupAttributes",
      "elasticloadbalancing:DescribeTargetHealth",
    ],
    run: list,
  },
  create: {
    operations: ["elasticloadbalancing:CreateTargetGroup"],
    run: async (aws, desired) => {
      const answer = await aws.write(elbv2, "CreateTargetGroup", {
        Name: desired.name as string,
        TargetType: desired.targetType,
        Protocol: desired.protocol,
        ProtocolVersion: desired.protocolVersion,
        Port: desired.port,
        VpcId: desired.vpcId,
        IpAddressType: desired.ipAddressType,
        TargetControlPort: desired.targetControlPort,
        ...healthCheck(desired),
        Tags: tagList(desired.tags),
      });
      const created = answer.TargetGroups?.[0] ?? {};
      const known = { attributes: attributesAtFirst(created), targets: [] };
      return { id: String(created.TargetGroupArn), values: { ...valuesOf(created), ...known, tags: desired.tags ?? {} } };
    },
  },
  updates: [
    {
      // What is declared goes along: AWS holds the timeout against the interval, and the path against the protocol.
      fields: HEALTH_CHECK,
      operations: ["elasticloadbalancing:ModifyTargetGroup"],
      run: async (aws, { id, desired, changes }) => {
        const wanted = Object.fromEntries(
          HEALTH_CHECK.flatMap((name) => (changes[name] ? [[name, changes[name].after ?? undefined]] : [])),
        );
        const request = { TargetGroupArn: id, ...healthCheck({ ...desired, ...wanted }) };
        const answer = await aws.write(elbv2, "ModifyTargetGroup", request);
        return { values: healthCheckOf(answer.TargetGroups?.[0] ?? {}) };
      },
    },
    attributesUpdater(ATTRIBUTES, "elasticloadbalancing:ModifyTargetGroupAttributes", (aws, { id }, Attributes) =>
      aws.write(elbv2, "ModifyTargetGroupAttributes", { TargetGroupArn: id, Attributes }),
    ),
    {
      // New ones first; one whose port changes has to leave before it comes back.
      fields: ["targets"],
      operations: ["elasticloadbalancing:RegisterTargets", "elasticloadbalancing:DeregisterTargets"],
      run: async (aws, { id, changes }) => {
        const { before, added, removed, changed } = changes.targets as FieldChange;
        const present = (Array.isArray(before) ? before : []) as readonly JsonObject[];
        if (added.length > 0) {
          await aws.write(elbv2, "RegisterTargets", { TargetGroupArn: id, Targets: added.map(targetOut) });
          return { values: { targets: [...present, ...added] } };
        }
        const leaving = changed.length > 0 ? changed.map((one) => one.before) : removed;
        await aws.write(elbv2, "DeregisterTargets", { TargetGroupArn: id, Targets: leaving.map(targetOut) });
        const gone = new Set(leaving.map((one) => (one as JsonObject).id));
        return { values: { targets: present.filter((one) => !gone.has(one.id)) } };
      },
    },
    elbv2Tags(),
  ],
  delete: {
    operations: ["elasticloadbalancing:DeleteTargetGroup"],
    run: async (aws, { id }) => void (await aws.write(elbv2, "DeleteTargetGroup", { TargetGroupArn: id })),
  },
  explainBlocked: {
    operations: [
      "elasticloadbalancing:DescribeTargetGroups",
      "elasticloadbalancing:DescribeListeners",
      "elasticloadbalancing:DescribeRules",
    ],
    run: (aws, { id }) => userOf(aws, id),
  },
  check: (resources) => resources.flatMap((resource) => [...findings(resource)]),
});

function healthCheck(desired: Partial<Spec>): object {
  return toAws(Object.fromEntries(HEALTH_CHECK.flatMap((name) => (desired[name] === undefined ? [] : [[name, desired[name]]])))) as object;
}

function targetOut(member: unknown): TargetDescription {
  return toAws(member) as TargetDescription;
}

function attributesAtFirst(group: TargetGroup): Json {
  const initial = initialAttributes(ATTRIBUTES, (path) => isFor(group, path));
  const { TargetType: type, Protocol: protocol = "" } = group;
  if (type === "lambda") return initial;
  if (protocol.startsWith("HTTP")) return overlay(initial, { stickiness: { type: "lb_cookie" } }) as Json;
  const own = {
    deregistrationDelay: { connectionTermination: { enabled: protocol === "UDP" || protocol === "TCP_UDP" } },
    stickiness: { type: "source_ip" },
    preserveClientIp: { enabled: type !== "ip" || (protocol !== "TCP" && protocol !== "TLS") },
  };
  return overlay(initial, own) as Json;
}

// AWS has some of them for some types and protocols only (TargetGroupAttribute).
function isFor({ TargetType: type, Protocol: protocol }: TargetGroup, [top = "", next = ""]: readonly string[]): boolean {
  const isHttp = protocol === "HTTP" || protocol === "HTTPS";
  if (type === "lambda") return top === "lambda" || top === "targetGroupHealth" || next === "crossZone";
  if (top === "slowStart" || next === "algorithm" || next === "appCookie" || next === "lbCookie") return isHttp;
  if (top === "proxyProtocolV2" || top === "targetHealthState") return !isHttp;
  return top !== "lambda";
}

async function list(aws: Reader, scope: Scope): Promise<Remote[]> {
  const known = new Map<string, Tags>();
  const finders = findersOf<TargetGroup>(aws, known, {
    type: "targetgroup",
    pages: ({ arns, names }) =>
      aws.pages(
        elbv2,
        "DescribeTargetGroups",
        arns ? { TargetGroupArns: arns } : names ? { Names: names } : { PageSize: PAGE },
        "TargetGroups",
      ),
    arn: (object) => object.TargetGroupArn,
    name: (object) => object.TargetGroupName,
  });
  const found = await listInScope(scope, finders);
  const arns = found.map((object) => String(object.TargetGroupArn));
  const [own, parts] = await Promise.all([
    allTags(aws, arns, known),
    Promise.all(
      arns.map((arn) =>
        Promise.all([
          scope.fields.has("attributes") ? attributesNow(aws, arn) : {},
          scope.fields.has("targets") ? targetsNow(aws, arn) : {},
        ]),
      ),
    ),
  ]);
  return found.map((object, index) => {
    const id = arns[index] as string;
    const labels = own.get(id) ?? {};
    return { id, values: { ...valuesOf(object), ...Object.assign({}, ...(parts[index] ?? [])), tags: labels }, tags: labels };
  });
}

async function attributesNow(aws: Reader, TargetGroupArn: string): Promise<JsonObject> {
  const answer = await unlessNamed(NOT_FOUND, aws.read(elbv2, "DescribeTargetGroupAttributes", { TargetGroupArn }));
  return answer ? { attributes: attributesOf(ATTRIBUTES, answer.Attributes) } : {};
}

// One that leaves is listed until its last requests are done.
async function targetsNow(aws: Reader, TargetGroupArn: string): Promise<JsonObject> {
  const answer = await unlessNamed(NOT_FOUND, aws.read(elbv2, "DescribeTargetHealth", { TargetGroupArn }));
  const staying = (answer?.TargetHealthDescriptions ?? []).filter(({ TargetHealth }) => TargetHealth?.State !== "draining");
  return answer ? { targets: staying.map(({ Target }) => fromAws(Target, TARGET) as JsonObject) } : {};
}

function valuesOf(object: TargetGroup): JsonObject {
  const arn = String(object.TargetGroupArn);
  return defined({
    targetGroupArn: arn,
    targetGroupFullName: arn.slice(arn.lastIndexOf(":") + 1),
    loadBalancerArns: object.LoadBalancerArns ?? [],
    name: object.TargetGroupName,
    targetType: object.TargetType,
    protocol: object.Protocol,
    protocolVersion: object.ProtocolVersion,
    port: object.Port,
    vpcId: object.VpcId,
    ipAddressType: object.IpAddressType,
    targetControlPort: object.TargetControlPort,
    ...healthCheckOf(object),
  });
}

function healthCheckOf(object: TargetGroup): JsonObject {
  return defined({
    healthCheckEnabled: object.HealthCheckEnabled,
    healthCheckProtocol: object.HealthCheckProtocol,
    healthCheckPort: object.HealthCheckPort,
    healthCheckPath: object.HealthCheckPath,
    healthCheckIntervalSeconds: object.HealthCheckIntervalSeconds,
    healthCheckTimeoutSeconds: object.HealthCheckTimeoutSeconds,
    healthyThresholdCount: object.HealthyThresholdCount,
    unhealthyThresholdCount: object.UnhealthyThresholdCount,
    matcher: fromAws(object.Matcher, MATCHER),
  });
}

function* findings({ key, spec: declared }: StaticResource): Generator<CheckFinding> {
  const at = (name: string, message: string): CheckFinding => ({ resource: key, field: name, message: `${key} ${message}` });
  const isLambda = declared.targetType === "lambda";
  if (declared.targetType === undefined || typeof declared.targetType === "string") {
    for (const name of ["protocol", "port", "vpcId"]) {
      if (isLambda && declared[name] !== undefined) yield at(name, `is a Lambda function's, and has no \`${name}\``);
      if (!isLambda && declared[name] === undefined) yield at("", `needs \`${name}\``);
    }
    if (!isLambda && declared.healthCheckEnabled === false) yield at("healthCheckEnabled", "always checks its targets");
  }
  const same = twice(declared.targets, "id");
  if (same !== undefined) yield at("targets", `has the target ${same} twice`);
  const { protocol, protocolVersion, matcher } = declared;
  if (typeof protocol === "string" && protocolVersion !== undefined && !protocol.startsWith("HTTP"))
    yield at("protocolVersion", `speaks ${protocol}, which has no \`protocolVersion\``);
  const { healthCheckTimeoutSeconds: timeout, healthCheckIntervalSeconds: interval } = declared;
  if (typeof timeout === "number" && typeof interval === "number" && timeout > interval)
    yield at("healthCheckTimeoutSeconds", `waits ${timeout} s for an answer, and asks every ${interval} s`);
  if (isObject(matcher) && (matcher.httpCode === undefined) === (matcher.grpcCode === undefined))
    yield at("matcher", "needs one of `httpCode` and `grpcCode`");
}
