/** As much of an AWS as the kinds need to go on: ids in answers, and specs whose members fit each other. */

import type { OperationName } from "../../src/aws/service.ts";
import { isObject, type Json, type JsonObject } from "../../src/core/json.ts";
import type { AnyKind, AnyLookup } from "../../src/kind/kind.ts";
import { COMPUTING } from "./computing.ts";
import { certificateOf, recordOf, zoneOf } from "./pretence-dns.ts";
import { ELBV2_ANSWERS, ELBV2_REPAIRS } from "./pretence-elbv2.ts";
import { bucketOf } from "./pretence-s3.ts";
import { aclOf, associationOf } from "./pretence-waf.ts";

/** Status values that updates and deletions are made with. */
export const KNOWN: JsonObject = {
  tableArn: "arn:aws:dynamodb:eu-west-1:111122223333:table/t",
  repositoryArn: "arn:aws:ecr:eu-west-1:111122223333:repository/r",
  logGroupArn: "arn:aws:logs:eu-west-1:111122223333:log-group:g",
  ipv6CidrBlockAssociationId: "vpc-cidr-assoc-1",
  alarmArn: "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:a",
  dashboardArn: "arn:aws:cloudwatch::111122223333:dashboard/d",
  certificateArn: "arn:aws:acm:eu-west-1:111122223333:certificate/0a1b2c3d",
  domainValidationOptions: [
    {
      domainName: "example.com",
      resourceRecord: { name: "_0a1b2c3d.example.com", type: "CNAME", value: "_4e5f.acm-validations.aws." },
    },
  ],
  // Of an Auto Scaling group that has something to refresh.
  instanceIds: ["i-1"],
  outdatedInstanceIds: ["i-1"],
};

const WEB_ACL_ID = "0123abcd-0123-0123-0123-0123456789ab";
const WEB_ACL: JsonObject = {
  Name: "a",
  Id: WEB_ACL_ID,
  ARN: `arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/a/${WEB_ACL_ID}`,
  DefaultAction: { Allow: {} },
  VisibilityConfig: { CloudWatchMetricsEnabled: true, MetricName: "a", SampledRequestsEnabled: true },
};

type Members = Readonly<Record<string, unknown>>;

const ANSWERS: Readonly<Record<OperationName, (input: Members) => object>> = {
  ...ELBV2_ANSWERS,
  "ec2:AssociateRouteTable": ({ SubnetId, GatewayId }) => ({ AssociationId: `rtbassoc-${SubnetId ?? GatewayId}` }),
  "ec2:AssociateNatGatewayAddress": ({ AllocationIds }) => ({
    NatGatewayAddresses: (AllocationIds as string[]).map((AllocationId) => ({ AllocationId, AssociationId: `eipassoc-${AllocationId}` })),
  }),
  "ec2:CreateNatGateway": ({ SecondaryAllocationIds = [] }) => ({
    NatGateway: {
      NatGatewayAddresses: [
        { IsPrimary: true },
        ...(SecondaryAllocationIds as string[]).map((AllocationId) => ({ AllocationId, AssociationId: `eipassoc-${AllocationId}` })),
      ],
    },
  }),
  "wafv2:CreateWebACL": () => ({ Summary: WEB_ACL }),
  "wafv2:GetWebACL": () => ({ WebACL: WEB_ACL, LockToken: WEB_ACL_ID }),
  "route53:CreateHostedZone": ({ Name }) => ({ HostedZone: { Id: "/hostedzone/Z1", Name } }),
  "acm:DescribeCertificate": () => ({ Certificate: {} }),
  "ec2:AssociateVpcCidrBlock": () => ({ Ipv6CidrBlockAssociation: { Ipv6CidrBlock: "2001:db8::/56", Ipv6Pool: "Amazon" } }),
  "ssm:GetParameter": () => ({ Parameter: { Value: "ami-1" } }),
  "ec2:AssociateSubnetCidrBlock": ({ Ipv6CidrBlock }) => ({ Ipv6CidrBlockAssociation: { Ipv6CidrBlock } }),
};

/** What listings have where a kind goes on only from what it finds. */
export const FOUND: Readonly<Record<OperationName, readonly object[]>> = {
  "ec2:DescribeImages": [{ ImageId: "ami-1" }],
};

export function answerOf(operation: OperationName, input: object): object {
  return ANSWERS[operation]?.(input as Members) ?? {};
}

/** The spec with members that chance alone would never make fit; by kind name. */
const REPAIRS: Readonly<Record<string, (spec: JsonObject) => JsonObject>> = {
  ...ELBV2_REPAIRS,
  ...COMPUTING,
  Table: tableOf,
  RecordSet: recordOf,
  HostedZone: zoneOf,
  Certificate: certificateOf,
  Bucket: bucketOf,
  FlowLog: flowLogOf,
  RouteTable: (spec) => (spec.routes ? { ...spec, routes: items(spec.routes).map(oneRoute) } : spec),
  WebACL: aclOf,
  WebACLAssociation: associationOf,
  Alarm: alarmOf,
  SecurityGroup: (spec) => ({ ...spec, ...rulesOf(spec, "ingress"), ...rulesOf(spec, "egress") }),
};

