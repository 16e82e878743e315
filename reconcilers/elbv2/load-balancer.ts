import type { LoadBalancer, SubnetMapping } from "@aws-sdk/client-elastic-load-balancing-v2";
import { z } from "zod";
import { AwsError, isNamed } from "../../src/aws/errors.ts";
import type { Reader } from "../../src/aws/service.ts";
import type { Tags } from "../../src/aws/tags.ts";
import { field, tags } from "../../src/core/field.ts";
import { isObject, type Json, type JsonObject } from "../../src/core/json.ts";
import { objectShape } from "../../src/core/shape.ts";
import { allTags, elbv2, elbv2Tags, findersOf, fullName, NOT_FOUND, PAGE, tagList, twice } from "../../src/kind/elbv2.ts";
import { loadBalancerAttributes, TYPE_OF_ATTRIBUTES } from "../../src/kind/elbv2-attribute-schemas.ts";
import { attributesOf, attributesUpdater, initialAttributes } from "../../src/kind/elbv2-attributes.ts";
import { toAws } from "../../src/kind/elbv2-words.ts";
import { type CheckFinding, defineKind, type Readiness, type Remote, type Scope, type StaticResource } from "../../src/kind/kind.ts";
import { defined, listInScope, unlessNamed } from "../../src/kind/listing.ts";
import { fieldUpdater } from "../../src/kind/updaters.ts";

const subnetMapping = z.strictObject({
  subnetId: field(z.string().min(1), { doc: "The subnet.", ref: "ec2.aws/v1 Subnet.subnetId" }),
  allocationId: field(z.string().min(1).optional(), {
    doc: "The Elastic IP address of an internet-facing network load balancer there.",
    ref: "ec2.aws/v1 EIP.allocationId",
  }),
  privateIpv4Address: field(z.ipv4().optional(), { doc: "The private address of an internal network load balancer there." }),
  ipv6Address: field(z.string().min(1).optional(), { doc: "The IPv6 address of a network load balancer there." }),
});

const spec = z.strictObject({
  name: field(
    z
      .string()
      .min(1)
      .max(32)
      .regex(/^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?$/, "may hold letters, digits and hyphens, and none at its ends")
      .regex(/^(?!internal-)/, "must not begin with internal-")
      .optional(),
    { doc: "Unique in the region; derived when absent.", immutable: true },
  ),
  type: field(z.enum(["application", "network"]).optional(), { doc: "What it balances; AWS's default is application.", immutable: true }),
  scheme: field(z.enum(["internet-facing", "internal"]).optional(), {
    doc: "Whether it has public addresses; AWS's default is internet-facing.",
    immutable: true,
  }),
  subnets: field(z.array(z.string().min(1)).min(1).optional(), {
    doc: "Its subnets, one a zone.",
    compare: "set",
    ref: "ec2.aws/v1 Subnet.subnetId",
  }),
  subnetMappings: field(z.array(subnetMapping).min(1).optional(), {
    doc: "Its subnets, one a zone, with addresses; instead of `subnets`.",
    compare: { keyed: "subnetId" },
  }),
  securityGroups: field(z.array(z.string().min(1)).min(1).optional(), {
    doc: "Its security groups; the VPC's default group when absent.",
    compare: "set",
    ref: "ec2.aws/v1 SecurityGroup.groupId",
  }),
  enforceSecurityGroupInboundRulesOnPrivateLinkTraffic: field(z.enum(["on", "off"]).optional(), {
    doc: "Whether a network load balancer's groups hold for traffic that comes through PrivateLink, too.",
    unset: "on",
  }),
  ipAddressType: field(z.enum(["ipv4", "dualstack", "dualstack-without-public-ipv4"]).optional(), {
    doc: "What addresses it has.",
    unset: "ipv4",
  }),
  attributes: field(loadBalancerAttributes.optional(), { doc: "Its attributes: protection, logs, timeouts, headers.", unset: {} }),
  tags: tags(),
});

