import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { clientSettings, freshProject, type SdkClients, sandboxEndpoint, sdkClients } from "../support/sandbox.ts";

let clients: SdkClients;
before(async () => {
  clients = await sdkClients();
});

const refused = (name: string) => ({ name, $fault: "client" as const });
const id = (value: string | undefined) => value ?? assert.fail("AWS gave no id");

async function newVpc(): Promise<string> {
  return id((await clients.ec2.createVpc({ CidrBlock: "10.0.0.0/16" })).Vpc?.VpcId);
}
async function newSubnet(VpcId: string, CidrBlock = "10.0.1.0/24"): Promise<string> {
  return id((await clients.ec2.createSubnet({ VpcId, CidrBlock })).Subnet?.SubnetId);
}
async function newAddress(): Promise<string> {
  return id((await clients.ec2.allocateAddress({ Domain: "vpc" })).AllocationId);
}
async function newInternetGateway(VpcId: string): Promise<string> {
  const InternetGatewayId = id((await clients.ec2.createInternetGateway({})).InternetGateway?.InternetGatewayId);
  await clients.ec2.attachInternetGateway({ InternetGatewayId, VpcId });
  return InternetGatewayId;
}
async function newRouteTable(VpcId: string): Promise<string> {
  return id((await clients.ec2.createRouteTable({ VpcId })).RouteTable?.RouteTableId);
}
async function newGroup(VpcId: string, GroupName: string): Promise<string> {
  return id((await clients.ec2.createSecurityGroup({ VpcId, GroupName, Description: "x" })).GroupId);
}

describe("what the sandbox lacks is said as AWS says it", () => {
  async function isNotImplemented(answer: Promise<unknown>): Promise<void> {
    await assert.rejects(answer, (error: Error & { $metadata?: { httpStatusCode?: number } }) => {
      assert.equal(`${error.name} ${error.$metadata?.httpStatusCode}`, "NotImplemented 501");
      return true;
    });
  }
  test("in EC2's XML", () => isNotImplemented(clients.ec2.describeIpams({})));
  test("in JSON", () => isNotImplemented(clients.dynamodb.listGlobalTables({})));
  test("in the query protocol's XML", async () => {
    const { STS } = await import("@aws-sdk/client-sts");
    await isNotImplemented(new STS(await clientSettings()).decodeAuthorizationMessage({ EncodedMessage: "x" }));
  });
  test("in CBOR", async () => {
    const headers = {
      authorization: "AWS4-HMAC-SHA256 Credential=x/20261123/eu-west-1/monitoring/aws4_request",
      "smithy-protocol": "rpc-v2-cbor",
    };
    const url = `${await sandboxEndpoint()}/service/GraniteServiceVersion20100801/operation/NoSuchThing`;
    const answer = await fetch(url, { method: "POST", headers, body: Buffer.from([0xa0]) });
    assert.deepEqual([answer.status, answer.headers.get("content-type")], [501, "application/cbor"]);
    assert.match(await answer.text(), /__type.*NotImplemented/s);
  });
});

describe("client tokens", () => {
  test("the same token gives the first NAT gateway again, and is refused with other parameters", async () => {
    const SubnetId = await newSubnet(await newVpc());
    const request = { SubnetId, ConnectivityType: "private" as const, ClientToken: freshProject() };
    const first = await clients.ec2.createNatGateway(request);
    const again = await clients.ec2.createNatGateway(request);
    assert.equal(again.NatGateway?.NatGatewayId, first.NatGateway?.NatGatewayId);
    const other = { ...request, PrivateIpAddress: "10.0.1.9" };
    await assert.rejects(clients.ec2.createNatGateway(other), refused("IdempotentParameterMismatch"));
    const { NatGateways } = await clients.ec2.describeNatGateways({ Filter: [{ Name: "subnet-id", Values: [SubnetId] }] });
    assert.equal(NatGateways?.length, 1);
  });

  test("route tables and launch templates likewise; a token of one is none of the other's", async () => {
    const VpcId = await newVpc();
    const ClientToken = freshProject();
    const [first, again] = [
      await clients.ec2.createRouteTable({ VpcId, ClientToken }),
      await clients.ec2.createRouteTable({ VpcId, ClientToken }),
    ];
    assert.equal(again.RouteTable?.RouteTableId, first.RouteTable?.RouteTableId);
    const template = { LaunchTemplateName: ClientToken, LaunchTemplateData: { InstanceType: "t3.micro" as const }, ClientToken };
    const made = await clients.ec2.createLaunchTemplate(template);
    assert.equal(
      (await clients.ec2.createLaunchTemplate(template)).LaunchTemplate?.LaunchTemplateId,
      made.LaunchTemplate?.LaunchTemplateId,
    );
  });

  test("a refused call does not use its token up", async () => {
    const ClientToken = freshProject();
    await assert.rejects(clients.ec2.createRouteTable({ VpcId: "vpc-00000000", ClientToken }), refused("InvalidVpcID.NotFound"));
    assert.ok((await clients.ec2.createRouteTable({ VpcId: await newVpc(), ClientToken })).RouteTable);
  });
});

