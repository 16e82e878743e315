import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, test } from "node:test";
import { classify, explainAwsError } from "../../src/aws/classify.ts";
import { AwsError, isNamed, type Verdict } from "../../src/aws/errors.ts";

type Answer = { readonly status: number; readonly type?: string; readonly body: string } | "reset" | "cut";
let answer: Answer = "reset";
let server: Server;
let endpoint = "";

before(async () => {
  server = createServer((request, response) => {
    if (answer === "reset") return request.socket.destroy();
    if (answer === "cut") {
      response.writeHead(200, { "content-length": "1000" });
      return response.write("<DescribeVpcsResponse>", () => request.socket.destroy());
    }
    response.writeHead(answer.status, { "content-type": answer.type ?? "text/xml" });
    return response.end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
after(() => {
  server.closeAllConnections();
  server.close();
});

const ec2Error = (code: string) =>
  `<?xml version="1.0"?><Response><Errors><Error><Code>${code}</Code><Message>why</Message></Error></Errors><RequestID>r</RequestID></Response>`;
const queryError = (code: string) =>
  `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>why</Message></Error><RequestId>r</RequestId></ErrorResponse>`;
const jsonError = (code: string) => JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${code}`, message: "why" });
const HTML = "<!doctype html>\n<html lang=en>\n<title>500 Internal Server Error</title>";

type Protocol = "ec2" | "query" | "json";

/** What the real SDK throws when the server answers so. */
async function thrownBy(protocol: Protocol, given: Answer, target = endpoint): Promise<unknown> {
  answer = given;
  const config = { endpoint: target, region: "ap-northeast-2", maxAttempts: 1, credentials: { accessKeyId: "a", secretAccessKey: "b" } };
  try {
    await send(protocol, config);
  } catch (error) {
    return error;
  }
  throw new Error("the call should have failed");
}

async function send(protocol: Protocol, config: object): Promise<unknown> {
  if (protocol === "json") {
    const { DynamoDBClient, ListTablesCommand } = await import("@aws-sdk/client-dynamodb");
    return new DynamoDBClient(config).send(new ListTablesCommand({}));
  }
  if (protocol === "query") {
    const { GetCallerIdentityCommand, STSClient } = await import("@aws-sdk/client-sts");
    return new STSClient(config).send(new GetCallerIdentityCommand({}));
  }
  const { DescribeVpcsCommand, EC2Client } = await import("@aws-sdk/client-ec2");
  return new EC2Client(config).send(new DescribeVpcsCommand({}));
}

type Row = { why: string; protocol: Protocol; answer: Answer; name: string; verdict: Verdict; onSandbox?: Verdict };
const ROWS: readonly Row[] = [
  {
    why: "a validation error is final",
    protocol: "ec2",
    answer: { status: 400, body: ec2Error("InvalidVpcID.NotFound") },
    name: "InvalidVpcID.NotFound",
    verdict: "refused",
  },
  {
    why: "denied is final",
    protocol: "query",
    answer: { status: 403, body: queryError("AccessDenied") },
    name: "AccessDenied",
    verdict: "refused",
  },
  {
    why: "EC2 throttles with 503",
    protocol: "ec2",
    answer: { status: 503, body: ec2Error("RequestLimitExceeded") },
    name: "RequestLimitExceeded",
    verdict: "throttled",
  },
  {
    why: "query services throttle with 400",
    protocol: "query",
    answer: { status: 400, body: queryError("Throttling") },
    name: "Throttling",
    verdict: "throttled",
  },
  {
    why: "DynamoDB throttles with 400",
    protocol: "json",
    answer: { status: 400, body: jsonError("ProvisionedThroughputExceededException") },
    name: "ProvisionedThroughputExceededException",
    verdict: "throttled",
  },
  {
    why: "a conflicting transaction was not executed",
    protocol: "json",
    answer: { status: 400, body: jsonError("TransactionConflictException") },
    name: "TransactionConflictException",
    verdict: "throttled",
  },
  {
    why: "Route 53 throttles changes of one zone with 400",
    protocol: "query",
    answer: { status: 400, body: queryError("PriorRequestNotComplete") },
    name: "PriorRequestNotComplete",
    verdict: "throttled",
  },
  {
    why: "what is in another region did nothing here",
    protocol: "query",
    answer: { status: 301, body: queryError("PermanentRedirect") },
    name: "PermanentRedirect",
    verdict: "refused",
  },
  { why: "429 without a code is throttling", protocol: "query", answer: { status: 429, body: "" }, name: "Unknown", verdict: "throttled" },
  {
    why: "a quota is not throttling",
    protocol: "json",
    answer: { status: 400, body: jsonError("LimitExceededException") },
    name: "LimitExceededException",
    verdict: "refused",
  },
  {
    why: "a 500 may have been executed",
    protocol: "ec2",
    answer: { status: 500, body: ec2Error("InternalError") },
    name: "InternalError",
    verdict: "ambiguous",
  },
  {
    why: "ServiceUnavailable says nothing of what was done",
    protocol: "query",
    answer: { status: 503, body: queryError("ServiceUnavailable") },
    name: "ServiceUnavailable",
    verdict: "ambiguous",
  },
  {
    why: "RequestTimeout may have begun",
    protocol: "query",
    answer: { status: 400, body: queryError("RequestTimeout") },
    name: "RequestTimeout",
    verdict: "ambiguous",
  },
  {
    why: "an HTML 500 is ambiguous at AWS, unimplemented in the sandbox (query)",
    protocol: "ec2",
    answer: { status: 500, type: "text/html", body: HTML },
    name: "Error",
    verdict: "ambiguous",
    onSandbox: "refused",
  },
  {
    why: "an HTML 500 is ambiguous at AWS, unimplemented in the sandbox (json)",
    protocol: "json",
    answer: { status: 500, type: "text/html", body: HTML },
    name: "SyntaxError",
    verdict: "ambiguous",
    onSandbox: "refused",
  },
  {
    why: "an empty 502 comes from a proxy",
    protocol: "json",
    answer: { status: 502, body: "" },
    name: "Unknown",
    verdict: "ambiguous",
    onSandbox: "refused",
  },
  {
    why: "501 says it was not done",
    protocol: "ec2",
    answer: { status: 501, body: ec2Error("NotImplemented") },
    name: "NotImplemented",
    verdict: "refused",
  },
  {
    why: "a success that cannot be read was executed",
    protocol: "ec2",
    answer: { status: 200, body: "<html" },
    name: "Error",
    verdict: "ambiguous",
    onSandbox: "ambiguous",
  },
  { why: "a reset connection says nothing", protocol: "query", answer: "reset", name: "ECONNRESET", verdict: "ambiguous" },
  { why: "an answer cut short was executed", protocol: "ec2", answer: "cut", name: "ECONNRESET", verdict: "ambiguous" },
];

describe("classify, over what the real SDK throws", { concurrency: 1 }, () => {
  for (const row of ROWS) {
    test(row.why, async () => {
      const thrown = await thrownBy(row.protocol, row.answer);
      const seen = classify(thrown, { operation: "ec2:X", sent: true, sandbox: false });
      assert.deepEqual([seen.name, seen.verdict], [row.name, row.verdict]);
      const sandboxed = classify(thrown, { operation: "ec2:X", sent: true, sandbox: true });
      assert.equal(sandboxed.verdict, row.onSandbox ?? row.verdict);
    });
  }

  test("no listener and no such host: nothing was sent, and the person is told the endpoint cannot be reached", async () => {
    for (const target of ["http://127.0.0.1:1", "http://beacon.invalid"]) {
      const seen = classify(await thrownBy("query", "reset", target), { operation: "sts:GetCallerIdentity", sent: true, sandbox: false });
      assert.equal(seen.verdict, "unsent", target);
      assert.equal(explainAwsError(seen).code, "Unreachable");
    }
  });

  test("an untrusted certificate fails before the first byte", () => {
    const thrown = Object.assign(new Error("self-signed certificate"), { code: "DEPTH_ZERO_SELF_SIGNED_CERT" });
    assert.equal(classify(thrown, { operation: "ec2:X", sent: true, sandbox: false }).verdict, "unsent");
  });

  test("what failed before the send is refused, whatever it is", () => {
    const seen = classify(new TypeError("no such member"), { operation: "ec2:X", sent: false, sandbox: false });
    assert.deepEqual([seen.name, seen.verdict], ["TypeError", "refused"]);
  });
});

test("a message is the same for each try: no request id is in it", () => {
  const rows: readonly (readonly [said: string, kept: string])[] = [
    ["You are not authorized to perform this operation.", "You are not authorized to perform this operation."],
    [
      "No launch (Service: AmazonEC2; Status Code: 400; Request ID: 4e5bd1a0-6b2f-4d3a-9f0e-1c2d3e4f5a6b; Proxy: null)",
      "No launch (Service: AmazonEC2; Status Code: 400; Proxy: null)",
    ],
    ["Denied (RequestId: 9XK2P0QW7TZ1ABCD)", "Denied"],
    ["The request ID is missing a value", "The request ID is missing a value"],
  ];
  for (const [said, kept] of rows) {
    const { message } = classify(Object.assign(new Error(said), { $fault: "client" }), {
      operation: "autoscaling:X",
      sent: true,
      sandbox: false,
    });
    assert.equal(message, kept);
  }
});

test("credentials that are missing, expired or wrong are told apart", () => {
  const said = (name: string) => explainAwsError(new AwsError(name, "why", { operation: "ec2:X", verdict: "refused", status: 403 }));
  assert.deepEqual(
    [said("ExpiredTokenException").code, said("ExpiredTokenException").message],
    ["CredentialsMissing", "the AWS credentials have expired"],
  );
  assert.match(said("CredentialsProviderError").message, /no AWS credentials were found/);
  assert.match(said("InvalidClientTokenId").message, /does not accept/);
  assert.equal(said("AccessDenied").code, "AwsRefused");
});

test("error names match with and without Exception or Fault, and by a text of the message", () => {
  const error = new AwsError("ResourceNotFoundException", "No table of this name", { operation: "logs:X", verdict: "refused" });
  const rows = [
    { names: ["ResourceNotFound"], is: true, why: "without Exception" },
    { names: ["ResourceInUse"], is: false, why: "another name" },
    { names: ["ResourceNotFoundFault: no TABLE"], is: true, why: "the text stands in the message, whatever its case" },
    { names: ["ResourceNotFound: no index"], is: false, why: "the text does not stand in the message" },
  ];
  for (const { names, is, why } of rows) assert.equal(isNamed(error, names), is, why);
});