const status = z.strictObject({
  loadBalancerArn: field(z.string(), { doc: "The ARN of the load balancer." }),
  loadBalancerFullName: field(z.string(), { doc: "`app/name/id`, by which CloudWatch knows it." }),
  dnsName: field(z.string(), { doc: "Its public DNS name." }),
  canonicalHostedZoneId: field(z.string(), { doc: "The hosted zone of that name, for alias records." }),
  vpcId: field(z.string().optional(), { doc: "The VPC it is in." }),
  state: field(z.string().optional(), { doc: "provisioning, active, active_impaired or failed." }),
  stateReason: field(z.string().optional(), { doc: "Why it is in that state." }),
});

const ATTRIBUTES = objectShape(loadBalancerAttributes);

export const loadBalancer = defineKind({
  apiVersion: "elbv2.aws/v1",
  kind: "LoadBalancer",
  doc: "Receives requests and spreads them over targets: an Application or a Network Load Balancer.",
  shortNames: ["lb", "alb"],
  spec,
  status,
  id: "loadBalancerArn",
  identity: { by: "name", key: ["name"], name: { field: "name", maxLength: 32, lowerCase: true }, upsert: true },
  deviations: [
    "`attributes`, a list of names and texts at AWS, is an object with typed members: `idle_timeout.timeout_seconds` is `idleTimeout.timeoutSeconds`.",
    "AWS creates a load balancer without attributes; they follow once it is active.",
    "Without `name`, one is derived; AWS has no such default.",
    "`privateIpv4Address` and `ipv6Address` of a subnet mapping are AWS's PrivateIPv4Address and IPv6Address.",
    "One with `deletionProtection` is not deleted before that is switched off.",
    "Gateway Load Balancers, Outposts (`customerOwnedIpv4Pool`), IPAM pools, reserved capacity and prefixes for source NAT are not supported.",
  ],
  errors: {
    notFound: ["LoadBalancerNotFoundException"],
    exists: ["DuplicateLoadBalancerNameException"],
    wait: ["ResourceInUseException"],
    propagating: [
      "SubnetNotFoundException",
      "InvalidSecurityGroupException",
      "AllocationIdNotFoundException",
      // It may be attached in this very run.
      "InvalidSubnetException: has no internet gateway",
    ],
  },
  list: {
    operations: [
      "tag:GetResources",
      "elasticloadbalancing:DescribeLoadBalancers",
      "elasticloadbalancing:DescribeTags",
      "elasticloadbalancing:DescribeLoadBalancerAttributes",
    ],
    run: list,
  },
  create: {
    operations: ["elasticloadbalancing:CreateLoadBalancer"],
    run: async (aws, desired) => {
      const answer = await aws.write(elbv2, "CreateLoadBalancer", {
        Name: desired.name as string,
        Type: desired.type,
        Scheme: desired.scheme,
        Subnets: desired.subnetMappings ? undefined : desired.subnets,
        SubnetMappings: desired.subnetMappings && (toAws(desired.subnetMappings) as SubnetMapping[]),
        SecurityGroups: desired.securityGroups,
        IpAddressType: desired.ipAddressType,
        Tags: tagList(desired.tags),
      });
      const created = answer.LoadBalancers?.[0] ?? {};
      const values = valuesOf(created);
      return {
        id: String(created.LoadBalancerArn),
        values: { ...values, attributes: attributesAtFirst(values), tags: desired.tags ?? {} },
      };
    },
  },
  updates: [
    {
      fields: ["subnets", "subnetMappings"],
      operations: ["elasticloadbalancing:SetSubnets"],
      run: async (aws, { id, desired, changes }) => {
        const own = changes.subnetMappings
          ? { SubnetMappings: desired.subnetMappings && (toAws(desired.subnetMappings) as SubnetMapping[]) }
          : { Subnets: desired.subnets };
        const answer = await aws.write(elbv2, "SetSubnets", { LoadBalancerArn: id, ...own });
        return { values: subnetsOf({ AvailabilityZones: answer.AvailabilityZones }) };
      },
    },
    {
      fields: ["securityGroups", "enforceSecurityGroupInboundRulesOnPrivateLinkTraffic"],
      operations: ["elasticloadbalancing:SetSecurityGroups"],
      run: async (aws, { id, desired, observed, changes }) => {
        const name = "enforceSecurityGroupInboundRulesOnPrivateLinkTraffic";
        const SecurityGroups = desired.securityGroups ?? ((observed.securityGroups ?? []) as string[]);
        const enforced = changes[name] ? ((changes[name].after ?? "on") as "on" | "off") : undefined;
        await aws.write(elbv2, "SetSecurityGroups", {
          LoadBalancerArn: id,
          SecurityGroups,
          EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic: enforced,
        });
        return { values: { securityGroups: SecurityGroups, ...(enforced === undefined ? {} : { [name]: enforced }) } };
      },
    },
    fieldUpdater("ipAddressType", ["elasticloadbalancing:SetIpAddressType"], (aws, { id }, type) =>
      aws.write(elbv2, "SetIpAddressType", { LoadBalancerArn: id, IpAddressType: type as "ipv4" }),
    ),
    attributesUpdater(ATTRIBUTES, "elasticloadbalancing:ModifyLoadBalancerAttributes", (aws, { id }, Attributes) =>
      aws.write(elbv2, "ModifyLoadBalancerAttributes", { LoadBalancerArn: id, Attributes }),
    ),
    elbv2Tags(),
  ],
  delete: {
    operations: ["elasticloadbalancing:DeleteLoadBalancer"],
    run: async (aws, { id }) => {
      try {
        await aws.write(elbv2, "DeleteLoadBalancer", { LoadBalancerArn: id });
      } catch (error) {
        if (!isNamed(error, ["OperationNotPermittedException"])) throw error;
        const { name, message, operation, verdict } = error;
        const advice = "set attributes.deletionProtection.enabled to false and apply, then delete it";
        throw new AwsError(name, `${message}: ${advice}`, { operation, verdict, cause: error });
      }
    },
  },
  ready: ({ state, stateReason }): Readiness => {
    if (state === "provisioning") return { state: "waiting", why: "the load balancer is provisioning" };
    if (state !== "failed") return { state: "ready" };
    return { state: "failed", why: `the load balancer could not be set up${stateReason ? `: ${stateReason}` : ""}`, recreate: true };
  },
  check: (resources) => resources.flatMap((resource) => [...findings(resource)]),
});