describe("DynamoDB", () => {
  const keyed = {
    AttributeDefinitions: [{ AttributeName: "k", AttributeType: "S" as const }],
    KeySchema: [{ AttributeName: "k", KeyType: "HASH" as const }],
  };
  const newTable = async () => {
    const TableName = freshProject();
    await clients.dynamodb.createTable({ TableName, BillingMode: "PAY_PER_REQUEST", ...keyed });
    return TableName;
  };

  test("of 32 conditional puts at once, one wins", async () => {
    const TableName = await newTable();
    const put = (writer: number) =>
      clients.dynamodb.putItem({
        TableName,
        Item: { k: { S: "x" }, writer: { N: String(writer) } },
        ConditionExpression: "attribute_not_exists(k)",
      });
    const outcomes = await Promise.allSettled(Array.from({ length: 32 }, (_, writer) => put(writer)));
    const losers = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [String(outcome.reason.name)] : []));
    assert.deepEqual(losers, Array(31).fill("ConditionalCheckFailedException"));
  });

  test("a transaction with one refused item changes nothing", async () => {
    const TableName = await newTable();
    const put = (key: string, value: string, ConditionExpression?: string) => ({
      Put: { TableName, Item: { k: { S: key }, value: { S: value } }, ConditionExpression },
    });
    await clients.dynamodb.putItem({ TableName, Item: { k: { S: "kept" }, value: { S: "before" } } });
    const TransactItems = [put("kept", "after"), put("new", "after"), put("other", "after", "attribute_exists(k)")];
    await assert.rejects(clients.dynamodb.transactWriteItems({ TransactItems }), { name: "TransactionCanceledException" });
    const { Items } = await clients.dynamodb.scan({ TableName, ConsistentRead: true });
    assert.deepEqual(Items, [{ k: { S: "kept" }, value: { S: "before" } }]);
  });

  test("a transaction sent again with its token succeeds without a second effect", async () => {
    const TableName = await newTable();
    const Put = { TableName, Item: { k: { S: "x" } }, ConditionExpression: "attribute_not_exists(k)" };
    const transaction = { TransactItems: [{ Put }], ClientRequestToken: freshProject() };
    await clients.dynamodb.transactWriteItems(transaction);
    await clients.dynamodb.transactWriteItems(transaction);
    const another = { ...transaction, ClientRequestToken: freshProject() };
    await assert.rejects(clients.dynamodb.transactWriteItems(another), refused("TransactionCanceledException"));
    const changed = { ...transaction, TransactItems: [{ Put: { ...Put, Item: { k: { S: "y" } } } }] };
    await assert.rejects(clients.dynamodb.transactWriteItems(changed), refused("IdempotentParameterMismatchException"));
  });
});

