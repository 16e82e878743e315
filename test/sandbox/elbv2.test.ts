/** Load balancers in the sandbox: what AWS refuses, what it keeps in use, and what it answers with. */

import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { ACM } from "@aws-sdk/client-acm";
import { type CreateLoadBalancerCommandInput, ElasticLoadBalancingV2 } from "@aws-sdk/client-elastic-load-balancing-v2";
import { clientSettings, freshProject, type SdkClients, sdkClients, TEST_REGION } from "../support/sandbox.ts";

let clients: SdkClients;
let elb: ElasticLoadBalancingV2;
before(async () => {
  clients = await sdkClients();
  elb = new ElasticLoadBalancingV2(await clientSettings());
});

const refused = (name: string, message?: RegExp) => (error: Error) => {
  assert.equal(error.name.replace(/Exception$/, ""), name);
  if (message) assert.match(error.message, message);
  return true;
};
const id = (value: string | undefined) => value ?? assert.fail("AWS gave no id");

async function newNetwork() {
  const VpcId = id((await clients.ec2.createVpc({ CidrBlock: "10.0.0.0/16" })).Vpc?.VpcId);
  const subnet = async (zone: string, index: number) => {
    const request = { VpcId, CidrBlock: `10.0.${index}.0/24`, AvailabilityZone: `${TEST_REGION}${zone}` };
    return id((await clients.ec2.createSubnet(request)).Subnet?.SubnetId);
  };
  const [one, two, beside] = [await subnet("a", 1), await subnet("b", 2), await subnet("a", 3)];
  return { VpcId, Subnets: [one, two], beside };
}
async function newGroup(VpcId: string): Promise<string> {
  return id((await clients.ec2.createSecurityGroup({ VpcId, GroupName: freshProject(), Description: "x" })).GroupId);
}
async function newBalancer(request: Omit<CreateLoadBalancerCommandInput, "Name">): Promise<string> {
  const answer = await elb.createLoadBalancer({ Name: freshProject(), Scheme: "internal", ...request });
  return id(answer.LoadBalancers?.[0]?.LoadBalancerArn);
}
async function newTargetGroup(VpcId: string): Promise<string> {
  const answer = await elb.createTargetGroup({ Name: freshProject(), Protocol: "HTTP", Port: 80, VpcId });
  return id(answer.TargetGroups?.[0]?.TargetGroupArn);
}
const answer404 = [{ Type: "fixed-response" as const, FixedResponseConfig: { StatusCode: "404" } }];
async function newListener(LoadBalancerArn: string, Port = 80, DefaultActions: object[] = answer404): Promise<string> {
  const answer = await elb.createListener({ LoadBalancerArn, Port, Protocol: "HTTP", DefaultActions: DefaultActions as typeof answer404 });
  return id(answer.Listeners?.[0]?.ListenerArn);
}
const condition = (path: string) => [{ Field: "path-pattern", PathPatternConfig: { Values: [path] } }];
async function newRule(ListenerArn: string, Priority: number): Promise<string> {
  const answer = await elb.createRule({ ListenerArn, Priority, Conditions: condition(`/${Priority}`), Actions: answer404 });
  return id(answer.Rules?.[0]?.RuleArn);
}

describe("a second object of the same name", () => {
  test("is the first load balancer where its settings are the same, and else refused", async () => {
    const { Subnets, beside } = await newNetwork();
    const request = { Name: freshProject(), Scheme: "internal" as const, Subnets };
    const first = await elb.createLoadBalancer(request);
    const again = await elb.createLoadBalancer({ ...request, Subnets: Subnets.toReversed() });
    assert.equal(again.LoadBalancers?.[0]?.LoadBalancerArn, first.LoadBalancers?.[0]?.LoadBalancerArn);
    const other = elb.createLoadBalancer({ ...request, Subnets: [id(Subnets[1]), beside] });
    await assert.rejects(other, refused("DuplicateLoadBalancerName"));
    assert.equal((await elb.describeLoadBalancers({ Names: [request.Name] })).LoadBalancers?.length, 1);
  });

  test("likewise a target group", async () => {
    const { VpcId } = await newNetwork();
    const request = { Name: freshProject(), Protocol: "HTTP" as const, Port: 80, VpcId };
    const first = await elb.createTargetGroup(request);
    const again = await elb.createTargetGroup(request);
    assert.equal(again.TargetGroups?.[0]?.TargetGroupArn, first.TargetGroups?.[0]?.TargetGroupArn);
    await assert.rejects(elb.createTargetGroup({ ...request, Port: 81 }), refused("DuplicateTargetGroupName"));
  });

  test("likewise a listener, by its port, which a change may not take either", async () => {
    const { Subnets } = await newNetwork();
    const balancer = await newBalancer({ Subnets });
    const first = await newListener(balancer);
    assert.equal(await newListener(balancer), first);
    await assert.rejects(
      newListener(balancer, 80, [{ ...answer404[0], FixedResponseConfig: { StatusCode: "503" } }]),
      refused("DuplicateListener"),
    );
    const other = await newListener(balancer, 81);
    await assert.rejects(elb.modifyListener({ ListenerArn: other, Port: 80 }), refused("DuplicateListener"));
  });

  test("a rule's priority is its own; an order as a whole may swap it", async () => {
    const { Subnets } = await newNetwork();
    const listener = await newListener(await newBalancer({ Subnets }));
    const [one, two, three] = [await newRule(listener, 1), await newRule(listener, 2), await newRule(listener, 3)];
    await assert.rejects(newRule(listener, 1), refused("PriorityInUse"));
    const order = (...pairs: [string, number][]) =>
      elb.setRulePriorities({ RulePriorities: pairs.map(([RuleArn, Priority]) => ({ RuleArn, Priority })) });
    await assert.rejects(order([one, 3]), refused("PriorityInUse"));
    await order([one, 2], [two, 3], [three, 1]);
    const { Rules = [] } = await elb.describeRules({ ListenerArn: listener });
    const found = new Map(Rules.map(({ RuleArn, Priority }) => [RuleArn, Priority]));
    assert.deepEqual(
      [one, two, three].map((arn) => found.get(arn)),
      ["2", "3", "1"],
    );
    await assert.rejects(order([one, 9], [two, 9]), refused("ValidationError"));
  });
});

