import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { clientSettings, sdkClients, startOwn } from "./sandbox.ts";
import { beyond, comparable, countsIn, type World, worldOf } from "./world.ts";

describe("the world", () => {
  let settings: Awaited<ReturnType<typeof clientSettings>>;
  before(async () => {
    settings = await clientSettings((await startOwn()).endpoint);
  });

  // Two runs that do the same, each with ids of its own.
  async function build(cidr = "10.0.0.0/24"): Promise<World> {
    await fetch(`${settings.endpoint}/moto-api/reset`, { method: "POST" });
    const empty = await worldOf(settings);
    const { ec2, dynamodb, logs } = await sdkClients(settings.endpoint);
    const tags = (resource: string) => [{ Key: "beacon:resource", Value: resource }];
    const { Vpc } = await ec2.createVpc({
      CidrBlock: "10.0.0.0/16",
      TagSpecifications: [{ ResourceType: "vpc", Tags: tags("VPC/main") }],
    });
    const Subnet = await ec2.createSubnet({
      VpcId: Vpc?.VpcId,
      CidrBlock: cidr,
      AvailabilityZone: `${settings.region}a`,
      TagSpecifications: [{ ResourceType: "subnet", Tags: tags("Subnet/main") }],
    });
    const SubnetId = Subnet.Subnet?.SubnetId;
    await ec2.createNatGateway({ SubnetId, ConnectivityType: "private" });
    await dynamodb.createTable({
      TableName: "orders",
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: [{ AttributeName: "k", AttributeType: "S" }],
      KeySchema: [{ AttributeName: "k", KeyType: "HASH" }],
    });
    await logs.createLogGroup({ logGroupName: "orders" });
    return beyond(await worldOf(settings), empty);
  }

  test("holds what was added to it, and not what AWS has by itself", async () => {
    // A VPC brings its route table and its security group.
    const expected = { VPC: 1, Subnet: 1, NatGateway: 1, RouteTable: 1, SecurityGroup: 1, Table: 1, LogGroup: 1 };
    assert.deepEqual(countsIn(await build()), expected);
  });

  test("is the same after two runs that do the same, and another after one that does not", async () => {
    const worlds = [await build(), await build(), await build("10.0.1.0/24")];
    const [first, second, other] = worlds.map(comparable);
    assert.deepEqual(first, second);
    assert.notDeepEqual(first, other);
  });
});
