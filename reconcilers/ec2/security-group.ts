import type { Filter, IpPermission, SecurityGroup } from "@aws-sdk/client-ec2";
import { z } from "zod";
import { isNamed } from "../../src/aws/errors.ts";
import type { Reader, Writer } from "../../src/aws/service.ts";
import { fromTagList } from "../../src/aws/tags.ts";
import { field, tags } from "../../src/core/field.ts";
import { canonical, isObject, type Json, type JsonObject } from "../../src/core/json.ts";
import { ec2, ec2Finders, ec2Tags, filter, inChunks, interfaceInTheWay, tagSpecifications } from "../../src/kind/ec2.ts";
import { type CheckFinding, defineKind, type Effect, type StaticResource, type Updater } from "../../src/kind/kind.ts";
import { defined, listInScope } from "../../src/kind/listing.ts";
import { cidrBlock } from "../../src/kind/schemas.ts";

// "a-z, A-Z, 0-9, spaces, and ._-:/()#,@[]+=&;{}!$*" (EC2 API Reference, CreateSecurityGroup and IpRange).
const TEXT = /^[a-zA-Z0-9 ._\-:/()#,@[\]+=&;{}!$*]*$/;
const PORTED = ["tcp", "udp", "icmp", "icmpv6"];
// AWS answers with the names of these protocol numbers (EC2 API Reference, IpPermission).
const PROTOCOL = /^(tcp|udp|icmp|icmpv6|-1|(?!(1|6|17|58)$)(\d|[1-9]\d|1\d\d|2[0-4]\d|25[0-5]))$/;

const port = (doc: string) => field(z.int().min(-1).max(65535).optional(), { doc });
const peer = (doc: string) => field(z.string().min(1).optional(), { doc });

const rule = z.strictObject({
  ipProtocol: field(z.string().regex(PROTOCOL, 'must be tcp, udp, icmp, icmpv6, "-1" (all), or another protocol\'s number as text'), {
    doc: "tcp, udp, icmp, icmpv6, a protocol number, or -1 for all.",
  }),
  fromPort: port("First port, or ICMP type (-1: all)."),
  toPort: port("Last port, or ICMP code (-1: all)."),
  cidrIpv4: field(cidrBlock(4, 0, 32).optional(), { doc: "Peers in an IPv4 range." }),
  cidrIpv6: field(cidrBlock(6, 0, 128).optional(), { doc: "Peers in an IPv6 range." }),
  prefixListId: peer("Peers in a prefix list."),
  referencedGroupId: field(z.string().min(1).optional(), { doc: "Peers in a security group.", ref: "ec2.aws/v1 SecurityGroup.groupId" }),
  description: field(z.string().min(1).max(255).regex(TEXT).optional(), { doc: "What the rule is for." }),
});

type Rule = z.infer<typeof rule>;

const ALL_OUT: Rule = { ipProtocol: "-1", cidrIpv4: "0.0.0.0/0" };
const additiveWhen = { field: "rules", is: "additive" } as const;

const spec = z.strictObject({
  groupName: field(
    z
      .string()
      .min(1)
      .max(255)
      .regex(TEXT)
      .regex(/^(?!sg-|default$)/i, "must not begin with sg-, nor be the name of the VPC's default group")
      // EC2 user guide, "Create a security group": AWS cuts trailing spaces off, and the name would read back as another.
      .regex(/[^ ]$/, "must not end with a space")
      .optional(),
    { doc: "Unique in the VPC, whatever its case; derived when absent.", immutable: true },
  ),
  description: field(z.string().min(1).max(255).regex(TEXT).optional(), { doc: "What the group is for.", immutable: true }),
  vpcId: field(z.string().min(1), { doc: "The VPC it is a part of.", immutable: true, ref: "ec2.aws/v1 VPC.vpcId" }),
  ingress: field(z.array(rule).optional(), {
    doc: "What may come in.",
    compare: "set",
    late: true,
    unset: [],
    additiveWhen,
    text: (member) => ruleText(member, "from"),
  }),
  egress: field(z.array(rule).optional(), {
    doc: "What may go out.",
    compare: "set",
    late: true,
    unset: [ALL_OUT],
    additiveWhen,
    text: (member) => ruleText(member, "to"),
  }),
  rules: field(z.enum(["authoritative", "additive"]).optional(), {
    doc: "Whether rules nobody declared are revoked (authoritative, the default) or left alone.",
    setting: true,
  }),
  tags: tags({ anyCharacter: true }),
});

const status = z.strictObject({
  groupId: field(z.string(), { doc: "The ID of the security group." }),
  securityGroupArn: field(z.string().optional(), { doc: "The ARN of the security group." }),
  ownerId: field(z.string().optional(), { doc: "The account that owns it." }),
});

export const securityGroup = defineKind({
  apiVersion: "ec2.aws/v1",
  kind: "SecurityGroup",
  doc: "A firewall around instances and load balancers: what may come in, and what may go out.",
  shortNames: ["sg"],
  spec,
  status,
  id: "groupId",
  identity: { by: "name", key: ["vpcId", "groupName"], ignoreCase: true, name: { field: "groupName", maxLength: 255 } },
  deviations: [
    "Each rule has one peer; AWS's IpPermissions group several.",
    "A rule for all protocols, or for one without ports, has neither `fromPort` nor `toPort`.",
    "AWS wants a description; where the manifest has none, it is `Managed by beacon`.",
    "`rules` says whether the declared rules are all there may be; AWS has no such field.",
  ],
  errors: {
    notFound: ["InvalidGroup.NotFound", "InvalidGroupId.NotFound"],
    exists: ["InvalidGroup.Duplicate"],
    wait: ["DependencyViolation", "InvalidGroup.InUse"],
    propagating: ["InvalidVpcID.NotFound"],
  },
  list: {
    operations: ["ec2:DescribeSecurityGroups"],
    run: async (aws, scope) => {
      const found = await listInScope<SecurityGroup>(scope, {
        ...ec2Finders<SecurityGroup>(
          (filters) => describe(aws, filters),
          "group-id",
          (object) => object.GroupId,
        ),
        // The filter for names tells cases apart, and AWS's uniqueness does not: the VPC's groups are compared here.
        byNames: (names) => {
          const vpcIds = [...new Set(names.map((name) => String(name.vpcId)))];
          return inChunks(vpcIds, VPCS_MAX, (some) => describe(aws, [filter("vpc-id", some)]));
        },
        matches: (object, name) => object.VpcId === name.vpcId && lower(object.GroupName) === lower(name.groupName),
      });
      return found.map((object) => ({ id: String(object.GroupId), values: valuesOf(object), tags: fromTagList(object.Tags) }));
    },
  },
  create: {
    operations: ["ec2:CreateSecurityGroup"],
    run: async (aws, desired) => {
      const [groupName, description] = [desired.groupName as string, desired.description ?? "Managed by beacon"];
      const answer = await aws.write(ec2, "CreateSecurityGroup", {
        GroupName: groupName,
        Description: description,
        VpcId: desired.vpcId,
        TagSpecifications: tagSpecifications("security-group", desired.tags),
      });
      const known = { groupId: answer.GroupId, securityGroupArn: answer.SecurityGroupArn, groupName, description, vpcId: desired.vpcId };
      return {
        id: String(answer.GroupId),
        values: { ...defined(known), ingress: [], egress: [ALL_OUT], tags: desired.tags ?? {} },
      };
    },
  },
  updates: [
    rulesUpdater("ingress", {
      operations: [
        "ec2:UpdateSecurityGroupRuleDescriptionsIngress",
        "ec2:AuthorizeSecurityGroupIngress",
        "ec2:RevokeSecurityGroupIngress",
        "ec2:DescribeSecurityGroups",
      ],
      describe: (aws, request) => aws.write(ec2, "UpdateSecurityGroupRuleDescriptionsIngress", request),
      authorize: (aws, request) => aws.write(ec2, "AuthorizeSecurityGroupIngress", request),
      revoke: (aws, request) => aws.write(ec2, "RevokeSecurityGroupIngress", request),
    }),
    rulesUpdater("egress", {
      operations: [
        "ec2:UpdateSecurityGroupRuleDescriptionsEgress",
        "ec2:AuthorizeSecurityGroupEgress",
        "ec2:RevokeSecurityGroupEgress",
        "ec2:DescribeSecurityGroups",
      ],
      describe: (aws, request) => aws.write(ec2, "UpdateSecurityGroupRuleDescriptionsEgress", request),
      authorize: (aws, request) => aws.write(ec2, "AuthorizeSecurityGroupEgress", request),
      revoke: (aws, request) => aws.write(ec2, "RevokeSecurityGroupEgress", request),
    }),
    ec2Tags(),
  ],
  delete: {
    operations: ["ec2:DeleteSecurityGroup"],
    run: async (aws, { id }) => void (await aws.write(ec2, "DeleteSecurityGroup", { GroupId: id })),
  },
  explainBlocked: {
    operations: ["ec2:DescribeNetworkInterfaces", "ec2:DescribeSecurityGroups"],
    run: async (aws, { id }) => (await interfaceInTheWay(aws, [filter("group-id", [id])])) ?? (await referrer(aws, id)),
  },
  check: (resources) => resources.flatMap((resource) => [...ruleFindings(resource, "ingress"), ...ruleFindings(resource, "egress")]),
});

const VPCS_MAX = 200;

function describe(aws: Reader, Filters: Filter[]): Promise<SecurityGroup[]> {
  return aws.pages(ec2, "DescribeSecurityGroups", { Filters, MaxResults: 1000 }, "SecurityGroups");
}

type Direction = "ingress" | "egress";
type RulesRequest = { GroupId: string; IpPermissions: IpPermission[] };
type RulesCall = (aws: Writer, request: RulesRequest) => Promise<unknown>;
type RulesCalls = Pick<Updater<z.infer<typeof spec>>, "operations"> & { describe: RulesCall; authorize: RulesCall; revoke: RulesCall };

/** One call a run: changed descriptions, then new rules, then, on the next round, those to be revoked. */
function rulesUpdater(direction: Direction, calls: RulesCalls): Updater<z.infer<typeof spec>> {
  return {
    fields: [direction],
    operations: calls.operations,
    run: async (aws, { id, changes }) => {
      const change = changes[direction];
      const [before, added, removed] = [change?.before ?? [], change?.added ?? [], change?.removed ?? []] as [Rule[], Rule[], Rule[]];
      const step = nextStep(before, unique(added), removed);
      try {
        await calls[step.call](aws, { GroupId: id, IpPermissions: step.rules.map(permissionOf) });
        return { values: { [direction]: step.after } };
      } catch (error) {
        // AWS refuses the whole call for one rule that is there already, or gone already: look again, and decide anew.
        if (!isNamed(error, ["InvalidPermission.Duplicate", "InvalidPermission.NotFound"])) throw error;
        return rulesNow(aws, id, direction);
      }
    },
  };
}

type Step = { call: "describe" | "authorize" | "revoke"; rules: readonly Rule[]; after: readonly Rule[] };

function nextStep(before: readonly Rule[], added: readonly Rule[], removed: readonly Rule[]): Step {
  const old = new Set(removed.map(identity));
  const renamed = added.filter((wanted) => old.has(identity(wanted)));
  if (renamed.length > 0) return { call: "describe", rules: renamed, after: [...without(before, renamed), ...renamed] };
  if (added.length > 0) return { call: "authorize", rules: added, after: [...before, ...added] };
  return { call: "revoke", rules: removed, after: without(before, removed) };
}

async function rulesNow(aws: Writer, id: string, direction: Direction): Promise<Effect> {
  const [group] = await describe(aws, [filter("group-id", [id])]);
  return { values: { [direction]: group ? (valuesOf(group)[direction] as Json) : [] } };
}

/** A rule's identity is its content; the description is an attribute of it. */
function identity({ description: _description, ...content }: Rule): string {
  return canonical(content);
}

function unique(rules: readonly Rule[]): Rule[] {
  return [...new Map(rules.map((wanted) => [identity(wanted), wanted])).values()];
}

function without(rules: readonly Rule[], gone: readonly Rule[]): Rule[] {
  const identities = new Set(gone.map(identity));
  return rules.filter((present) => !identities.has(identity(present)));
}

function permissionOf(wanted: Rule): IpPermission {
  const Description = wanted.description;
  return {
    IpProtocol: wanted.ipProtocol,
    FromPort: wanted.fromPort,
    ToPort: wanted.toPort,
    ...(wanted.cidrIpv4 === undefined ? {} : { IpRanges: [{ CidrIp: wanted.cidrIpv4, Description }] }),
    ...(wanted.cidrIpv6 === undefined ? {} : { Ipv6Ranges: [{ CidrIpv6: wanted.cidrIpv6, Description }] }),
    ...(wanted.prefixListId === undefined ? {} : { PrefixListIds: [{ PrefixListId: wanted.prefixListId, Description }] }),
    ...(wanted.referencedGroupId === undefined ? {} : { UserIdGroupPairs: [{ GroupId: wanted.referencedGroupId, Description }] }),
  };
}

function rulesOf(permissions: readonly IpPermission[] | undefined): JsonObject[] {
  return (permissions ?? []).flatMap((permission) => {
    const { IpProtocol: ipProtocol, FromPort, ToPort } = permission;
    const ports = PORTED.includes(String(ipProtocol)) ? { fromPort: FromPort, toPort: ToPort } : {};
    const peers = [
      ...(permission.IpRanges ?? []).map((found) => ({ cidrIpv4: found.CidrIp, description: found.Description })),
      ...(permission.Ipv6Ranges ?? []).map((found) => ({ cidrIpv6: found.CidrIpv6, description: found.Description })),
      ...(permission.PrefixListIds ?? []).map((found) => ({ prefixListId: found.PrefixListId, description: found.Description })),
      ...(permission.UserIdGroupPairs ?? []).map((found) => ({ referencedGroupId: found.GroupId, description: found.Description })),
    ];
    return peers.map((found) => defined({ ipProtocol, ...ports, ...found }));
  });
}

function valuesOf(object: SecurityGroup): JsonObject {
  return defined({
    groupId: object.GroupId,
    securityGroupArn: object.SecurityGroupArn,
    ownerId: object.OwnerId,
    groupName: object.GroupName,
    description: object.Description,
    vpcId: object.VpcId,
    ingress: rulesOf(object.IpPermissions),
    egress: rulesOf(object.IpPermissionsEgress),
    tags: fromTagList(object.Tags),
  });
}

async function referrer(aws: Reader, id: string): Promise<string | undefined> {
  const [incoming, outgoing] = await Promise.all([
    describe(aws, [filter("ip-permission.group-id", [id])]),
    describe(aws, [filter("egress.ip-permission.group-id", [id])]),
  ]);
  const group = [...incoming, ...outgoing].find((found) => found.GroupId !== id);
  return group && `a rule of security group ${group.GroupId} (${group.GroupName})`;
}

function lower(text: Json | undefined): string {
  return String(text).toLowerCase();
}

/** `tcp 80-443 from 10.0.0.0/8 "office"`; for ICMP the ports are type and code. */
function ruleText(member: JsonObject, direction: "from" | "to"): string {
  const { ipProtocol, fromPort, toPort, description } = member;
  const peer = PEERS.map((name) => member[name]).find((value) => value !== undefined) ?? "nowhere";
  const ports = fromPort === undefined ? "" : ` ${fromPort === toPort ? fromPort : `${fromPort}-${toPort}`}`;
  const icmp = fromPort === undefined || fromPort === -1 ? "" : ` type ${fromPort}${toPort === -1 ? "" : ` code ${toPort}`}`;
  const traffic = ipProtocol === "-1" ? "all traffic" : `${ipProtocol}${String(ipProtocol).startsWith("icmp") ? icmp : ports}`;
  return `${traffic} ${direction} ${peer}${description === undefined ? "" : ` "${description}"`}`;
}

const PEERS = ["cidrIpv4", "cidrIpv6", "prefixListId", "referencedGroupId"];

function* ruleFindings({ key, spec: declared }: StaticResource, direction: Direction): Generator<CheckFinding> {
  const rules = declared[direction];
  if (!Array.isArray(rules)) return;
  const seen = new Map<string, string>();
  for (const [index, item] of rules.entries()) {
    if (!isObject(item)) continue;
    const at = { resource: key, field: `${direction}.${index}` };
    const message = ruleMessage(item);
    if (message !== undefined) yield { ...at, message: `a rule of ${key} ${message}` };
    const [content, whole] = [identity(item as Rule), canonical(item)];
    const twin = seen.get(content);
    if (twin !== undefined && twin !== whole) yield { ...at, message: `${key} has this rule twice, with different descriptions` };
    seen.set(content, whole);
  }
}

function ruleMessage(item: JsonObject): string | undefined {
  const peers = PEERS.filter((name) => item[name] !== undefined);
  if (peers.length !== 1) return `needs one of ${PEERS.join(", ")}, and has ${peers.length === 0 ? "none" : peers.join(" and ")}`;
  if (typeof item.ipProtocol !== "string") return undefined;
  const ports = [item.fromPort, item.toPort].filter((value) => value !== undefined).length;
  if (PORTED.includes(item.ipProtocol)) return ports === 2 ? portMessage(item) : `for ${item.ipProtocol} needs fromPort and toPort`;
  return ports === 0 ? undefined : `for protocol ${item.ipProtocol} has no ports: leave fromPort and toPort out`;
}

// EC2 API Reference, IpPermission: a range of ports, or an ICMP type and code, where "-1 (all ICMP types)" needs all codes.
function portMessage({ ipProtocol, fromPort, toPort }: JsonObject): string | undefined {
  if (typeof fromPort !== "number" || typeof toPort !== "number") return undefined;
  if (ipProtocol === "tcp" || ipProtocol === "udp") {
    return fromPort >= 0 && fromPort <= toPort ? undefined : `has no port range: fromPort ${fromPort}, toPort ${toPort}`;
  }
  const isTypeAndCode = fromPort <= 255 && toPort <= 255 && (fromPort !== -1 || toPort === -1);
  return isTypeAndCode ? undefined : `has no ICMP type and code: fromPort ${fromPort}, toPort ${toPort} (-1 and -1 for all)`;
}