describe("a load balancer keeps in use", () => {
  test("its subnets and groups, as long as it has them", async () => {
    const { VpcId, Subnets, beside } = await newNetwork();
    const [group, other] = [await newGroup(VpcId), await newGroup(VpcId)];
    const [one, two] = Subnets.map(id) as [string, string];
    const balancer = await newBalancer({ Subnets, SecurityGroups: [group] });
    const { NetworkInterfaces = [] } = await clients.ec2.describeNetworkInterfaces({ Filters: [{ Name: "group-id", Values: [group] }] });
    assert.deepEqual(NetworkInterfaces.map(({ SubnetId }) => SubnetId).sort(), Subnets.toSorted());
    assert.ok(NetworkInterfaces.every(({ Description }) => Description === `ELB ${balancer.split(":loadbalancer/")[1]}`));
    await assert.rejects(clients.ec2.deleteSubnet({ SubnetId: one }), refused("DependencyViolation"));
    await assert.rejects(clients.ec2.deleteSecurityGroup({ GroupId: group }), refused("DependencyViolation"));
    await elb.setSubnets({ LoadBalancerArn: balancer, Subnets: [two, beside] });
    await elb.setSecurityGroups({ LoadBalancerArn: balancer, SecurityGroups: [other] });
    await clients.ec2.deleteSubnet({ SubnetId: one });
    await clients.ec2.deleteSecurityGroup({ GroupId: group });
    await elb.deleteLoadBalancer({ LoadBalancerArn: balancer });
    for (const SubnetId of [two, beside]) await clients.ec2.deleteSubnet({ SubnetId });
    await clients.ec2.deleteSecurityGroup({ GroupId: other });
    await clients.ec2.deleteVpc({ VpcId });
  });

  test("the internet gateway, where it has public addresses, which it needs one for", async () => {
    const { VpcId, Subnets } = await newNetwork();
    const isPublic = { Subnets, Scheme: "internet-facing" as const };
    await assert.rejects(newBalancer(isPublic), refused("InvalidSubnet", /has no internet gateway/));
    const InternetGatewayId = id((await clients.ec2.createInternetGateway({})).InternetGateway?.InternetGatewayId);
    await clients.ec2.attachInternetGateway({ InternetGatewayId, VpcId });
    const balancer = await newBalancer(isPublic);
    await assert.rejects(clients.ec2.detachInternetGateway({ InternetGatewayId, VpcId }), refused("DependencyViolation", /mapped public/));
    await elb.deleteLoadBalancer({ LoadBalancerArn: balancer });
    await clients.ec2.detachInternetGateway({ InternetGatewayId, VpcId });
  });

  test("an Elastic IP address of a network load balancer", async () => {
    const { VpcId, Subnets } = await newNetwork();
    const InternetGatewayId = id((await clients.ec2.createInternetGateway({})).InternetGateway?.InternetGatewayId);
    await clients.ec2.attachInternetGateway({ InternetGatewayId, VpcId });
    const AllocationId = id((await clients.ec2.allocateAddress({ Domain: "vpc" })).AllocationId);
    const SubnetMappings = [{ SubnetId: id(Subnets[0]), AllocationId }];
    const balancer = await newBalancer({ Type: "network", Scheme: "internet-facing", SubnetMappings });
    await assert.rejects(clients.ec2.releaseAddress({ AllocationId }), refused("InvalidIPAddress.InUse"));
    await elb.deleteLoadBalancer({ LoadBalancerArn: balancer });
    await clients.ec2.releaseAddress({ AllocationId });
  });

  test("its target group, for itself alone", async () => {
    const { VpcId, Subnets } = await newNetwork();
    const [balancer, other, group] = [await newBalancer({ Subnets }), await newBalancer({ Subnets }), await newTargetGroup(VpcId)];
    const forward = [{ Type: "forward", ForwardConfig: { TargetGroups: [{ TargetGroupArn: group }] } }];
    const listener = await newListener(balancer, 80, forward);
    await assert.rejects(newListener(other, 80, forward), refused("TargetGroupAssociationLimit"));
    await assert.rejects(elb.deleteTargetGroup({ TargetGroupArn: group }), refused("ResourceInUse"));
    const [found] = (await elb.describeTargetGroups({ TargetGroupArns: [group] })).TargetGroups ?? [];
    assert.deepEqual(found?.LoadBalancerArns, [balancer]);
    await elb.deleteListener({ ListenerArn: listener });
    await newListener(other, 80, forward);
    await elb.deleteLoadBalancer({ LoadBalancerArn: other });
    await elb.deleteTargetGroup({ TargetGroupArn: group });
  });

  test("its certificates, which must have been issued", async () => {
    const acm = new ACM(await clientSettings());
    const CertificateArn = id((await acm.requestCertificate({ DomainName: "example.com", ValidationMethod: "DNS" })).CertificateArn);
    const { Subnets } = await newNetwork();
    const LoadBalancerArn = await newBalancer({ Subnets });
    const https = { LoadBalancerArn, Port: 443, Protocol: "HTTPS" as const, DefaultActions: answer404 };
    const Certificates = [{ CertificateArn }];
    await assert.rejects(elb.createListener({ ...https, Certificates }), refused("UnsupportedCertificate"));
    const missing = [{ CertificateArn: `${CertificateArn}0` }];
    await assert.rejects(elb.createListener({ ...https, Certificates: missing }), refused("CertificateNotFound"));
    await assert.rejects(elb.createListener({ ...https, SslPolicy: "x", Certificates }), refused("SSLPolicyNotFound"));
    await assert.rejects(elb.createListener(https), refused("ValidationError"));
  });
});

