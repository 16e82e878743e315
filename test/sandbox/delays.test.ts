/** With a delay, what takes time at AWS takes time in the sandbox, and is then as it is without one. */

import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { ACM } from "@aws-sdk/client-acm";
import { AutoScaling } from "@aws-sdk/client-auto-scaling";
import { DynamoDB } from "@aws-sdk/client-dynamodb";
import { EC2 } from "@aws-sdk/client-ec2";
import { ElasticLoadBalancingV2 } from "@aws-sdk/client-elastic-load-balancing-v2";
import { IAM } from "@aws-sdk/client-iam";
import { Route53 } from "@aws-sdk/client-route-53";
import { clientSettings, startOwn } from "../support/sandbox.ts";

const POLL_MS = 20;

/** Looks until the state is the wanted one; resolves to every state seen on the way, each once. */
async function statesUntil(wanted: string, look: () => Promise<string | undefined>): Promise<readonly string[]> {
  const seen: string[] = [];
  while (seen.at(-1) !== wanted) {
    const state = String(await look());
    if (state !== seen.at(-1)) seen.push(state);
    await pause(POLL_MS);
  }
  return seen;
}

describe("a sandbox with a delay", { timeout: 60_000 }, () => {
  let settings: Awaited<ReturnType<typeof clientSettings>>;
  let subnets: string[];
  before(async () => {
    settings = await clientSettings((await startOwn({ delaySeconds: 0.5 })).endpoint);
    const ec2 = new EC2(settings);
    const { Vpc } = await ec2.createVpc({ CidrBlock: "10.0.0.0/16" });
    const { InternetGateway } = await ec2.createInternetGateway({});
    await ec2.attachInternetGateway({ InternetGatewayId: InternetGateway?.InternetGatewayId, VpcId: Vpc?.VpcId });
    const made = ["a", "b"].map((zone, index) =>
      ec2.createSubnet({ VpcId: Vpc?.VpcId, CidrBlock: `10.0.${index}.0/24`, AvailabilityZone: `${settings.region}${zone}` }),
    );
    subnets = (await Promise.all(made)).map(({ Subnet }) => String(Subnet?.SubnetId));
  });

  test("has a NAT gateway pending before it is available", async () => {
    const ec2 = new EC2(settings);
    const { AllocationId } = await ec2.allocateAddress({ Domain: "vpc" });
    const { NatGateway } = await ec2.createNatGateway({ SubnetId: subnets[0], AllocationId });
    const look = async () => (await ec2.describeNatGateways({ NatGatewayIds: [String(NatGateway?.NatGatewayId)] })).NatGateways?.[0]?.State;
    assert.deepEqual(await statesUntil("available", look), ["pending", "available"]);
  });

  test("has a load balancer provisioning before it is active", async () => {
    const elb = new ElasticLoadBalancingV2(settings);
    const { LoadBalancers = [] } = await elb.createLoadBalancer({ Name: "slow", Scheme: "internal", Subnets: subnets });
    const LoadBalancerArns = [String(LoadBalancers[0]?.LoadBalancerArn)];
    const look = async () => (await elb.describeLoadBalancers({ LoadBalancerArns })).LoadBalancers?.[0]?.State?.Code;
    assert.deepEqual(await statesUntil("active", look), ["provisioning", "active"]);
  });

  test("has a table CREATING, and not to be deleted, before it is ACTIVE", async () => {
    const dynamodb = new DynamoDB(settings);
    const TableName = "slow";
    const KeySchema = [{ AttributeName: "id", KeyType: "HASH" as const }];
    const AttributeDefinitions = [{ AttributeName: "id", AttributeType: "S" as const }];
    await dynamodb.createTable({ TableName, KeySchema, AttributeDefinitions, BillingMode: "PAY_PER_REQUEST" });
    await assert.rejects(dynamodb.deleteTable({ TableName }), { name: "ResourceInUseException" });
    const look = async () => (await dynamodb.describeTable({ TableName })).Table?.TableStatus;
    assert.deepEqual(await statesUntil("ACTIVE", look), ["CREATING", "ACTIVE"]);
    await dynamodb.deleteTable({ TableName });
  });

  test("has a certificate PENDING_VALIDATION before it is ISSUED, though its record is there", async () => {
    const [acm, route53] = [new ACM(settings), new Route53(settings)];
    const { HostedZone } = await route53.createHostedZone({ Name: "slow.example.com", CallerReference: "slow" });
    const { CertificateArn } = await acm.requestCertificate({ DomainName: "slow.example.com", ValidationMethod: "DNS" });
    const look = async () => (await acm.describeCertificate({ CertificateArn })).Certificate;
    let record = (await look())?.DomainValidationOptions?.[0]?.ResourceRecord;
    while (!record) record = (await look())?.DomainValidationOptions?.[0]?.ResourceRecord;
    const { Name, Value } = record;
    const ResourceRecordSet = { Name, Type: "CNAME" as const, TTL: 60, ResourceRecords: [{ Value }] };
    const ChangeBatch = { Changes: [{ Action: "CREATE" as const, ResourceRecordSet }] };
    await route53.changeResourceRecordSets({ HostedZoneId: HostedZone?.Id, ChangeBatch });
    assert.deepEqual(await statesUntil("ISSUED", async () => (await look())?.Status), ["PENDING_VALIDATION", "ISSUED"]);
  });

  test("does not let a group use an instance profile that was just made", async () => {
    const [iam, ec2, autoscaling] = [new IAM(settings), new EC2(settings), new AutoScaling(settings)];
    const [InstanceProfileName, LaunchTemplateName] = ["slow", "slow"];
    const LaunchTemplateData = {
      ImageId: "ami-12c6146b",
      InstanceType: "t3.micro" as const,
      IamInstanceProfile: { Name: InstanceProfileName },
    };
    await ec2.createLaunchTemplate({ LaunchTemplateName, LaunchTemplateData });
    await iam.createInstanceProfile({ InstanceProfileName });
    const create = () =>
      autoscaling.createAutoScalingGroup({
        AutoScalingGroupName: "slow",
        LaunchTemplate: { LaunchTemplateName, Version: "$Latest" },
        MinSize: 0,
        MaxSize: 0,
        VPCZoneIdentifier: subnets[0],
      });
    const look = () =>
      create().then(
        () => "made",
        (error: Error) => (/Invalid IAM Instance Profile/.test(error.message) ? "refused" : error.message),
      );
    assert.deepEqual(await statesUntil("made", look), ["refused", "made"]);
  });
});
