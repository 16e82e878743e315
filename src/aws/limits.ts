/**
 * AWS's published API rates as data: which token buckets a call draws from, how large they are and how fast they refill.
 *
 * Sources, unless a row says otherwise: EC2 "Request throttling for the Amazon EC2 API"; ELB "Request throttling for the
 * Elastic Load Balancing API"; Route 53 "Quotas"; read on 2026-11-23. All are per account and region, and are shared with
 * everybody else in the account, which is why only half is used by default.
 */

/** Calls at once, and calls per second after that. */
export type Limit = { readonly capacity: number; readonly refillPerSecond: number };

/** A bucket a call draws from; calls with the same id share it. */
export type BucketUse = { readonly id: string; readonly limit: Limit };

type Rule = {
  readonly operations: RegExp;
  readonly limit: Limit;
  /** One bucket for all operations that match, under this name; absent: each operation has its own. */
  readonly shared?: string;
  /** The rules after it apply too. */
  readonly andOthers?: true;
};

const rate = (capacity: number, refillPerSecond: number): Limit => ({ capacity, refillPerSecond });

// The first rule that matches decides, unless it lets others apply too.
const RULES: readonly Rule[] = [
  { operations: /^ec2:(CreateNatGateway|DeleteNatGateway)$/, limit: rate(10, 1) },
  { operations: /^ec2:(CreateVpcEndpoint|ModifyVpcEndpoint|DeleteVpcEndpoints)$/, limit: rate(4, 0.3) },
  { operations: /^ec2:(CreateTags|DeleteTags)$/, limit: rate(100, 10) },
  {
    operations: /^ec2:(CreateLaunchTemplateVersion|ModifyLaunchTemplate|CreateNetworkInterface|AssociateIamInstanceProfile)$/,
    limit: rate(100, 5),
  },
  { operations: /^ec2:RunInstances$/, limit: rate(5, 2) },
  // BEACON always sends MaxResults or a filter, so the lower rate of unfiltered, unpaginated calls (50/10) does not apply.
  { operations: /^ec2:(Describe|Get|List|Search)/, limit: rate(100, 20) },
  { operations: /^ec2:/, limit: rate(50, 5) },
  { operations: /^elasticloadbalancing:(CreateLoadBalancer|SetSubnets)$/, limit: rate(10, 0.2) },
  { operations: /^elasticloadbalancing:(Register|Deregister)Targets$/, limit: rate(20, 4) },
  { operations: /^elasticloadbalancing:Describe/, limit: rate(40, 10) },
  { operations: /^elasticloadbalancing:/, limit: rate(20, 3) },
  { operations: /^route53:/, limit: rate(50, 10), shared: "route53", andOthers: true },
  { operations: /^route53:AssociateVPCWithHostedZone$/, limit: rate(20, 5) },
  { operations: /^route53:CreateHostedZone$/, limit: rate(40, 2) },
  { operations: /^route53:DeleteHostedZone$/, limit: rate(40, 5) },
  { operations: /^route53:CreateHealthCheck$/, limit: rate(50, 0.5) },
  { operations: /^route53:DeleteHealthCheck$/, limit: rate(15, 3) },
  { operations: /^route53:DisassociateVPCFromHostedZone$/, limit: rate(10, 5) },
  { operations: /^route53:GetHealthCheckStatus$/, limit: rate(4, 1) },
  // ACM user guide, "Quotas", API rate quotas.
  { operations: /^acm:(DeleteCertificate|DescribeCertificate|GetCertificate|ListTagsForCertificate)$/, limit: rate(10, 10) },
  { operations: /^acm:ListCertificates$/, limit: rate(8, 8) },
  { operations: /^acm:/, limit: rate(5, 5) },
  { operations: /^wafv2:(Associate|Disassociate)WebACL$/, limit: rate(1, 0.5) },
  { operations: /^wafv2:(GetWebACLForResource|ListResourcesForWebACL)$/, limit: rate(1, 1) },
  { operations: /^wafv2:(Get|List|Describe)/, limit: rate(5, 5) },
  { operations: /^wafv2:/, limit: rate(1, 1) },
  // DynamoDB's API model names these; its other control-plane calls share 2500 a second.
  { operations: /^dynamodb:(DescribeContinuousBackups|ListTagsOfResource)$/, limit: rate(10, 10) },
  { operations: /^dynamodb:(TagResource|UntagResource)$/, limit: rate(5, 5) },
  { operations: /^dynamodb:/, limit: rate(500, 500) },
  // One bucket for all of EC2 Auto Scaling, of unpublished size; EC2's own mutating rate stands in for it.
  { operations: /^autoscaling:/, limit: rate(50, 5), shared: "autoscaling" },
  // Amazon CloudWatch endpoints and quotas: "Rate of ... requests", per second.
  { operations: /^cloudwatch:DescribeAlarms$/, limit: rate(9, 9) },
  { operations: /^cloudwatch:(PutMetricAlarm|DeleteAlarms)$/, limit: rate(3, 3) },
  { operations: /^cloudwatch:(TagResource|UntagResource)$/, limit: rate(20, 20) },
  { operations: /^cloudwatch:/, limit: rate(10, 10) },
  { operations: /^cloudtrail:LookupEvents$/, limit: rate(2, 2) },
];

// Unpublished, or not looked up yet: between EC2's and ELB's mutating rates, and twice that for reads.
const OTHERS: readonly Rule[] = [
  { operations: /:(Describe|Get|List|Head|BatchGet)/, limit: rate(20, 10) },
  { operations: /./, limit: rate(20, 5) },
];

/** The buckets a call of `operation` (`ec2:CreateVpc`) draws from; at least one. */
export function bucketsOf(operation: string): readonly BucketUse[] {
  const uses: BucketUse[] = [];
  for (const rule of [...RULES, ...OTHERS]) {
    if (!rule.operations.test(operation)) continue;
    uses.push({ id: rule.shared ?? operation, limit: rule.limit });
    if (!rule.andOthers) break;
  }
  return uses;
}
