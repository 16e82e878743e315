import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { type FaultProxy, startFaultProxy } from "./fault-proxy.ts";
import { error500After, error500Before, type Fault, natGatewaysPending, type Rule, tablesCreating } from "./fault-rules.ts";
import { freshProject, type SdkClients, sandboxEndpoint, sdkClients } from "./sandbox.ts";

let proxy: FaultProxy;
let faulty: SdkClients;
let direct: SdkClients;

before(async () => {
  proxy = await startFaultProxy({ upstream: await sandboxEndpoint() });
  faulty = await sdkClients(proxy.endpoint);
  direct = await sdkClients();
});
after(() => proxy.close());

const createVpcs: Rule["match"] = { operations: ["ec2:CreateVpc"] };
const tagged = (name: string) => ({ ResourceType: "vpc" as const, Tags: [{ Key: "Name", Value: name }] });
const createVpc = (name: string) => faulty.ec2.createVpc({ CidrBlock: "10.0.0.0/16", TagSpecifications: [tagged(name)] });
const namedVpcs = async (name: string) => {
  const { Vpcs } = await direct.ec2.describeVpcs({ Filters: [{ Name: "tag:Name", Values: [name] }] });
  return Vpcs?.length;
};

describe("a call under a fault", () => {
  const rows: { why: string; fault: Fault; error: RegExp; executed: number }[] = [
    { why: "the answer is lost after the effect", fault: { type: "lostResponse" }, error: /ECONNRESET|socket hang up/, executed: 1 },
    { why: "nothing arrives at AWS", fault: { type: "lostRequest" }, error: /ECONNRESET|socket hang up/, executed: 0 },
    { why: "a 500 may hide an effect", fault: error500After, error: /InternalError/, executed: 1 },
    { why: "or hide none", fault: error500Before, error: /InternalError/, executed: 0 },
    { why: "throttled calls are not executed", fault: { type: "throttle" }, error: /RequestLimitExceeded/, executed: 0 },
    {
      why: "any error of AWS can be said",
      fault: { type: "error", when: "before", status: 400, code: "VpcLimitExceeded" },
      error: /VpcLimitExceeded/,
      executed: 0,
    },
  ];
  for (const { why, fault, error, executed } of rows) {
    test(`${fault.type}: ${why}`, async () => {
      const name = freshProject();
      proxy.inject({ match: { ...createVpcs, contains: name }, fault });
      await assert.rejects(createVpc(name), (thrown: Error) => error.test(`${thrown.name} ${thrown.message}`));
      assert.equal(await namedVpcs(name), executed);
      await createVpc(name); // The rule is used up.
      assert.equal(await namedVpcs(name), executed + 1);
    });
  }

  test("an answer of the proxy's own is taken for AWS's, and nothing is executed", async () => {
    const name = freshProject();
    const body = "<CreateVpcResponse><vpc><vpcId>vpc-made-up</vpcId></vpc></CreateVpcResponse>";
    proxy.inject({ match: { ...createVpcs, contains: name }, fault: { type: "answer", body } });
    assert.equal((await createVpc(name)).Vpc?.VpcId, "vpc-made-up");
    assert.equal(await namedVpcs(name), 0);
  });

  test("delay is spent before the answer", async () => {
    const name = freshProject();
    proxy.inject({ match: { contains: name }, fault: { type: "delay", when: "before", ms: 40 } });
    const from = performance.now();
    await createVpc(name);
    assert.ok(performance.now() - from >= 39);
  });

  for (const when of ["before", "after"] as const) {
    test(`hold ${when} execution lasts until it is released`, async () => {
      const name = freshProject();
      const held = proxy.inject({ match: { contains: name }, fault: { type: "hold", when } });
      const answer = createVpc(name);
      assert.equal((await held.struck).name, "ec2:CreateVpc");
      if (when === "before") assert.equal(await namedVpcs(name), 0);
      else while ((await namedVpcs(name)) !== 1);
      held.release();
      assert.ok((await answer).Vpc?.VpcId);
    });
  }

  for (const [when, executed] of [
    ["before", 0],
    ["after", 1],
  ] as const) {
    test(`SIGKILL ${when} execution leaves ${executed} objects`, async () => {
      const name = freshProject();
      const victim = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"]);
      await once(victim, "spawn");
      proxy.inject({ match: { contains: name }, fault: { type: "signal", when, signal: "SIGKILL", pid: victim.pid ?? 0 } });
      const gone = once(victim, "exit");
      await createVpc(name).catch(() => {});
      assert.deepEqual(await gone, [null, "SIGKILL"]);
      assert.equal(await namedVpcs(name), executed);
    });
  }
});

describe("a rule", () => {
  test("befalls the nth matching call and as many after it as it says", async () => {
    const name = freshProject();
    proxy.inject({ match: { contains: name, mutating: true }, nth: 2, times: 2, fault: { type: "throttle" } });
    const outcomes: boolean[] = [];
    for (let call = 0; call < 4; call++)
      outcomes.push(
        await createVpc(name).then(
          () => true,
          () => false,
        ),
      );
    assert.deepEqual(outcomes, [true, false, false, true]);
  });

  test("takes patterns of names, and exceptions from them", async () => {
    const name = freshProject();
    const rule = proxy.inject({ match: { operations: ["ec2:*"], except: ["ec2:Create*"], contains: name }, fault: { type: "throttle" } });
    await createVpc(name);
    assert.equal(rule.seen, 0);
    await assert.rejects(faulty.ec2.describeVpcs({ Filters: [{ Name: "tag:Name", Values: [name] }] }), { name: "RequestLimitExceeded" });
  });
});

