/**
 * The IAM permissions an operation needs, and the policy for a set of them.
 *
 * By default an operation needs the action of its own name. The table lists the others, each with its source: the Service
 * Authorization Reference ("Actions, resources, and condition keys for ..."), unless a row says otherwise.
 */

import type { JsonObject } from "../core/json.ts";
import { partitionOf } from "./region.ts";
import type { OperationName } from "./service.ts";

type Exception = {
  readonly operations: RegExp;
  readonly needs: readonly string[];
  /** The action of the operation's own name does not exist. */
  readonly insteadOfOwn?: true;
  readonly why: string;
};

/** S3's actions have other names than its operations (Service Authorization Reference, "Actions defined by Amazon S3"). */
const S3_NAMES: readonly (readonly [operations: RegExp, needs: readonly string[]])[] = [
  [/^s3:HeadBucket$/, ["s3:ListBucket"]],
  [/^s3:ListObjectVersions$/, ["s3:ListBucketVersions"]],
  [/^s3:DeleteObjects$/, ["s3:DeleteObject", "s3:DeleteObjectVersion"]],
  [/^s3:GetPublicAccessBlock$/, ["s3:GetBucketPublicAccessBlock"]],
  [/^s3:PutPublicAccessBlock$/, ["s3:PutBucketPublicAccessBlock"]],
  [/^s3:GetBucketEncryption$/, ["s3:GetEncryptionConfiguration"]],
  [/^s3:PutBucketEncryption$/, ["s3:PutEncryptionConfiguration"]],
  [/^s3:GetBucketLifecycleConfiguration$/, ["s3:GetLifecycleConfiguration"]],
  [/^s3:(PutBucketLifecycleConfiguration|DeleteBucketLifecycle)$/, ["s3:PutLifecycleConfiguration"]],
  [/^s3:GetBucketCors$/, ["s3:GetBucketCORS"]],
  [/^s3:(PutBucketCors|DeleteBucketCors)$/, ["s3:PutBucketCORS"]],
  [/^s3:GetBucketAccelerateConfiguration$/, ["s3:GetAccelerateConfiguration"]],
  [/^s3:PutBucketAccelerateConfiguration$/, ["s3:PutAccelerateConfiguration"]],
  [/^s3:GetBucketNotificationConfiguration$/, ["s3:GetBucketNotification"]],
  [/^s3:PutBucketNotificationConfiguration$/, ["s3:PutBucketNotification"]],
  [/^s3:GetObjectLockConfiguration$/, ["s3:GetBucketObjectLockConfiguration"]],
  [/^s3:PutObjectLockConfiguration$/, ["s3:PutBucketObjectLockConfiguration"]],
  [/^s3:GetBucketReplication$/, ["s3:GetReplicationConfiguration"]],
  [/^s3:PutBucketReplication$/, ["s3:PutReplicationConfiguration", "iam:PassRole"]],
  [/^s3:DeleteBucketReplication$/, ["s3:PutReplicationConfiguration"]],
];