describe("EC2 protects what is in use", () => {
  test("a second subnet of the same CIDR collides", async () => {
    const VpcId = await newVpc();
    await newSubnet(VpcId);
    await assert.rejects(newSubnet(VpcId), refused("InvalidSubnet.Conflict"));
    await newSubnet(await newVpc());
  });

  test("a NAT gateway holds its subnet, its address and the internet gateway, until it is deleted", async () => {
    const { ec2 } = clients;
    const VpcId = await newVpc();
    const InternetGatewayId = await newInternetGateway(VpcId);
    const [SubnetId, AllocationId] = [await newSubnet(VpcId), await newAddress()];
    const NatGatewayId = id((await ec2.createNatGateway({ SubnetId, AllocationId })).NatGateway?.NatGatewayId);
    await assert.rejects(ec2.deleteSubnet({ SubnetId }), refused("DependencyViolation"));
    await assert.rejects(ec2.releaseAddress({ AllocationId }), refused("InvalidIPAddress.InUse"));
    await assert.rejects(ec2.detachInternetGateway({ InternetGatewayId, VpcId }), refused("DependencyViolation"));
    await assert.rejects(ec2.createNatGateway({ SubnetId, AllocationId }), refused("Resource.AlreadyAssociated"));
    await ec2.deleteNatGateway({ NatGatewayId });
    await ec2.deleteSubnet({ SubnetId });
    await ec2.releaseAddress({ AllocationId });
    await ec2.detachInternetGateway({ InternetGatewayId, VpcId });
  });

  test("a public NAT gateway fails where there is no way out, and lets its address go", async () => {
    const { ec2 } = clients;
    const [SubnetId, AllocationId] = [await newSubnet(await newVpc()), await newAddress()];
    const { NatGateway } = await ec2.createNatGateway({ SubnetId, AllocationId });
    assert.deepEqual([NatGateway?.State, NatGateway?.FailureCode], ["failed", "Gateway.NotAttached"]);
    await ec2.releaseAddress({ AllocationId });
  });

  test("an unknown NAT gateway is not found", async () => {
    const unknown = "nat-00000000000000000";
    await assert.rejects(clients.ec2.deleteNatGateway({ NatGatewayId: unknown }), refused("NatGatewayNotFound"));
    await assert.rejects(clients.ec2.describeNatGateways({ NatGatewayIds: [unknown] }), refused("NatGatewayNotFound"));
  });

  test("a security group in another's rules stays", async () => {
    const VpcId = await newVpc();
    const [GroupId, user] = [await newGroup(VpcId, "used"), await newGroup(VpcId, "user")];
    const IpPermissions = [{ IpProtocol: "tcp", FromPort: 1, ToPort: 1, UserIdGroupPairs: [{ GroupId }] }];
    await clients.ec2.authorizeSecurityGroupIngress({ GroupId: user, IpPermissions });
    await assert.rejects(clients.ec2.deleteSecurityGroup({ GroupId }), refused("DependencyViolation"));
    await clients.ec2.revokeSecurityGroupIngress({ GroupId: user, IpPermissions });
    await clients.ec2.deleteSecurityGroup({ GroupId });
  });

  test("a security group on a network interface stays", async () => {
    const VpcId = await newVpc();
    const [GroupId, SubnetId] = [await newGroup(VpcId, "used"), await newSubnet(VpcId)];
    const { NetworkInterface } = await clients.ec2.createNetworkInterface({ SubnetId, Groups: [GroupId] });
    await assert.rejects(clients.ec2.deleteSecurityGroup({ GroupId }), refused("DependencyViolation"));
    await clients.ec2.deleteNetworkInterface({ NetworkInterfaceId: NetworkInterface?.NetworkInterfaceId });
    await clients.ec2.deleteSecurityGroup({ GroupId });
  });

  test("a VPC's own group goes with it and not before, also where the VPC was kept at first", async () => {
    const VpcId = await newVpc();
    const SubnetId = await newSubnet(VpcId);
    await assert.rejects(clients.ec2.deleteVpc({ VpcId }), refused("DependencyViolation"));
    await clients.ec2.deleteSubnet({ SubnetId });
    const { SecurityGroups } = await clients.ec2.describeSecurityGroups({ Filters: [{ Name: "vpc-id", Values: [VpcId] }] });
    const GroupId = SecurityGroups?.[0]?.GroupId;
    await assert.rejects(clients.ec2.deleteSecurityGroup({ GroupId }), refused("CannotDelete"));
    await clients.ec2.deleteVpc({ VpcId });
  });

  const children: { child: string; make: (VpcId: string) => Promise<unknown> }[] = [
    { child: "a subnet", make: (VpcId) => newSubnet(VpcId) },
    { child: "an attached internet gateway", make: newInternetGateway },
    { child: "a route table", make: newRouteTable },
    { child: "a security group", make: (VpcId) => newGroup(VpcId, "x") },
  ];
  for (const { child, make } of children) {
    test(`a VPC with ${child} stays`, async () => {
      const VpcId = await newVpc();
      await make(VpcId);
      await assert.rejects(clients.ec2.deleteVpc({ VpcId }), refused("DependencyViolation"));
    });
  }

  test("a VPC has one internet gateway at most", async () => {
    const VpcId = await newVpc();
    await newInternetGateway(VpcId);
    await assert.rejects(newInternetGateway(VpcId), refused("InvalidParameterValue"));
  });

  test("a subnet has one route table at most, and its association goes with it", async () => {
    const { ec2 } = clients;
    const VpcId = await newVpc();
    const [SubnetId, first, second] = [await newSubnet(VpcId), await newRouteTable(VpcId), await newRouteTable(VpcId)];
    await ec2.associateRouteTable({ SubnetId, RouteTableId: first });
    await assert.rejects(ec2.associateRouteTable({ SubnetId, RouteTableId: second }), refused("Resource.AlreadyAssociated"));
    await assert.rejects(ec2.deleteRouteTable({ RouteTableId: first }), refused("DependencyViolation"));
    await ec2.deleteSubnet({ SubnetId });
    await ec2.deleteRouteTable({ RouteTableId: first });
  });
});

