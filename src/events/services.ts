/** The AWS services that events come through, and how CloudTrail calls the services and operations that it reports. */

import { partitionOf } from "../aws/region.ts";
import { type OperationName, service } from "../aws/service.ts";

/** Where a queue is not AWS's, its URL may name a host that only the server knows. */
export const sqs = service("sqs", "SQSClient", () => import("@aws-sdk/client-sqs"), { atOwnEndpoint: { useQueueUrlAsEndpoint: false } });
export const iam = service("iam", "IAMClient", () => import("@aws-sdk/client-iam"));

/** EventBridge of one region. */
export function eventBridgeIn(region: string) {
  return service("events", "EventBridgeClient", () => import("@aws-sdk/client-eventbridge"), { region });
}

/** CloudTrail of one region: what happened in another it does not tell. */
export function cloudTrailIn(region: string) {
  return service("cloudtrail", "CloudTrailClient", () => import("@aws-sdk/client-cloudtrail"), { region });
}

// Whose records are in one region, whatever region is meant (CloudTrail user guide, "Global service events"; EventBridge user guide,
// "Events from AWS services": IAM's and Route 53's come up in us-east-1 only).
const GLOBAL_SERVICES: ReadonlySet<string> = new Set(["iam", "route53", "route53domains"]);
const GLOBAL_REGIONS = { aws: "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1" } as const;

/** Whether AWS reports the service's calls in {@link globalRegionOf} alone. `service` is an IAM prefix. */
export function isGlobal(service: string): boolean {
  return GLOBAL_SERVICES.has(service);
}

/** The region where calls of global services are reported to whoever is in `region`. */
export function globalRegionOf(region: string): string {
  return GLOBAL_REGIONS[partitionOf(region)];
}

// Where the name before `.amazonaws.com` is not the service's IAM prefix.
const SOURCES: Readonly<Record<string, string>> = { cloudwatch: "monitoring", tag: "tagging" };
const SERVICES: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(SOURCES).map(([service, source]) => [source, service]),
);
const DOMAIN = ".amazonaws.com";

/** `cloudwatch` -> `monitoring.amazonaws.com`. */
export function eventSourceOf(service: string): string {
  return `${SOURCES[service] ?? service}${DOMAIN}`;
}

/** `monitoring.amazonaws.com` -> `cloudwatch`; undefined for what is no service's name. */
export function serviceOf(eventSource: string): string | undefined {
  const source = eventSource.endsWith(DOMAIN) ? eventSource.slice(0, -DOMAIN.length) : "";
  return /^[a-z][a-z0-9-]*$/.test(source) ? (SERVICES[source] ?? source) : undefined;
}

// S3 records some operations under the names of its permissions (S3 user guide, "Amazon S3 CloudTrail events").
const OPERATIONS: Readonly<Record<string, string>> = {
  "s3:DeleteBucketPublicAccessBlock": "DeletePublicAccessBlock",
  "s3:PutAccelerateConfiguration": "PutBucketAccelerateConfiguration",
  "s3:PutBucketLifecycle": "PutBucketLifecycleConfiguration",
  "s3:PutBucketNotification": "PutBucketNotificationConfiguration",
  "s3:PutBucketObjectLockConfiguration": "PutObjectLockConfiguration",
  "s3:PutBucketPublicAccessBlock": "PutPublicAccessBlock",
};

/** The operation as the SDK and the kinds spell it. */
export function operationOf(service: string, eventName: string): OperationName {
  return `${service}:${OPERATIONS[`${service}:${eventName}`] ?? eventName}`;
}
