/** Which AWS operation an HTTP request is, and how an AWS error is written back, in the protocols the SDK speaks. */

import type { IncomingHttpHeaders } from "node:http";
import { s3Operation } from "./s3-calls.ts";

/** What the error must look like: EC2's and the older services' XML, or the newer ones' JSON. */
export type Protocol = "ec2" | "query" | "json" | "rest";

/** A request as AWS names it. `name` is `service:operation` with the service's IAM prefix: `ec2:CreateVpc`. */
export type AwsCall = {
  readonly name: string;
  readonly service: string;
  readonly operation: string;
  readonly mutating: boolean;
  readonly protocol: Protocol;
  readonly body: string;
};

type Request = { readonly method: string; readonly path: string; readonly headers: IncomingHttpHeaders; readonly body: string };

// Signing names that differ from the IAM prefix.
const IAM_PREFIX: Readonly<Record<string, string>> = { tagging: "tag", monitoring: "cloudwatch" };

const READS = /^(Describe|List|Get|Head|BatchGet|TransactGet|Query$|Scan$|Lookup|Filter|Search|Simulate|AssumeRole)/;

// What has no operation name on the wire (REST): method and path of the operations that BEACON calls.
const REST: Readonly<Record<string, readonly (readonly [request: RegExp, operation: string])[]>> = {
  route53: [
    [/^POST \/[^/]+\/hostedzone$/, "CreateHostedZone"],
    [/^GET \/[^/]+\/hostedzone\/[^/]+$/, "GetHostedZone"],
    [/^POST \/[^/]+\/hostedzone\/[^/]+$/, "UpdateHostedZoneComment"],
    [/^DELETE \/[^/]+\/hostedzone\/[^/]+$/, "DeleteHostedZone"],
    [/^GET \/[^/]+\/hostedzonesbyname$/, "ListHostedZonesByName"],
    [/^POST \/[^/]+\/hostedzone\/[^/]+\/associatevpc$/, "AssociateVPCWithHostedZone"],
    [/^POST \/[^/]+\/hostedzone\/[^/]+\/disassociatevpc$/, "DisassociateVPCFromHostedZone"],
    [/^GET \/[^/]+\/hostedzone\/[^/]+\/rrset$/, "ListResourceRecordSets"],
    [/^POST \/[^/]+\/hostedzone\/[^/]+\/rrset\/?$/, "ChangeResourceRecordSets"],
    [/^POST \/[^/]+\/tags\/hostedzone$/, "ListTagsForResources"],
    [/^POST \/[^/]+\/tags\/hostedzone\/[^/]+$/, "ChangeTagsForResource"],
  ],
};

/** Reads a request. A REST call that is not in the table is called by method and path: `route53:GET /2013-04-01/healthcheck`. */
export function awsCall(request: Request): AwsCall {
  const signing = /Credential=[^/]+\/[^/]+\/[^/]+\/([^/]+)\//.exec(request.headers.authorization ?? "")?.[1] ?? "unknown";
  const service = IAM_PREFIX[signing] ?? signing;
  const { operation, protocol } = operationOf(request, service);
  const mutating = / /.test(operation) ? !/^(GET|HEAD) /.test(operation) : !READS.test(operation);
  return { name: `${service}:${operation}`, service, operation, mutating, protocol, body: request.body };
}

function operationOf({ method, path, headers, body }: Request, service: string): { operation: string; protocol: Protocol } {
  const target = headers["x-amz-target"];
  if (typeof target === "string") return { operation: target.slice(target.lastIndexOf(".") + 1), protocol: "json" };
  const action = /(?:^|&)Action=(\w+)/.exec(body)?.[1];
  if (action !== undefined) return { operation: action, protocol: service === "ec2" ? "ec2" : "query" };
  const request = `${method} ${path.split("?")[0]}`;
  const named = service === "s3" ? s3Operation(method, path) : REST[service]?.find(([wanted]) => wanted.test(request))?.[1];
  return { operation: named ?? request, protocol: "rest" };
}

/** An HTTP answer, whole. */
export type Answer = { readonly status: number; readonly headers: Readonly<Record<string, string | string[]>>; readonly body: Buffer };

/** An AWS error in the caller's protocol. */
export function errorAnswer(call: AwsCall, status: number, code: string, message = `${code}, said by the fault proxy`): Answer {
  if (call.protocol === "json") {
    const headers = { "content-type": "application/x-amz-json-1.1", "x-amzn-errortype": code };
    return { status, headers, body: Buffer.from(JSON.stringify({ __type: code, message })) };
  }
  const error = `<Code>${code}</Code><Message>${message}</Message>`;
  const body =
    call.protocol === "ec2"
      ? `<Response><Errors><Error>${error}</Error></Errors><RequestID>proxy</RequestID></Response>`
      : `<ErrorResponse><Error><Type>Sender</Type>${error}</Error><RequestId>proxy</RequestId></ErrorResponse>`;
  return { status, headers: { "content-type": "text/xml" }, body: Buffer.from(body) };
}

// Source: the common-errors page of each service. Everything else that BEACON calls says `Throttling` with 400.
const THROTTLING: Readonly<Record<string, readonly [number, string]>> = {
  ec2: [503, "RequestLimitExceeded"],
  s3: [503, "SlowDown"],
  tag: [400, "ThrottledException"],
  dynamodb: [400, "ThrottlingException"],
  logs: [400, "ThrottlingException"],
  acm: [400, "ThrottlingException"],
  wafv2: [400, "ThrottlingException"],
  ecr: [400, "ThrottlingException"],
};

/** What the service says when it is asked too fast. */
export function throttlingAnswer(call: AwsCall): Answer {
  const [status, code] = THROTTLING[call.service] ?? [400, "Throttling"];
  return errorAnswer(call, status, code, "Rate exceeded");
}