test("a dry run does nothing", async () => {
  const name = freshProject();
  const TagSpecifications = [{ ResourceType: "vpc" as const, Tags: [{ Key: "Name", Value: name }] }];
  await assert.rejects(clients.ec2.createVpc({ CidrBlock: "10.0.0.0/16", TagSpecifications, DryRun: true }), refused("DryRunOperation"));
  assert.deepEqual((await clients.ec2.describeVpcs({ Filters: [{ Name: "tag:Name", Values: [name] }] })).Vpcs, []);
});

async function sqs(operation: string, params: object, signal?: AbortSignal): Promise<Record<string, unknown>> {
  const authorization = "AWS4-HMAC-SHA256 Credential=x/20261123/eu-west-1/sqs/aws4_request, SignedHeaders=host, Signature=0";
  const headers = { "content-type": "application/x-amz-json-1.0", "x-amz-target": `AmazonSQS.${operation}`, authorization };
  const request = { method: "POST", headers, body: JSON.stringify(params), ...(signal ? { signal } : {}) };
  return (await (await fetch(await sandboxEndpoint(), request)).json()) as Record<string, unknown>;
}

test("a long poll keeps nobody waiting", async () => {
  const { QueueUrl } = await sqs("CreateQueue", { QueueName: freshProject() });
  const polled = sqs("ReceiveMessage", { QueueUrl, WaitTimeSeconds: 20 });
  await sqs("SendMessage", { QueueUrl, MessageBody: "hello" });
  const messages = (await polled).Messages as { Body: string }[];
  assert.deepEqual(
    messages.map(({ Body }) => Body),
    ["hello"],
  );
});

test("who hangs up in a long poll takes no message along", async () => {
  const { QueueUrl } = await sqs("CreateQueue", { QueueName: freshProject() });
  const hangUp = new AbortController();
  const polled = sqs("ReceiveMessage", { QueueUrl, WaitTimeSeconds: 20 }, hangUp.signal);
  // Long enough for the poll to be under way, whose first look is at once; then for the server to see that nobody waits any more.
  await pause(300);
  hangUp.abort();
  await assert.rejects(polled, { name: "AbortError" });
  await pause(300);
  await sqs("SendMessage", { QueueUrl, MessageBody: "hello" });
  await pause(300);
  const messages = (await sqs("ReceiveMessage", { QueueUrl })).Messages as { Body: string }[] | undefined;
  assert.deepEqual(
    messages?.map(({ Body }) => Body),
    ["hello"],
  );
});

test("it says who it is to anybody, and to AWS clients what AWS says", async () => {
  const answer = await fetch(`${await sandboxEndpoint()}/`);
  assert.deepEqual(Object.keys((await answer.json()) as object), ["ready", "id", "port", "pid", "startedAt"]);
});
