import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { AwsError } from "../../src/aws/errors.ts";
import { type AwsSession, type ConnectOptions, connect } from "../../src/aws/handle.ts";
import { requireAccount, whoAmI } from "../../src/aws/identity.ts";
import { service } from "../../src/aws/service.ts";
import { BeaconError } from "../../src/core/errors.ts";
import type { Lease } from "../../src/core/store.ts";
import { type AwsServer, ec2Error, startAwsServer } from "../support/aws-server.ts";

const ec2 = service("ec2", "EC2Client", () => import("@aws-sdk/client-ec2"));
const NO_VPCS = { body: "<DescribeVpcsResponse><vpcSet/></DescribeVpcsResponse>" };
const CREATED = { body: "<CreateVpcResponse><vpc><vpcId>vpc-1</vpcId></vpc></CreateVpcResponse>" };

let server: AwsServer;
let session: AwsSession;
const pauses: number[] = [];

function open(more: Partial<ConnectOptions> = {}): AwsSession {
  return connect({
    region: "ap-northeast-2",
    endpoint: server.endpoint,
    sandbox: true,
    readOperations: new Set(["ec2:DescribeVpcs"]),
    operations: new Set(["ec2:DescribeVpcs", "ec2:CreateVpc"]),
    version: "1.2.3",
    runtime: { now: () => 0, monotonic: () => 0, uid: () => String(pauses.length), sleep: async (ms) => void pauses.push(ms) },
    ...more,
  });
}

function lease(more: Partial<Lease> = {}): Lease {
  return { holder: "me", epoch: 1, assertHeld: () => {}, signal: new AbortController().signal, ...more } as Lease;
}

const code = (expected: string) => (error: unknown) => error instanceof BeaconError && error.code === expected;
const verdict = (name: string, expected: string) => (error: unknown) =>
  error instanceof AwsError && error.name === name && error.verdict === expected;

before(async () => {
  server = await startAwsServer();
});
after(() => server.close());
beforeEach(() => {
  pauses.length = 0;
  (server.requests as unknown[]).length = 0;
  session = open();
});