export function repaired(kind: AnyKind | AnyLookup, spec: JsonObject): JsonObject {
  return REPAIRS[kind.name]?.(spec) ?? spec;
}

/** One destination, with what goes along, and traffic of a type where there are types. */
function flowLogOf({ destinationOptions, logDestinationType: type, ...spec }: JsonObject): JsonObject {
  const isTransit = String(spec.resourceType).startsWith("TransitGateway");
  const { trafficType, maxAggregationInterval, logGroupName: _name, ...rest } = spec;
  return {
    ...rest,
    ...(type === undefined ? {} : { logDestinationType: type }),
    logDestination: "arn:aws:s3:::copies",
    ...(type === "s3" && destinationOptions !== undefined ? { destinationOptions } : {}),
    ...(type === "s3" || type === "kinesis-data-firehose" ? {} : { deliverLogsPermissionArn: "arn:aws:iam::111122223333:role/r" }),
    ...(isTransit
      ? {}
      : { trafficType: trafficType ?? "ALL", ...(maxAggregationInterval === undefined ? {} : { maxAggregationInterval }) }),
  };
}

function items(list: Json | undefined): JsonObject[] {
  return Array.isArray(list) ? list.filter(isObject) : [];
}

function first(members: JsonObject, names: readonly string[]): JsonObject {
  const name = names.find((found) => members[found] !== undefined);
  return name === undefined ? {} : { [name]: members[name] as Json };
}

/** Keys that are defined, capacities as the billing mode wants them, and nothing for what is switched off. */
function tableOf(spec: JsonObject): JsonObject {
  const keys = keysOf(spec.keySchema as JsonObject);
  const [globalSecondaryIndexes, localSecondaryIndexes] = indexesOf(spec, keys);
  const used = [keys, ...[...globalSecondaryIndexes, ...localSecondaryIndexes].map((index) => index.keySchema as JsonObject)].flatMap(
    ({ hash, range }) => [hash, range],
  );
  return {
    ...withCapacity(spec, spec.billingMode),
    ...Object.fromEntries(
      Object.entries(SWITCHES).flatMap(([name, on]) => (isObject(spec[name]) ? [[name, switched(spec[name], on)]] : [])),
    ),
    keySchema: keys,
    attributeDefinitions: Object.fromEntries(used.filter((name) => typeof name === "string").map((name) => [name, "S"])),
    ...(spec.globalSecondaryIndexes ? { globalSecondaryIndexes } : {}),
    ...(spec.localSecondaryIndexes ? { localSecondaryIndexes } : {}),
  };
}

function indexesOf(spec: JsonObject, keys: JsonObject): readonly [JsonObject[], JsonObject[]] {
  const global = distinct(items(spec.globalSecondaryIndexes));
  const taken = new Set(global.map((index) => index.indexName));
  const local = keys.range === undefined ? [] : distinct(items(spec.localSecondaryIndexes)).filter((index) => !taken.has(index.indexName));
  return [
    global.map((index) => ({ ...withCapacity(index, spec.billingMode), ...partsOf(index) })),
    local.map((index) => localOf(index, keys)),
  ];
}

function localOf(index: JsonObject, { hash }: JsonObject): JsonObject {
  const range = hash === "r" ? "r2" : "r";
  return { ...index, ...partsOf({ ...index, keySchema: { hash: hash as Json, range } }) };
}

const SWITCHES: Readonly<Record<string, JsonObject>> = {
  streamSpecification: { streamEnabled: true, streamViewType: "KEYS_ONLY" },
  timeToLiveSpecification: { enabled: true, attributeName: "t" },
  pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
  sseSpecification: { enabled: true },
};

function switched(value: JsonObject, on: JsonObject): JsonObject {
  const [member] = Object.keys(on) as [string];
  return value[member] === true ? { ...on, ...value } : { [member]: false };
}

function withCapacity({ provisionedThroughput, onDemandThroughput, ...part }: JsonObject, billingMode: Json | undefined): JsonObject {
  if (billingMode === "PAY_PER_REQUEST") return onDemandThroughput ? { ...part, onDemandThroughput } : part;
  return { ...part, provisionedThroughput: provisionedThroughput ?? { readCapacityUnits: 1, writeCapacityUnits: 2 } };
}

function partsOf({ keySchema, projection }: JsonObject): JsonObject {
  const { projectionType, nonKeyAttributes } = projection as JsonObject;
  const included = projectionType === "INCLUDE" ? { nonKeyAttributes: nonKeyAttributes ?? ["x"] } : {};
  return { keySchema: keysOf(keySchema as JsonObject), projection: { projectionType: projectionType as Json, ...included } };
}

function keysOf({ hash, range }: JsonObject): JsonObject {
  return range === undefined || range === hash ? { hash: hash as Json } : { hash: hash as Json, range };
}