async function list(aws: Reader, scope: Scope): Promise<Remote[]> {
  const known = new Map<string, Tags>();
  const finders = findersOf<LoadBalancer>(aws, known, {
    type: "loadbalancer",
    pages: ({ arns, names }) =>
      aws.pages(
        elbv2,
        "DescribeLoadBalancers",
        arns ? { LoadBalancerArns: arns } : names ? { Names: names } : { PageSize: PAGE },
        "LoadBalancers",
      ),
    arn: (object) => object.LoadBalancerArn,
    name: (object) => object.LoadBalancerName,
  });
  const found = await listInScope(scope, finders);
  const arns = found.map((object) => String(object.LoadBalancerArn));
  const [own, attributes] = await Promise.all([
    allTags(aws, arns, known),
    Promise.all(found.map((object) => (scope.fields.has("attributes") ? attributesNow(aws, object) : {}))),
  ]);
  return found.map((object, index) => {
    const id = String(object.LoadBalancerArn);
    const labels = own.get(id) ?? {};
    return { id, values: { ...valuesOf(object), ...attributes[index], tags: labels }, tags: labels };
  });
}

async function attributesNow(aws: Reader, { LoadBalancerArn, Type }: LoadBalancer): Promise<JsonObject> {
  const answer = await unlessNamed(NOT_FOUND, aws.read(elbv2, "DescribeLoadBalancerAttributes", { LoadBalancerArn }));
  return answer ? { attributes: attributesFor(Type, attributesOf(ATTRIBUTES, answer.Attributes)) } : {};
}

/** Without what only the other type has: AWS says of an Application Load Balancer that it balances across zones. */
function attributesFor(type: string | undefined, attributes: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(attributes).filter(([name]) => applies(type, name)));
}

function applies(type: unknown, name: string): boolean {
  return TYPE_OF_ATTRIBUTES[name] === undefined || TYPE_OF_ATTRIBUTES[name] === type;
}

function attributesAtFirst({ type, scheme }: JsonObject): JsonObject {
  const initial = initialAttributes(ATTRIBUTES, ([name]) => applies(type, name as string));
  const addresses = type === "network" ? { secondaryIps: { autoAssigned: { perSubnet: 0 } } } : {};
  return { ...initial, ipv6: { denyAllIgwTraffic: scheme === "internal" }, ...addresses };
}