const EXCEPTIONS: readonly Exception[] = [
  ...S3_NAMES.map(([operations, needs]) => ({ operations, needs, insteadOfOwn: true as const, why: "S3 API reference: permissions." })),
  {
    operations: /^s3:CreateBucket$/,
    needs: ["s3:TagResource", "s3:PutBucketOwnershipControls", "s3:PutBucketObjectLockConfiguration", "s3:PutBucketVersioning"],
    why: "S3 API reference, CreateBucket: tags, ownership and locks given at creation are checked by themselves; locks bring versions.",
  },
  {
    operations:
      /^ec2:(Create(?!Tags$|Route$|NetworkAclEntry$|LaunchTemplateVersion$)|AllocateAddress$|ImportKeyPair$|RunInstances$|AuthorizeSecurityGroup)/,
    needs: ["ec2:CreateTags"],
    why: "EC2 user guide, 'Grant permission to tag resources during creation': TagSpecifications are checked as ec2:CreateTags.",
  },
  {
    operations: /^ec2:CreateFlowLogs$/,
    needs: ["iam:PassRole", "logs:CreateLogDelivery"],
    why: "VPC user guide, 'IAM role for publishing flow logs': the caller hands the role on, and delivery to buckets and streams is set up.",
  },
  {
    operations: /^ec2:DeleteFlowLogs$/,
    needs: ["logs:DeleteLogDelivery"],
    why: "VPC user guide, 'Publish flow logs to Amazon S3': the delivery ends with the flow log.",
  },
  {
    operations: /^dynamodb:CreateTable$/,
    needs: ["dynamodb:TagResource", "kms:DescribeKey", "kms:CreateGrant"],
    why: "Tags at creation are checked as TagResource; a customer key is looked up and granted ('DynamoDB encryption at rest: usage notes').",
  },
  {
    operations: /^dynamodb:UpdateTable$/,
    needs: ["kms:DescribeKey", "kms:CreateGrant"],
    why: "A change of the table's key is granted as at creation.",
  },
  {
    operations: /^logs:CreateLogGroup$/,
    needs: ["logs:TagResource", "kms:DescribeKey"],
    why: "CloudWatch Logs API reference, CreateLogGroup: tags need logs:TagResource; kmsKeyId is looked up.",
  },
  {
    operations: /^logs:AssociateKmsKey$/,
    needs: ["kms:DescribeKey"],
    why: "CloudWatch Logs API reference, AssociateKmsKey: a key that does not exist, or is disabled, is refused, so it is looked up.",
  },
  {
    operations: /^wafv2:CreateWebACL$/,
    needs: ["wafv2:TagResource"],
    why: "Service Authorization Reference, CreateWebACL: tags need TagResource.",
  },
  {
    operations: /^wafv2:GetWebACLForResource$/,
    needs: ["wafv2:GetWebACL", "elasticloadbalancing:GetLoadBalancerWebACL"],
    why: "WAFV2 API reference: 'This call uses GetWebACL'; developer guide, 'Permissions for GetWebACLForResource': of load balancers.",
  },
  {
    operations: /^wafv2:ListResourcesForWebACL$/,
    needs: ["elasticloadbalancing:DescribeWebACLAssociation"],
    why: "WAF developer guide, 'Permissions for ListResourcesForWebACL': of load balancers.",
  },
  {
    operations: /^wafv2:AssociateWebACL$/,
    needs: ["elasticloadbalancing:CreateWebACLAssociation", "elasticloadbalancing:SetWebACL"],
    why: "WAF developer guide, 'Permissions for AssociateWebACL': of load balancers, by the new name and the old.",
  },
  {
    operations: /^wafv2:DisassociateWebACL$/,
    needs: ["elasticloadbalancing:DeleteWebACLAssociation", "elasticloadbalancing:SetWebACL"],
    why: "WAF developer guide, 'Permissions for DisassociateWebACL': of load balancers, by the new name and the old.",
  },
  {
    operations: /^cloudwatch:PutMetricAlarm$/,
    needs: ["cloudwatch:TagResource", "cloudwatch:ListTagsForResource", "iam:CreateServiceLinkedRole"],
    why: "CloudWatch API reference, PutMetricAlarm: tags need TagResource, alarmTagsPropagation ListTagsForResource, and EC2 actions a role of AWS's.",
  },
  {
    operations: /^cloudwatch:PutDashboard$/,
    needs: ["cloudwatch:TagResource"],
    why: "CloudWatch API reference, PutDashboard: tags need TagResource.",
  },
  {
    operations: /^acm:RequestCertificate$/,
    needs: ["acm:AddTagsToCertificate"],
    why: "Tags at the request are checked as AddTagsToCertificate (terraform-provider-aws#11903).",
  },
  {
    operations: /^route53:(CreateHostedZone|AssociateVPCWithHostedZone|DisassociateVPCFromHostedZone)$/,
    needs: ["ec2:DescribeVpcs"],
    why: "Route 53 API reference, CreateHostedZone: the caller must have ec2:DescribeVpcs; the VPC of the other two is looked up likewise.",
  },
  {
    operations: /^ecr:CreateRepository$/,
    needs: ["ecr:TagResource", "kms:DescribeKey", "kms:CreateGrant"],
    why: "Tags at creation are checked as TagResource; a customer key is looked up and granted (ECR user guide, 'Encryption at rest').",
  },
  {
    operations: /^ecr:DeleteRepository$/,
    needs: ["kms:RetireGrant"],
    why: "ECR user guide, 'Encryption at rest': the grant on the repository's key is given back.",
  },
  {
    operations: /^iam:CreateRole$/,
    needs: ["iam:TagRole"],
    why: "IAM API reference, CreateRole: tags at creation are checked as TagRole.",
  },
  {
    operations: /^iam:CreateInstanceProfile$/,
    needs: ["iam:TagInstanceProfile"],
    why: "IAM API reference, CreateInstanceProfile: tags at creation are checked as TagInstanceProfile.",
  },
  {
    operations: /^iam:AddRoleToInstanceProfile$/,
    needs: ["iam:PassRole"],
    why: "IAM API reference, AddRoleToInstanceProfile: the caller hands the role on.",
  },
  {
    operations: /^elasticloadbalancing:Create/,
    needs: ["elasticloadbalancing:AddTags"],
    why: "ELB user guide, 'ELB API permissions to tag resources during creation': tags at creation are checked as AddTags.",
  },
  {
    operations: /^elasticloadbalancing:Create(LoadBalancer|TargetGroup)$/,
    needs: ["iam:CreateServiceLinkedRole"],
    why: "ELB user guide, 'Service-linked role': it is created with the account's first load balancer or target group.",
  },
  {
    operations: /^elasticloadbalancing:(Create|Modify)(Listener|Rule)$/,
    needs: ["cognito-idp:DescribeUserPoolClient"],
    why: "Application Load Balancers guide, 'Prepare to use Amazon Cognito': the pool of an authenticate-cognito action is looked up.",
  },
  {
    operations: /^autoscaling:(CreateAutoScalingGroup|UpdateAutoScalingGroup|StartInstanceRefresh)$/,
    needs: ["ec2:RunInstances", "ec2:CreateTags", "iam:PassRole"],
    why: "EC2 Auto Scaling user guide, 'Control launch template usage': who lets a group use a template must be allowed to launch from it.",
  },
  {
    operations: /^autoscaling:CreateAutoScalingGroup$/,
    needs: ["autoscaling:CreateOrUpdateTags", "iam:CreateServiceLinkedRole"],
    why: "Tags at creation are checked as CreateOrUpdateTags; an account's first group makes AWSServiceRoleForAutoScaling.",
  },
  {
    operations: /^autoscaling:PutScalingPolicy$/,
    needs: ["cloudwatch:PutMetricAlarm"],
    why: "The alarms of a target tracking policy are made for its maker (AWS managed policy AutoScalingFullAccess).",
  },
  {
    operations: /^sqs:CreateQueue$/,
    needs: ["sqs:TagQueue"],
    why: "SQS API reference, CreateQueue: tags at creation need sqs:TagQueue.",
  },
  {
    operations: /^sqs:DeleteMessageBatch$/,
    needs: ["sqs:DeleteMessage"],
    insteadOfOwn: true,
    why: "SQS developer guide, 'Amazon SQS API permissions': batches are checked as the action of one message.",
  },
  {
    operations: /^events:PutRule$/,
    needs: ["events:TagResource"],
    why: "EventBridge API reference, PutRule: tags at creation need events:TagResource.",
  },
  {
    operations: /^events:PutTargets$/,
    needs: ["iam:PassRole"],
    why: "EventBridge user guide, 'Sending events between buses': the role that may put events on the other bus is handed on.",
  },
  {
    operations: /^dynamodb:TransactWriteItems$/,
    needs: ["dynamodb:PutItem", "dynamodb:DeleteItem"],
    insteadOfOwn: true,
    why: "DynamoDB developer guide, 'IAM and transactions': each action of a transaction is checked by itself.",
  },
];

