import assert from "node:assert/strict";
import { test } from "node:test";
import { countsOf } from "./counts.ts";
import { freshProject, sdkClients } from "./sandbox.ts";

test("counts see a stack's live objects and nobody else's", async () => {
  const clients = await sdkClients();
  const { ec2, dynamodb, logs } = clients;
  const project = freshProject();
  const stack = `${project}/test`;
  assert.deepEqual(await countsOf(clients, stack), {});

  const tags = { "beacon:stack": stack };
  const Tags = [{ Key: "beacon:stack", Value: stack }];
  const { Vpc } = await ec2.createVpc({ CidrBlock: "10.0.0.0/16", TagSpecifications: [{ ResourceType: "vpc", Tags }] });
  await ec2.createVpc({
    CidrBlock: "10.0.0.0/16",
    TagSpecifications: [{ ResourceType: "vpc", Tags: [{ Key: "beacon:stack", Value: `${stack}2` }] }],
  });
  const { Subnet } = await ec2.createSubnet({
    VpcId: Vpc?.VpcId,
    CidrBlock: "10.0.0.0/24",
    TagSpecifications: [{ ResourceType: "subnet", Tags }],
  });
  const { NatGateway } = await ec2.createNatGateway({
    SubnetId: Subnet?.SubnetId,
    ConnectivityType: "private",
    TagSpecifications: [{ ResourceType: "natgateway", Tags }],
  });
  await dynamodb.createTable({
    TableName: project,
    BillingMode: "PAY_PER_REQUEST",
    AttributeDefinitions: [{ AttributeName: "k", AttributeType: "S" }],
    KeySchema: [{ AttributeName: "k", KeyType: "HASH" }],
    Tags,
  });
  await logs.createLogGroup({ logGroupName: project, tags });
  assert.deepEqual(await countsOf(clients, stack), { VPC: 1, Subnet: 1, NatGateway: 1, Table: 1, LogGroup: 1 });

  await ec2.deleteNatGateway({ NatGatewayId: NatGateway?.NatGatewayId });
  assert.deepEqual(await countsOf(clients, stack), { VPC: 1, Subnet: 1, Table: 1, LogGroup: 1 });
});