test("one that is protected is not deleted", async () => {
  const { Subnets } = await newNetwork();
  const LoadBalancerArn = await newBalancer({ Subnets });
  const protect = (Value: string) =>
    elb.modifyLoadBalancerAttributes({ LoadBalancerArn, Attributes: [{ Key: "deletion_protection.enabled", Value }] });
  await protect("true");
  await assert.rejects(elb.deleteLoadBalancer({ LoadBalancerArn }), refused("OperationNotPermitted", /deletion protection is enabled/));
  await protect("false");
  await elb.deleteLoadBalancer({ LoadBalancerArn });
  await elb.deleteLoadBalancer({ LoadBalancerArn });
});

test("an application load balancer has subnets in two zones, one in each", async () => {
  const { Subnets, beside } = await newNetwork();
  await assert.rejects(newBalancer({ Subnets: Subnets.slice(0, 1) }), refused("ValidationError", /two subnets/));
  await assert.rejects(
    newBalancer({ Subnets: [id(Subnets[0]), beside] }),
    refused("InvalidConfigurationRequest", /same Availability Zone/),
  );
});

test("a look that names one that is missing fails as a whole", async () => {
  const { Subnets } = await newNetwork();
  const balancer = await newBalancer({ Subnets });
  const listener = await newListener(balancer);
  const name = id(balancer.split("/")[2]);
  await assert.rejects(elb.describeLoadBalancers({ Names: [name, "nobody"] }), refused("LoadBalancerNotFound"));
  await assert.rejects(elb.describeLoadBalancers({ LoadBalancerArns: [balancer, `${balancer}0`] }), refused("LoadBalancerNotFound"));
  await assert.rejects(elb.describeListeners({ ListenerArns: [listener, `${listener}0`] }), refused("ListenerNotFound"));
  await assert.rejects(elb.describeTags({ ResourceArns: [balancer, `${balancer}0`] }), refused("LoadBalancerNotFound"));
});

test("fifty tags fit, inline and later, and the tagging API finds listeners and rules by them", async () => {
  const { Subnets } = await newNetwork();
  const Tags = Array.from({ length: 49 }, (_, index) => ({ Key: `k${index}`, Value: "v" }));
  const balancer = await newBalancer({ Subnets, Tags });
  await elb.addTags({ ResourceArns: [balancer], Tags: [{ Key: "last", Value: "v" }] });
  await assert.rejects(elb.addTags({ ResourceArns: [balancer], Tags: [{ Key: "more", Value: "v" }] }), refused("TooManyTags"));
  const listener = await newListener(balancer);
  const rule = await newRule(listener, 1);
  const Value = freshProject();
  await elb.addTags({ ResourceArns: [listener, rule], Tags: [{ Key: "find", Value }] });
  const request = { TagFilters: [{ Key: "find", Values: [Value] }], ResourceTypeFilters: ["elasticloadbalancing"] };
  const { ResourceTagMappingList = [] } = await clients.tagging.getResources(request);
  assert.deepEqual(ResourceTagMappingList.map(({ ResourceARN }) => ResourceARN).sort(), [listener, rule].sort());
});
