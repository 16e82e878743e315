/** Field by field: our schemas know the enums and the limits of AWS's models, no more and no fewer, but for the exceptions listed. */

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { kinds } from "../../reconcilers/index.ts";
import { isObject } from "../../src/core/json.ts";
import type { KindId } from "../../src/core/resource.ts";
import type { Shape } from "../../src/core/shape.ts";
import { loadKindModels, shapeNamed } from "./model.ts";
import { COMPUTING_PROSE, COMPUTING_ROWS } from "./rows-computing.ts";
import { WALKED } from "./walked.ts";

type Row = {
  readonly field: string;
  /** `service.Shape`. */
  readonly shape: string;
  /** Values of AWS's that we refuse, and why. */
  readonly but?: readonly (string | number)[];
  readonly why?: string;
};

const ELB = "elasticloadbalancing";
const OTHER_PROTOCOLS = { but: ["GENEVE"], why: "Gateway Load Balancers are not supported" };

/** The rows of actions, of listeners and of rules alike. */
const actions = (field: string): readonly Row[] => [
  { field: `${field}.*.type`, shape: `${ELB}.ActionTypeEnum` },
  { field: `${field}.*.order`, shape: `${ELB}.ActionOrder` },
  { field: `${field}.*.forwardConfig.targetGroups.*.weight`, shape: `${ELB}.TargetGroupWeight` },
  {
    field: `${field}.*.forwardConfig.targetGroupStickinessConfig.durationSeconds`,
    shape: `${ELB}.TargetGroupStickinessDurationSeconds`,
  },
  { field: `${field}.*.redirectConfig.host`, shape: `${ELB}.RedirectActionHost` },
  { field: `${field}.*.redirectConfig.path`, shape: `${ELB}.RedirectActionPath` },
  { field: `${field}.*.redirectConfig.query`, shape: `${ELB}.RedirectActionQuery` },
  { field: `${field}.*.redirectConfig.statusCode`, shape: `${ELB}.RedirectActionStatusCodeEnum` },
  {
    field: `${field}.*.authenticateCognitoConfig.onUnauthenticatedRequest`,
    shape: `${ELB}.AuthenticateCognitoActionConditionalBehaviorEnum`,
  },
  { field: `${field}.*.authenticateOidcConfig.onUnauthenticatedRequest`, shape: `${ELB}.AuthenticateOidcActionConditionalBehaviorEnum` },
  { field: `${field}.*.jwtValidationConfig.additionalClaims.*.format`, shape: `${ELB}.JwtValidationActionAdditionalClaimFormatEnum` },
];