function distinct(indexes: readonly JsonObject[]): JsonObject[] {
  return [...new Map(indexes.map((index) => [index.indexName, index])).values()];
}

const BAND = ["LessThanLowerOrGreaterThanUpperThreshold", "LessThanLowerThreshold", "GreaterThanUpperThreshold"];

/** A metric, metrics with or without a band, or a query; and what goes with it. */
function alarmOf({ metricName, metrics, evaluationCriteria, threshold, comparisonOperator, ...spec }: JsonObject): JsonObject {
  const { namespace, dimensions, statistic, extendedStatistic, period, unit, evaluateLowSampleCountPercentile, ...others } = spec;
  const { evaluationPeriods, datapointsToAlarm, thresholdMetricId, treatMissingData, evaluationWindow, evaluationInterval, ...rest } =
    others;
  const actions = { ...rest, ...propagationOf(rest.actionConfiguration) };
  if (evaluationCriteria) return { ...actions, evaluationCriteria, evaluationInterval: evaluationInterval ?? 60 };
  const window = isObject(evaluationWindow) ? { evaluationWindow: first(evaluationWindow, Object.keys(evaluationWindow).slice(0, 1)) } : {};
  const judged = {
    ...actions,
    ...(Object.keys(window.evaluationWindow ?? {}).length > 0 ? window : {}),
    ...(treatMissingData ? { treatMissingData } : {}),
    evaluationPeriods: evaluationPeriods ?? 1,
    ...(datapointsToAlarm === undefined ? {} : { datapointsToAlarm: Math.min(Number(datapointsToAlarm), Number(evaluationPeriods ?? 1)) }),
  };
  const isBand = BAND.includes(String(comparisonOperator));
  const operator = comparisonOperator ?? "GreaterThanThreshold";
  if (metrics || isBand)
    return {
      ...judged,
      ...queriesOf(items(metrics), isBand),
      comparisonOperator: operator,
      ...(isBand ? {} : { threshold: threshold ?? 1 }),
    };
  const stat = extendedStatistic
    ? { extendedStatistic, ...(evaluateLowSampleCountPercentile ? { evaluateLowSampleCountPercentile } : {}) }
    : { statistic: statistic ?? "Sum" };
  const metric = {
    metricName: metricName ?? "m",
    namespace: namespace ?? "n",
    period: period ?? 60,
    ...(dimensions ? { dimensions } : {}),
    ...(unit ? { unit } : {}),
  };
  return { ...judged, ...metric, ...stat, threshold: threshold ?? 1, comparisonOperator: operator };
}

function propagationOf(configuration: Json | undefined): JsonObject {
  const propagation = isObject(configuration) ? configuration.alarmTagsPropagation : undefined;
  if (!isObject(propagation)) return {};
  const { excludedTagKeys, ...kept } = propagation;
  return { actionConfiguration: { alarmTagsPropagation: kept.includedTagKeys || !excludedTagKeys ? kept : { ...kept, excludedTagKeys } } };
}

function queriesOf(queries: readonly JsonObject[], isBand: boolean): JsonObject {
  const distinct = [...new Map(queries.map((query) => [query.id, query])).values()].filter(({ id }) => id !== "band" && id !== "m0");
  const known = distinct.map(({ metricStat, expression, returnData: _, ...query }) => ({
    ...query,
    ...(metricStat ? { metricStat } : { expression: expression ?? "m0" }),
    returnData: false,
  }));
  const metrics: JsonObject[] = [{ id: "m0", expression: "1" }, ...known];
  return isBand
    ? { metrics: [...metrics, { id: "band", expression: "ANOMALY_DETECTION_BAND(m0)" }], thresholdMetricId: "band" }
    : { metrics };
}

function oneRoute(route: JsonObject): JsonObject {
  const names = Object.keys(route);
  const destinations = names.filter((name) => name.startsWith("destination"));
  return {
    ...first(route, destinations),
    ...first(
      route,
      names.filter((name) => !destinations.includes(name)),
    ),
  };
}

function rulesOf(spec: JsonObject, direction: string): JsonObject {
  if (!spec[direction]) return {};
  const rules = items(spec[direction]).map(({ ipProtocol, fromPort, toPort, description, ...peers }) => {
    const ports = portsOf(String(ipProtocol), fromPort, toPort);
    const peer = first(peers, Object.keys(peers));
    return Object.fromEntries(
      Object.entries({ ipProtocol, ...ports, ...peer, description }).filter(([, value]) => value !== undefined),
    ) as JsonObject;
  });
  return { [direction]: rules };
}

function portsOf(protocol: string, from: Json | undefined, to: Json | undefined): JsonObject {
  if (!/^(tcp|udp|icmp|icmpv6)$/.test(protocol)) return {};
  if (typeof from === "number" && typeof to === "number" && from <= to) return { fromPort: from, toPort: to };
  return protocol === "tcp" || protocol === "udp" ? { fromPort: 22, toPort: 22 } : { fromPort: -1, toPort: -1 };
}