describe("handles", { concurrency: 1 }, () => {
  test("a reader throws on any operation outside the declared reads, and sends nothing", async () => {
    await assert.rejects(session.reader.read(ec2, "DescribeSubnets", {}), code("WriteForbidden"));
    // What a kind could do by casting its reader.
    const cast = session.reader as ReturnType<AwsSession["writer"]>;
    await assert.rejects(cast.write(ec2, "CreateVpc", {}), code("WriteForbidden"));
    assert.equal(server.requests.length, 0);
    assert.deepEqual(session.calls(), []);
  });

  test("a service that is in one region is asked there, beside itself in the session's", async () => {
    const elsewhere = service("ec2", "EC2Client", () => import("@aws-sdk/client-ec2"), { region: "us-east-1" });
    server.answer(NO_VPCS);
    for (const one of [ec2, elsewhere, ec2]) await session.reader.read(one, "DescribeVpcs", {});
    assert.deepEqual(
      server.requests.map(({ region }) => region),
      ["ap-northeast-2", "us-east-1", "ap-northeast-2"],
    );
  });

  test("a writer throws on an undeclared operation", async () => {
    await assert.rejects(session.writer(lease()).write(ec2, "DeleteVpc", { VpcId: "vpc-1" }), code("OperationUndeclared"));
    assert.equal(server.requests.length, 0);
  });

  test("a lost lease stops a mutating call after everything else is done, and reads go on", async () => {
    const lost = lease({
      assertHeld: () => {
        throw new BeaconError("LeaseLost", "gone");
      },
    });
    server.answer(NO_VPCS);
    await assert.rejects(session.writer(lost).write(ec2, "CreateVpc", {}), code("LeaseLost"));
    assert.equal(server.requests.length, 0);
    assert.deepEqual(session.calls(), []);
    await session.writer(lost).read(ec2, "DescribeVpcs", {});
    assert.equal(server.requests.length, 1);
  });

  test("the lease is asserted after signing, once per send", async () => {
    const steps: string[] = [];
    const signing = async () => {
      steps.push("keys");
      return { accessKeyId: "a", secretAccessKey: "s", expiration: new Date(0) };
    };
    const slow = service("ec2", "EC2Client", async () => {
      const module = await import("@aws-sdk/client-ec2");
      const EC2Client = function client(config: object) {
        return new module.EC2Client({ ...config, credentials: signing });
      } as unknown as typeof module.EC2Client;
      return { ...module, EC2Client };
    });
    server.answer(ec2Error(503, "RequestLimitExceeded"), CREATED);
    await session.writer(lease({ assertHeld: () => void steps.push("held") })).write(slow, "CreateVpc", {});
    assert.deepEqual(
      steps.filter((step, index) => step !== steps[index - 1]),
      ["keys", "held", "keys", "held"],
    );
  });

  test("a call that was past its check sends nothing when its connection stands only after the lease is lost", async () => {
    let checks = 0;
    const assertHeld = () => {
      checks += 1;
      if (checks > 1) throw new BeaconError("LeaseLost", "gone");
    };
    const creating = session.writer(lease({ assertHeld })).write(ec2, "CreateVpc", {});
    await assert.rejects(creating, { code: "LeaseLost" });
    assert.deepEqual([checks, server.requests], [2, []]);
  });

  test("a lease that ends while a call is in flight ends the call, and its outcome is ambiguous", async () => {
    const control = new AbortController();
    server.answer("hang");
    const creating = session.writer(lease({ signal: control.signal })).write(ec2, "CreateVpc", {});
    await server.received(1);
    control.abort(new BeaconError("LeaseLost", "gone"));
    await assert.rejects(creating, verdict("AbortError", "ambiguous"));
  });

  test("a throttled write that waits is not sent again once the run is to stop, and one that is asked for then not at all", async () => {
    server.answer(ec2Error(503, "RequestLimitExceeded"), CREATED);
    const stop = new AbortController();
    const sleep = async (_ms: number, signal?: AbortSignal) => {
      stop.abort(new Error("something else came up"));
      signal?.throwIfAborted();
    };
    session = open({ runtime: { now: () => 0, monotonic: () => 0, uid: () => "0", sleep } });
    const writer = session.writer(lease(), stop.signal);
    await assert.rejects(writer.write(ec2, "CreateVpc", {}), code("Interrupted"));
    await assert.rejects(writer.write(ec2, "CreateVpc", {}), code("Interrupted"));
    assert.equal(server.requests.length, 1);
  });

  test("an ambiguous write is not sent again; a throttled one is", async () => {
    const writer = session.writer(lease());
    server.answer(ec2Error(500, "InternalError"), CREATED);
    await assert.rejects(writer.write(ec2, "CreateVpc", {}), verdict("InternalError", "ambiguous"));
    assert.equal(server.requests.length, 1);
    server.answer(ec2Error(503, "RequestLimitExceeded"), ec2Error(503, "RequestLimitExceeded"), CREATED);
    assert.equal((await writer.write(ec2, "CreateVpc", {})).Vpc?.VpcId, "vpc-1");
    assert.equal(server.requests.length, 4);
    assert.deepEqual(session.calls(), [{ operation: "ec2:CreateVpc", mutating: true, calls: 4, retries: 2, throttles: 2, failures: 1 }]);
  });

  test("a read is tried three times, a refused one once", async () => {
    server.answer(ec2Error(500, "InternalError"));
    await assert.rejects(session.reader.read(ec2, "DescribeVpcs", {}), verdict("InternalError", "ambiguous"));
    assert.equal(server.requests.length, 3);
    server.answer(ec2Error(403, "UnauthorizedOperation"));
    await assert.rejects(session.reader.read(ec2, "DescribeVpcs", {}), verdict("UnauthorizedOperation", "refused"));
    assert.equal(server.requests.length, 4);
  });

  test("pages are joined", async () => {
    const page = (id: string, token: string) => ({
      body: `<DescribeVpcsResponse><vpcSet><item><vpcId>${id}</vpcId></item></vpcSet>${token}</DescribeVpcsResponse>`,
    });
    server.answer(page("vpc-1", "<nextToken>two</nextToken>"), page("vpc-2", ""));
    const vpcs = await session.reader.pages(ec2, "DescribeVpcs", { MaxResults: 1000 }, "Vpcs");
    assert.deepEqual(
      vpcs.map(({ VpcId }) => VpcId),
      ["vpc-1", "vpc-2"],
    );
    assert.match(server.requests[1]?.body ?? "", /MaxResults=1000.*NextToken=two|NextToken=two.*MaxResults=1000/);
  });

  test("the user agent names the version", async () => {
    server.answer(NO_VPCS);
    await session.reader.read(ec2, "DescribeVpcs", {});
    assert.match(server.requests[0]?.userAgent ?? "", /beaconctl\/1\.2\.3/);
  });

  test("a bug before the send is refused, not ambiguous", async () => {
    const broken = service("ec2", "EC2Client", () => Promise.reject(new TypeError("cannot load")));
    await assert.rejects(session.writer(lease()).write(broken, "CreateVpc" as never, {} as never), verdict("TypeError", "refused"));
    await session.close();
  });

  test("STS says who calls", async () => {
    const me =
      "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>123456789012</Account><Arn>arn:x</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>";
    server.answer({ body: me });
    assert.deepEqual(await whoAmI(session), { accountId: "123456789012", arn: "arn:x" });
  });

  test("an endpoint that nobody serves is unreachable", async () => {
    const nowhere = open({ endpoint: "http://127.0.0.1:1" });
    await assert.rejects(whoAmI(nowhere), code("Unreachable"));
  });
});

test("without a region, connect says where to set one", () => {
  const { AWS_REGION, AWS_DEFAULT_REGION } = process.env;
  delete process.env.AWS_REGION;
  delete process.env.AWS_DEFAULT_REGION;
  try {
    assert.throws(() => connect({ readOperations: new Set(), operations: new Set() }), code("RegionMissing"));
  } finally {
    if (AWS_REGION) process.env.AWS_REGION = AWS_REGION;
    if (AWS_DEFAULT_REGION) process.env.AWS_DEFAULT_REGION = AWS_DEFAULT_REGION;
  }
});

test("the account is compared with the environment's, except on the sandbox", () => {
  const way = { accountId: "123456789012", caller: "arn:x", sandbox: false };
  assert.throws(() => requireAccount(way, "111122223333"), code("AccountMismatch"));
  requireAccount(way, "123456789012");
  requireAccount(way, undefined);
  requireAccount({ ...way, sandbox: true }, "111122223333");
});