/** The IAM actions of one operation, sorted. */
export function actionsOf(operation: OperationName): readonly string[] {
  const rows = EXCEPTIONS.filter((row) => row.operations.test(operation));
  const own = rows.some((row) => row.insteadOfOwn) ? [] : [operation];
  return [...new Set([...own, ...rows.flatMap((row) => row.needs)])].sort();
}

/** What BEACON's own memory needs; `bootstrap` makes the table. */
export const STATE_OPERATIONS = Object.freeze([
  "dynamodb:GetItem",
  "dynamodb:BatchGetItem",
  "dynamodb:Query",
  "dynamodb:PutItem",
  "dynamodb:TransactWriteItems",
] as const satisfies readonly OperationName[]);

/** What `bootstrap` needs beside: it makes the state table, and looks whether it is as it should be. */
export const BOOTSTRAP_OPERATIONS = Object.freeze([
  "dynamodb:CreateTable",
  "dynamodb:DescribeTable",
  "dynamodb:UpdateTable",
  "dynamodb:DescribeTimeToLive",
  "dynamodb:UpdateTimeToLive",
  "dynamodb:DescribeContinuousBackups",
  "dynamodb:UpdateContinuousBackups",
] as const satisfies readonly OperationName[]);

/** What `bootstrap --events` needs: it makes the queue and the rules, and looks whether AWS reports calls at all. */
export const EVENTS_BOOTSTRAP_OPERATIONS = Object.freeze([
  "sqs:GetQueueUrl",
  "sqs:GetQueueAttributes",
  "sqs:CreateQueue",
  "sqs:SetQueueAttributes",
  "events:DescribeRule",
  "events:ListTargetsByRule",
  "events:PutRule",
  "events:PutTargets",
  "iam:GetRole",
  "iam:GetRolePolicy",
  "iam:CreateRole",
  "iam:UpdateAssumeRolePolicy",
  "iam:PutRolePolicy",
  "cloudtrail:DescribeTrails",
  "cloudtrail:GetTrailStatus",
  "cloudtrail:GetEventSelectors",
] as const satisfies readonly OperationName[]);