test("calls are recorded with service, operation and whether they change anything", async () => {
  await using own = await startFaultProxy({ upstream: await sandboxEndpoint() });
  const { ec2, dynamodb, logs, tagging } = await sdkClients(own.endpoint);
  await ec2.describeVpcs({});
  await dynamodb.listTables({});
  await logs.createLogGroup({ logGroupName: freshProject() });
  await tagging.getResources({});
  const seen = own.calls.map(({ number, name, mutating, status }) => ({ number, name, mutating, status }));
  assert.deepEqual(seen, [
    { number: 1, name: "ec2:DescribeVpcs", mutating: false, status: 200 },
    { number: 2, name: "dynamodb:ListTables", mutating: false, status: 200 },
    { number: 3, name: "logs:CreateLogGroup", mutating: true, status: 200 },
    { number: 4, name: "tag:GetResources", mutating: false, status: 200 },
  ]);
  assert.deepEqual(
    own.mutatingCalls.map(({ name }) => name),
    ["logs:CreateLogGroup"],
  );
});

test("many calls at once each get their own answer", async () => {
  const names = Array.from({ length: 24 }, () => freshProject());
  const made = await Promise.all(names.map(createVpc));
  assert.deepEqual(
    made.map(({ Vpc }) => Vpc?.Tags?.[0]?.Value),
    names,
  );
});

describe("states that are reached late", () => {
  test("a NAT gateway is pending for so many reads", async () => {
    await using own = await startFaultProxy({ upstream: await sandboxEndpoint() });
    own.inject(natGatewaysPending({ reads: 2 }));
    const { ec2 } = await sdkClients(own.endpoint);
    const { Vpc } = await ec2.createVpc({ CidrBlock: "10.0.0.0/16" });
    const { Subnet } = await ec2.createSubnet({ VpcId: Vpc?.VpcId, CidrBlock: "10.0.0.0/24" });
    const { NatGateway } = await ec2.createNatGateway({ SubnetId: Subnet?.SubnetId, ConnectivityType: "private" });
    const states = [NatGateway?.State];
    for (let read = 0; read < 3; read++) {
      const { NatGateways } = await ec2.describeNatGateways({ NatGatewayIds: [NatGateway?.NatGatewayId ?? ""] });
      states.push(NatGateways?.[0]?.State);
    }
    assert.deepEqual(states, ["pending", "pending", "pending", "available"]);
  });

  test("a table is CREATING for so long", async () => {
    await using own = await startFaultProxy({ upstream: await sandboxEndpoint() });
    own.inject(tablesCreating({ ms: 50 }));
    const { dynamodb } = await sdkClients(own.endpoint);
    const TableName = freshProject();
    const { TableDescription } = await dynamodb.createTable({
      TableName,
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: [{ AttributeName: "k", AttributeType: "S" }],
      KeySchema: [{ AttributeName: "k", KeyType: "HASH" }],
    });
    assert.equal(TableDescription?.TableStatus, "CREATING");
    while ((await dynamodb.describeTable({ TableName })).Table?.TableStatus === "CREATING");
    assert.equal((await dynamodb.describeTable({ TableName })).Table?.TableStatus, "ACTIVE");
  });
});

test("a new object is not seen at first, and an older one always is", async () => {
  await using own = await startFaultProxy({ upstream: await sandboxEndpoint() });
  const { ec2 } = await sdkClients(own.endpoint);
  const name = freshProject();
  const old = (await createVpc(name)).Vpc?.VpcId;
  own.inject({ match: { operations: ["ec2:*"] }, times: "always", fault: { type: "hideNew", ms: 60_000 } });
  const fresh = (await ec2.createVpc({ CidrBlock: "10.0.0.0/16", TagSpecifications: [tagged(name)] })).Vpc?.VpcId ?? "";
  const seen = async () => (await ec2.describeVpcs({ Filters: [{ Name: "tag:Name", Values: [name] }] })).Vpcs?.map(({ VpcId }) => VpcId);
  assert.deepEqual(await seen(), [old]);
  await assert.rejects(ec2.describeVpcs({ VpcIds: [fresh] }), { name: "InvalidVpcID.NotFound" });
  own.clearRules();
  assert.deepEqual(await seen(), [old, fresh]);
});

test("another process can be given the rules over HTTP", async () => {
  const program = fileURLToPath(new URL("fault-proxy.ts", import.meta.url));
  const child = spawn(process.execPath, [program, "--upstream", await sandboxEndpoint()], { stdio: ["pipe", "pipe", "inherit"] });
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  const { endpoint } = JSON.parse(line.toString()) as { endpoint: string };
  const ask = async (method: string, path: string, body?: unknown) => {
    const answer = await fetch(`${endpoint}/__proxy/${path}`, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
    return (await answer.json()) as unknown;
  };
  const { ec2 } = await sdkClients(endpoint);
  assert.deepEqual(await ask("POST", "rules", { match: createVpcs, fault: { type: "throttle" } }), { id: 1 });
  await assert.rejects(ec2.createVpc({ CidrBlock: "10.0.0.0/16" }), { name: "RequestLimitExceeded" });
  assert.deepEqual(await ask("GET", "rules"), [{ id: 1, seen: 1, fired: 1 }]);
  await ask("DELETE", "rules");
  assert.ok((await ec2.createVpc({ CidrBlock: "10.0.0.0/16" })).Vpc);
  const calls = (await ask("GET", "calls")) as { name: string; fault?: string }[];
  assert.deepEqual(
    calls.map(({ name, fault }) => [name, fault]),
    [
      ["ec2:CreateVpc", "throttle"],
      ["ec2:CreateVpc", undefined],
    ],
  );
  const gone = once(child, "exit");
  child.stdin.end();
  assert.deepEqual(await gone, [0, null]);
});