const ROWS: Readonly<Record<KindId, readonly Row[]>> = {
  ...COMPUTING_ROWS,
  "ec2.aws/v1 VPC": [
    {
      field: "instanceTenancy",
      shape: "ec2.Tenancy",
      but: ["host"],
      why: "CreateVpc: 'the host value cannot be used with this parameter'",
    },
  ],
  "ec2.aws/v1 EIP": [{ field: "domain", shape: "ec2.DomainType", but: ["standard"], why: "EC2-Classic is retired" }],
  "ec2.aws/v1 NatGateway": [{ field: "connectivityType", shape: "ec2.ConnectivityType" }],
  "ec2.aws/v1 Subnet": [{ field: "privateDnsNameOptionsOnLaunch.hostnameType", shape: "ec2.HostnameType" }],
  "ec2.aws/v1 AvailabilityZones": [
    { field: "state", shape: "ec2.AvailabilityZoneState" },
    { field: "optInStatus", shape: "ec2.AvailabilityZoneOptInStatus" },
  ],
  "ec2.aws/v1 FlowLog": [
    { field: "resourceType", shape: "ec2.FlowLogsResourceType" },
    { field: "trafficType", shape: "ec2.TrafficType" },
    { field: "logDestinationType", shape: "ec2.LogDestinationType" },
    { field: "destinationOptions.fileFormat", shape: "ec2.DestinationFileFormat" },
    { field: "tagFieldSpecifications.*.resourceType", shape: "ec2.TaggableResourceType" },
    { field: "tagFieldSpecifications.*.tagKeys.*", shape: "ec2.TagKey" },
  ],
  "route53.aws/v1 HostedZone": [
    { field: "vpcs.*.vpcRegion", shape: "route53.VPCRegion" },
    { field: "tags.*", shape: "route53.TagValue" },
  ],
  "route53.aws/v1 RecordSet": [
    { field: "type", shape: "route53.RRType" },
    { field: "setIdentifier", shape: "route53.ResourceRecordSetIdentifier" },
    { field: "ttl", shape: "route53.TTL" },
    { field: "weight", shape: "route53.ResourceRecordSetWeight" },
    { field: "region", shape: "route53.ResourceRecordSetRegion" },
    { field: "failover", shape: "route53.ResourceRecordSetFailover" },
    { field: "geoLocation.continentCode", shape: "route53.GeoLocationContinentCode" },
    { field: "geoLocation.countryCode", shape: "route53.GeoLocationCountryCode" },
    { field: "geoLocation.subdivisionCode", shape: "route53.GeoLocationSubdivisionCode" },
    { field: "geoProximityLocation.awsRegion", shape: "route53.AWSRegion" },
    { field: "geoProximityLocation.localZoneGroup", shape: "route53.LocalZoneGroup" },
    { field: "geoProximityLocation.coordinates.latitude", shape: "route53.Latitude" },
    { field: "geoProximityLocation.coordinates.longitude", shape: "route53.Longitude" },
    { field: "geoProximityLocation.bias", shape: "route53.Bias" },
    { field: "cidrRoutingConfig.locationName", shape: "route53.CidrLocationNameDefaultAllowed" },
  ],
  "route53domains.aws/v1 DomainNameservers": [{ field: "nameservers.*.name", shape: "route53domains.HostName" }],
  "acm.aws/v1 Certificate": [
    { field: "domainName", shape: "acm.DomainNameString" },
    { field: "subjectAlternativeNames.*", shape: "acm.DomainNameString" },
    { field: "validationMethod", shape: "acm.ValidationMethod", but: ["HTTP"], why: "it is CloudFront's own" },
    { field: "keyAlgorithm", shape: "acm.KeyAlgorithm", but: ["RSA_1024"], why: "it is for imported certificates only" },
    { field: "certificateAuthorityArn", shape: "acm.PcaArn" },
    { field: "options.certificateTransparencyLoggingPreference", shape: "acm.CertificateTransparencyLoggingPreference" },
    { field: "options.export", shape: "acm.CertificateExport" },
    { field: "tags.*", shape: "acm.TagValue" },
  ],
  "ecr.aws/v1 Repository": [
    { field: "repositoryName", shape: "ecr.RepositoryName" },
    { field: "imageTagMutability", shape: "ecr.ImageTagMutability" },
    { field: "imageTagMutabilityExclusionFilters.*.filterType", shape: "ecr.ImageTagMutabilityExclusionFilterType" },
    { field: "imageTagMutabilityExclusionFilters.*.filter", shape: "ecr.ImageTagMutabilityExclusionFilterValue" },
    { field: "encryptionConfiguration.encryptionType", shape: "ecr.EncryptionType" },
  ],
  "iam.aws/v1 Role": [
    { field: "roleName", shape: "iam.roleNameType" },
    { field: "path", shape: "iam.pathType" },
    { field: "description", shape: "iam.roleDescriptionType" },
    { field: "maxSessionDuration", shape: "iam.roleMaxSessionDurationType" },
    { field: "permissionsBoundary", shape: "iam.arnType" },
    { field: "managedPolicyArns.*", shape: "iam.arnType" },
    { field: "tags.*", shape: "iam.tagValueType" },
  ],
  "iam.aws/v1 InstanceProfile": [
    { field: "instanceProfileName", shape: "iam.instanceProfileNameType" },
    { field: "path", shape: "iam.pathType" },
    { field: "role", shape: "iam.roleNameType" },
    { field: "tags.*", shape: "iam.tagValueType" },
  ],
  "s3.aws/v1 Bucket": [
    { field: "objectOwnership", shape: "s3.ObjectOwnership" },
    { field: "versioningConfiguration.status", shape: "s3.BucketVersioningStatus" },
    {
      field: "serverSideEncryptionConfiguration.applyServerSideEncryptionByDefault.sseAlgorithm",
      shape: "s3.ServerSideEncryption",
      but: ["aws:fsx", "aws:backup"],
      why: "PutBucketEncryption: for access points to file systems and to backups only",
    },
    { field: "serverSideEncryptionConfiguration.blockedEncryptionTypes.encryptionType.*", shape: "s3.EncryptionType" },
    { field: "lifecycleConfiguration.rules.*.status", shape: "s3.ExpirationStatus" },
    { field: "lifecycleConfiguration.rules.*.transitions.*.storageClass", shape: "s3.TransitionStorageClass" },
    { field: "lifecycleConfiguration.rules.*.noncurrentVersionTransitions.*.storageClass", shape: "s3.TransitionStorageClass" },
    { field: "lifecycleConfiguration.transitionDefaultMinimumObjectSize", shape: "s3.TransitionDefaultMinimumObjectSize" },
    { field: "loggingConfiguration.targetObjectKeyFormat.partitionedPrefix.partitionDateSource", shape: "s3.PartitionDateSource" },
    { field: "websiteConfiguration.redirectAllRequestsTo.protocol", shape: "s3.Protocol" },
    { field: "websiteConfiguration.routingRules.*.redirect.protocol", shape: "s3.Protocol" },
    ...["topic", "queue", "lambdaFunction"].map((receiver) => ({
      field: `notificationConfiguration.${receiver}Configurations.*.filter.key.filterRules.*.name`,
      shape: "s3.FilterRuleName",
    })),
    { field: "replicationConfiguration.rules.*.status", shape: "s3.ReplicationRuleStatus" },
    {
      field: "replicationConfiguration.rules.*.destination.storageClass",
      shape: "s3.StorageClass",
      but: ["OUTPOSTS", "SNOW", "EXPRESS_ONEZONE", "FSX_OPENZFS", "FSX_ONTAP", "AWS_BACKUP_WARM", "AWS_BACKUP_LOW_COST_WARM"],
      why: "buckets of other services have these",
    },
    { field: "replicationConfiguration.rules.*.destination.accessControlTranslation.owner", shape: "s3.OwnerOverride" },
    { field: "replicationConfiguration.rules.*.destination.replicationTime.status", shape: "s3.ReplicationTimeStatus" },
    { field: "replicationConfiguration.rules.*.destination.metrics.status", shape: "s3.MetricsStatus" },
    { field: "replicationConfiguration.rules.*.deleteMarkerReplication.status", shape: "s3.DeleteMarkerReplicationStatus" },
    { field: "replicationConfiguration.rules.*.existingObjectReplication.status", shape: "s3.ExistingObjectReplicationStatus" },
    {
      field: "replicationConfiguration.rules.*.sourceSelectionCriteria.sseKmsEncryptedObjects.status",
      shape: "s3.SseKmsEncryptedObjectsStatus",
    },
    {
      field: "replicationConfiguration.rules.*.sourceSelectionCriteria.replicaModifications.status",
      shape: "s3.ReplicaModificationsStatus",
    },
    { field: "objectLockConfiguration.rule.defaultRetention.mode", shape: "s3.ObjectLockRetentionMode" },
    { field: "accelerateConfiguration.status", shape: "s3.BucketAccelerateStatus" },
    { field: "requestPaymentConfiguration.payer", shape: "s3.Payer" },
  ],
  "logs.aws/v1 LogGroup": [
    { field: "logGroupName", shape: "logs.LogGroupName" },
    { field: "logGroupClass", shape: "logs.LogGroupClass" },
    { field: "retentionInDays", shape: "logs.Days" },
    { field: "kmsKeyId", shape: "logs.KmsKeyId" },
    { field: "tags.*", shape: "logs.TagValue" },
  ],
  "elbv2.aws/v1 LoadBalancer": [
    { field: "name", shape: `${ELB}.LoadBalancerName` },
    { field: "type", shape: `${ELB}.LoadBalancerTypeEnum`, but: ["gateway"], why: "Gateway Load Balancers are not supported" },
    { field: "scheme", shape: `${ELB}.LoadBalancerSchemeEnum` },
    { field: "ipAddressType", shape: `${ELB}.IpAddressType` },
    {
      field: "enforceSecurityGroupInboundRulesOnPrivateLinkTraffic",
      shape: `${ELB}.EnforceSecurityGroupInboundRulesOnPrivateLinkTrafficEnum`,
    },
    { field: "tags.*", shape: `${ELB}.TagValue` },
  ],
  "elbv2.aws/v1 TargetGroup": [
    { field: "name", shape: `${ELB}.TargetGroupName` },
    { field: "targetType", shape: `${ELB}.TargetTypeEnum` },
    { field: "protocol", shape: `${ELB}.ProtocolEnum`, ...OTHER_PROTOCOLS },
    { field: "port", shape: `${ELB}.Port` },
    { field: "targetControlPort", shape: `${ELB}.TargetControlPort` },
    { field: "ipAddressType", shape: `${ELB}.TargetGroupIpAddressTypeEnum` },
    {
      field: "healthCheckProtocol",
      shape: `${ELB}.ProtocolEnum`,
      but: ["GENEVE", "QUIC", "TCP_QUIC", "TCP_UDP", "TLS", "UDP"],
      why: "CreateTargetGroup: these 'are not supported for health checks'",
    },
    { field: "healthCheckPath", shape: `${ELB}.Path` },
    { field: "healthCheckIntervalSeconds", shape: `${ELB}.HealthCheckIntervalSeconds` },
    { field: "healthCheckTimeoutSeconds", shape: `${ELB}.HealthCheckTimeoutSeconds` },
    { field: "healthyThresholdCount", shape: `${ELB}.HealthCheckThresholdCount` },
    { field: "unhealthyThresholdCount", shape: `${ELB}.HealthCheckThresholdCount` },
    { field: "targets.*.quicServerId", shape: `${ELB}.QuicServerId` },
  ],
  "elbv2.aws/v1 Listener": [
    { field: "port", shape: `${ELB}.Port` },
    { field: "protocol", shape: `${ELB}.ProtocolEnum`, ...OTHER_PROTOCOLS },
    { field: "mutualAuthentication.advertiseTrustStoreCaNames", shape: `${ELB}.AdvertiseTrustStoreCaNamesEnum` },
    ...actions("defaultActions"),
  ],
  "elbv2.aws/v1 ListenerRule": [
    { field: "priority", shape: `${ELB}.RulePriority` },
    { field: "conditions.*.sourceIpConfig.ipAddressType", shape: `${ELB}.SourceIpAddressTypeEnum` },
    { field: "transforms.*.type", shape: `${ELB}.TransformTypeEnum` },
    ...actions("actions"),
  ],
  "dynamodb.aws/v1 Table": [
    { field: "keySchema.hash", shape: "dynamodb.KeySchemaAttributeName" },
    { field: "keySchema.range", shape: "dynamodb.KeySchemaAttributeName" },
    { field: "attributeDefinitions.*", shape: "dynamodb.ScalarAttributeType" },
    { field: "billingMode", shape: "dynamodb.BillingMode" },
    { field: "provisionedThroughput.readCapacityUnits", shape: "dynamodb.PositiveLongObject" },
    { field: "provisionedThroughput.writeCapacityUnits", shape: "dynamodb.PositiveLongObject" },
    { field: "globalSecondaryIndexes.*.indexName", shape: "dynamodb.IndexName" },
    { field: "globalSecondaryIndexes.*.projection.projectionType", shape: "dynamodb.ProjectionType" },
    { field: "globalSecondaryIndexes.*.projection.nonKeyAttributes.*", shape: "dynamodb.NonKeyAttributeName" },
    { field: "localSecondaryIndexes.*.indexName", shape: "dynamodb.IndexName" },
    { field: "streamSpecification.streamViewType", shape: "dynamodb.StreamViewType" },
    {
      field: "sseSpecification.sseType",
      shape: "dynamodb.SSEType",
      but: ["AES256"],
      why: "SSESpecification: 'the only supported value is KMS'",
    },
    { field: "timeToLiveSpecification.attributeName", shape: "dynamodb.TimeToLiveAttributeName" },
    { field: "pointInTimeRecoverySpecification.recoveryPeriodInDays", shape: "dynamodb.RecoveryPeriodInDays" },
    { field: "tableClass", shape: "dynamodb.TableClass" },
    { field: "tags.*", shape: "dynamodb.TagValueString" },
  ],
};

