/** Outside hands: plain SDK clients of every service, with the short helpers that tests of drift share. */

import assert from "node:assert/strict";
import { ACM } from "@aws-sdk/client-acm";
import { AutoScaling } from "@aws-sdk/client-auto-scaling";
import { CloudWatch } from "@aws-sdk/client-cloudwatch";
import { CloudWatchLogs } from "@aws-sdk/client-cloudwatch-logs";
import { DynamoDB } from "@aws-sdk/client-dynamodb";
import { EC2 } from "@aws-sdk/client-ec2";
import { ECR } from "@aws-sdk/client-ecr";
import { ElasticLoadBalancingV2 } from "@aws-sdk/client-elastic-load-balancing-v2";
import { IAM } from "@aws-sdk/client-iam";
import { Route53 } from "@aws-sdk/client-route-53";
import { S3 } from "@aws-sdk/client-s3";
import { WAFV2 } from "@aws-sdk/client-wafv2";

type Settings = {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
};

/** See the file's header. */
export type Hands = ReturnType<typeof handsAt>;

export function handsAt(settings: Settings) {
  const clients = {
    acm: new ACM(settings),
    autoscaling: new AutoScaling(settings),
    cloudwatch: new CloudWatch(settings),
    logs: new CloudWatchLogs(settings),
    dynamodb: new DynamoDB(settings),
    ec2: new EC2(settings),
    ecr: new ECR(settings),
    elb: new ElasticLoadBalancingV2(settings),
    iam: new IAM(settings),
    route53: new Route53(settings),
    s3: new S3({ ...settings, forcePathStyle: true }),
    waf: new WAFV2(settings),
  };
  const destroy = () => {
    for (const client of Object.values(clients)) client.destroy();
  };
  return { ...clients, destroy };
}

/** A machine image of one's own, newer than those before it: what `Image/newest` of the shop answers. Resolves to its id. */
export async function publishImage({ ec2 }: Hands, name: string): Promise<string> {
  const { ImageId } = await ec2.registerImage({
    Name: name,
    RootDeviceName: "/dev/xvda",
    VirtualizationType: "hvm",
    Architecture: "x86_64",
  });
  return ImageId ?? assert.fail("the image has no id");
}