/** What a controller that follows AWS events needs on the queue. */
export const QUEUE_OPERATIONS = Object.freeze([
  "sqs:GetQueueUrl",
  "sqs:ReceiveMessage",
  "sqs:DeleteMessageBatch",
] as const satisfies readonly OperationName[]);

/** Everything that a controller needs beside its stacks' kinds and the state table: its queue, and CloudTrail to ask who did it. */
export const CONTROLLER_OPERATIONS = Object.freeze([
  ...QUEUE_OPERATIONS,
  "cloudtrail:LookupEvents",
] as const satisfies readonly OperationName[]);

// Who is calling, which everybody may ask.
const IDENTITY: readonly string[] = ["sts:GetCallerIdentity"];

/** What the policy is limited to. */
export type PolicyOptions = {
  /** Name of the state table. */
  readonly stateTable: string;
  /** Absent: any account, any region. */
  readonly accountId?: string;
  readonly region?: string;
};

// Services all of whose actions in use can be limited to types of resources (Service Authorization Reference); EC2's looks,
// and the tagging API, know no resources.
const RESOURCES: Readonly<Record<string, readonly string[]>> = {
  dynamodb: ["table/*"],
  ecr: ["repository/*"],
  iam: ["role/*", "instance-profile/*"],
  logs: ["log-group:*"],
  s3: ["*"],
  sqs: ["*"],
};

// Actions of these services that know no resources (Service Authorization Reference).
const EVERYWHERE: ReadonlySet<string> = new Set(["logs:CreateLogDelivery", "logs:DeleteLogDelivery"]);