before(() => loadKindModels(kinds));

for (const [id, rows] of Object.entries(ROWS)) {
  for (const row of rows)
    test(`${id} ${row.field} is AWS's ${row.shape}${row.why ? `, but ${row.why}` : ""}`, () => compare(id as KindId, row));
}

test("every enum of a spec has a row", () => {
  const byRows = [...kinds.values()].filter(({ id }) => !(id in WALKED));
  const missing = byRows.flatMap((kind) => {
    const known = (ROWS[kind.id] ?? []).map(({ field }) => field);
    return enumsOf(kind.spec, "").filter(
      (path) => !known.includes(path) && !OURS.includes(`${kind.name}.${path}`) && !path.startsWith("localSecondaryIndexes."),
    );
  });
  assert.deepEqual(missing, []);
});

// Our own words, and those that AWS has in prose only: DescribeAvailabilityZones, filter `zone-type`; RuleCondition, Field;
// RedirectActionConfig, Protocol; FixedResponseActionConfig, ContentType; CreateListener, AlpnPolicy; MutualAuthenticationAttributes, Mode;
// CreateTargetGroup, ProtocolVersion; LoadBalancerAttribute and TargetGroupAttribute; CORSRule, AllowedMethods; CreateFlowLogs,
// MaxAggregationInterval.
const OURS = [
  "SecurityGroup.rules",
  "AvailabilityZones.zoneType",
  ...COMPUTING_PROSE,
  "FlowLog.maxAggregationInterval",
  "Bucket.corsConfiguration.corsRules.*.allowedMethods.*",
  "ListenerRule.conditions.*.field",
  "ListenerRule.actions.*.redirectConfig.protocol",
  "ListenerRule.actions.*.fixedResponseConfig.contentType",
  "Listener.defaultActions.*.redirectConfig.protocol",
  "Listener.defaultActions.*.fixedResponseConfig.contentType",
  "Listener.alpnPolicy.*",
  "Listener.mutualAuthentication.mode",
  "TargetGroup.protocolVersion",
  "TargetGroup.attributes.stickiness.type",
  "TargetGroup.attributes.loadBalancing.algorithm.type",
  "TargetGroup.attributes.loadBalancing.algorithm.anomalyMitigation",
  "LoadBalancer.attributes.routing.http.desyncMitigationMode",
  "LoadBalancer.attributes.routing.http.xffHeaderProcessing.mode",
  "LoadBalancer.attributes.dnsRecord.clientRoutingPolicy",
];