function subnetsOf({ AvailabilityZones: zones = [] }: Pick<LoadBalancer, "AvailabilityZones">): JsonObject {
  const mappings = zones.map(({ SubnetId: subnetId, LoadBalancerAddresses: addresses = [] }) => {
    const one = (name: "AllocationId" | "PrivateIPv4Address" | "IPv6Address") => addresses.find((address) => address[name])?.[name];
    const own = { allocationId: one("AllocationId"), privateIpv4Address: one("PrivateIPv4Address"), ipv6Address: one("IPv6Address") };
    return defined({ subnetId, ...own });
  });
  return { subnets: zones.flatMap(({ SubnetId }) => SubnetId ?? []), subnetMappings: mappings };
}

function valuesOf(object: LoadBalancer): JsonObject {
  const arn = String(object.LoadBalancerArn);
  return defined({
    loadBalancerArn: arn,
    loadBalancerFullName: fullName(arn),
    dnsName: object.DNSName,
    canonicalHostedZoneId: object.CanonicalHostedZoneId,
    vpcId: object.VpcId,
    state: object.State?.Code,
    stateReason: object.State?.Reason,
    name: object.LoadBalancerName,
    type: object.Type,
    scheme: object.Scheme,
    securityGroups: object.SecurityGroups?.length ? object.SecurityGroups : undefined,
    enforceSecurityGroupInboundRulesOnPrivateLinkTraffic: object.EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic,
    ipAddressType: object.IpAddressType ?? "ipv4",
    ...subnetsOf(object),
  });
}

function* findings({ key, spec: declared }: StaticResource): Generator<CheckFinding> {
  const type = declared.type ?? "application";
  const { subnets, subnetMappings, attributes } = declared;
  if (subnets === undefined && subnetMappings === undefined)
    yield { resource: key, field: "", message: `${key} has no subnets`, hint: "set `subnets`, or `subnetMappings`" };
  if (subnets !== undefined && subnetMappings !== undefined)
    yield {
      resource: key,
      field: "subnetMappings",
      message: `${key} has both \`subnets\` and \`subnetMappings\`: one of them says it all`,
    };
  const same = twice(subnetMappings, "subnetId");
  if (same !== undefined) yield { resource: key, field: "subnetMappings", message: `${key} has the subnet ${same} twice` };
  if (typeof type !== "string") return;
  yield* typeFindings(key, type, declared);
  if (!isObject(attributes)) return;
  for (const name of Object.keys(attributes)) {
    if (applies(type, name)) continue;
    yield { resource: key, field: `attributes.${name}`, message: `${key} is of type ${type}, and has no \`${name}\`` };
  }
  for (const name of ["accessLogs", "connectionLogs", "healthCheckLogs"]) {
    const bucket = isObject(attributes[name]) ? attributes[name].s3 : undefined;
    if (!isObject(bucket) || bucket.enabled !== true || bucket.bucket !== undefined) continue;
    yield { resource: key, field: `attributes.${name}.s3`, message: `\`${name}\` of ${key} are written, and need a \`bucket\`` };
  }
}

function* typeFindings(key: StaticResource["key"], type: string, declared: JsonObject): Generator<CheckFinding> {
  const message = (what: string) => `${key} is of type ${type}, which ${what}`;
  if (type === "network") {
    if (declared.ipAddressType !== "dualstack-without-public-ipv4") return;
    yield { resource: key, field: "ipAddressType", message: message("always has public IPv4 addresses") };
    return;
  }
  const name = "enforceSecurityGroupInboundRulesOnPrivateLinkTraffic";
  if (declared[name] !== undefined) yield { resource: key, field: name, message: message("PrivateLink does not reach") };
  const mappings: readonly Json[] = Array.isArray(declared.subnetMappings) ? declared.subnetMappings : [];
  for (const [index, mapping] of mappings.entries()) {
    if (!isObject(mapping) || Object.keys(mapping).every((member) => member === "subnetId")) continue;
    yield { resource: key, field: `subnetMappings.${index}`, message: message("chooses its addresses itself") };
  }
}