// Whose ARNs name no region, because names are the account's or the whole world's; a request to IAM is in none of the stack's.
const REGIONLESS: ReadonlySet<string> = new Set(["iam", "s3"]);
const ACCOUNTLESS: ReadonlySet<string> = new Set(["s3"]);

// Services that are in one region for all the world, and the tagging API and CloudTrail, which are asked there for what is in no
// region: a condition on the stack's region would deny them.
const ELSEWHERE: ReadonlySet<string> = new Set(["cloudtrail", "route53", "route53domains", "tag"]);

/**
 * The least policy for these operations, BEACON's state and the question who is calling: limited to types of resources where
 * the service can be, else to the region. Actions are sorted, so that it can be reviewed as a diff.
 */
export function iamPolicy(operations: Iterable<OperationName>, options: PolicyOptions): JsonObject {
  const isElsewhere = (operation: OperationName) => ELSEWHERE.has(serviceOf(operation));
  const actions = [...operations].filter((operation) => !isElsewhere(operation)).flatMap(actionsOf);
  const elsewhere = [...operations].filter(isElsewhere).flatMap(actionsOf);
  const keys = actions.filter((action) => action.startsWith("kms:"));
  const others = actions.filter((action) => resourcesOf(action) === undefined && !keys.includes(action) && !IDENTITY.includes(action));
  const here = options.region === undefined ? {} : { Condition: { StringEquals: { "aws:RequestedRegion": options.region } } };
  const state = [...STATE_OPERATIONS, ...BOOTSTRAP_OPERATIONS].flatMap(actionsOf).filter((action) => action.startsWith("dynamodb:"));
  // Keys are used through the service that encrypts with them, never directly.
  const viaService = { StringLike: { "kms:ViaService": ["dynamodb.*.amazonaws.com", "ecr.*.amazonaws.com", "logs.*.amazonaws.com"] } };
  return {
    Version: "2012-10-17",
    Statement: [
      statement("BeaconIdentity", IDENTITY, "*"),
      statement("BeaconState", state, arnOf("dynamodb", `table/${options.stateTable}`, options)),
      ...Object.entries(RESOURCES).flatMap(([service, resources]) =>
        statements(
          actions.filter((action) => resourcesOf(action) === resources),
          (own) => statement(`Beacon${(service[0] as string).toUpperCase()}${service.slice(1)}`, own, arnsOf(service, resources, options)),
        ),
      ),
      ...statements(others, (some) => ({ ...statement("BeaconResources", some, "*"), ...here })),
      ...statements(elsewhere, (some) => statement("BeaconElsewhere", some, "*")),
      ...statements(keys, (some) => ({ ...statement("BeaconKeys", some, "*"), Condition: viaService })),
    ],
  };
}

function resourcesOf(action: string): readonly string[] | undefined {
  return EVERYWHERE.has(action) ? undefined : RESOURCES[serviceOf(action)];
}

function serviceOf(action: string): string {
  return action.slice(0, action.indexOf(":"));
}

function arnOf(service: string, resource: string, { region = "*", accountId = "*" }: PolicyOptions): string {
  const place = `${REGIONLESS.has(service) ? "" : region}:${ACCOUNTLESS.has(service) ? "" : accountId}`;
  return `arn:${partitionOf(region)}:${service}:${place}:${resource}`;
}

function arnsOf(service: string, resources: readonly string[], options: PolicyOptions): string | string[] {
  const arns = resources.map((resource) => arnOf(service, resource, options));
  return arns.length === 1 ? (arns[0] as string) : arns;
}

function statements(actions: readonly string[], make: (actions: readonly string[]) => JsonObject): readonly JsonObject[] {
  return actions.length > 0 ? [make(actions)] : [];
}

function statement(sid: string, actions: readonly string[], resource: string | string[]): JsonObject {
  return { Sid: sid, Effect: "Allow", Action: [...new Set(actions)].sort(), Resource: resource };
}