function compare(id: KindId, { field, shape, but = [] }: Row): void {
  const kind = kinds.get(id);
  assert.ok(kind, `there is no kind ${id}`);
  const own = field.split(".").reduce<Shape>(inside, kind.spec);
  const [service, name] = shape.split(".") as [string, string];
  const aws = shapeNamed(service, name);
  const known = valuesOf(own);
  if (known) assert.deepEqual([...known].sort(), [...(aws.enum ?? aws.values ?? [])].filter((value) => !but.includes(value)).sort());
  if (own.type === "string") assert.deepEqual([own.minLength ?? 0, own.maxLength], [aws.min ?? 0, aws.max]);
  if (own.type === "integer" || own.type === "number") assert.deepEqual([own.minimum, own.maximum], [aws.min, aws.max]);
  assert.ok(known || own.type === "string" || own.type === "integer", `${field} is a ${own.type}`);
}

function inside(shape: Shape, step: string): Shape {
  const found = shape.type === "object" ? shape.fields[step] : shape.type === "array" || shape.type === "map" ? shape.element : undefined;
  assert.ok(found, `there is no ${step}`);
  return found;
}

function valuesOf(shape: Shape): readonly (string | number)[] | undefined {
  if (shape.type === "enum") return shape.values;
  return shape.type === "literal" && !isObject(shape.value) ? [shape.value as string] : undefined;
}

function enumsOf(shape: Shape, path: string): readonly string[] {
  const below = (step: string) => (path === "" ? step : `${path}.${step}`);
  if (valuesOf(shape)) return [path];
  if (shape.type === "array" || shape.type === "map") return enumsOf(shape.element, below("*"));
  return shape.type === "object" ? Object.entries(shape.fields).flatMap(([name, inner]) => enumsOf(inner, below(name))) : [];
}
