/** The faults that change answers: states that are reached late, and new objects that are not seen yet. */

import { type Answer, type AwsCall, errorAnswer } from "./aws-call.ts";
import type { Fault } from "./fault-rules.ts";

/** Changes the answers of one injection; it remembers what it saw. */
export type Rewriter = (call: AwsCall, answer: Answer) => Answer;

/** Shows an earlier state, as the fault describes. */
export function stateDelayer(fault: Fault & { type: "delayState" }, now: () => number): Rewriter {
  let createdAt = now();
  let readsLeft = fault.reads ?? Number.POSITIVE_INFINITY;
  return (call, answer) => {
    if (call.mutating) {
      createdAt = now();
      readsLeft = fault.reads ?? Number.POSITIVE_INFINITY;
      return withText(answer, (text) => text.replaceAll(fault.from, fault.to));
    }
    const over = readsLeft <= 0 || now() - createdAt >= (fault.ms ?? Number.POSITIVE_INFINITY);
    if (over || !answer.body.includes(fault.from)) return answer;
    readsLeft -= 1;
    return withText(answer, (text) => text.replaceAll(fault.from, fault.to));
  };
}

type Visible = { readonly create: string; readonly describe: string; readonly element: string; readonly notFound: string };

// EC2 objects that a description can miss: who makes and who shows them, their id's element, and the error for an unknown id.
const VISIBLE: readonly Visible[] = [
  { create: "CreateVpc", describe: "DescribeVpcs", element: "vpcId", notFound: "InvalidVpcID.NotFound" },
  { create: "CreateSubnet", describe: "DescribeSubnets", element: "subnetId", notFound: "InvalidSubnetID.NotFound" },
  {
    create: "CreateInternetGateway",
    describe: "DescribeInternetGateways",
    element: "internetGatewayId",
    notFound: "InvalidInternetGatewayID.NotFound",
  },
  { create: "AllocateAddress", describe: "DescribeAddresses", element: "allocationId", notFound: "InvalidAllocationID.NotFound" },
  { create: "CreateNatGateway", describe: "DescribeNatGateways", element: "natGatewayId", notFound: "NatGatewayNotFound" },
  { create: "CreateRouteTable", describe: "DescribeRouteTables", element: "routeTableId", notFound: "InvalidRouteTableID.NotFound" },
  { create: "CreateSecurityGroup", describe: "DescribeSecurityGroups", element: "groupId", notFound: "InvalidGroup.NotFound" },
];

/** Hides what was created less than `ms` ago from EC2's Describe answers; asked for by its id, it is not found. */
export function newHider(ms: number, now: () => number): Rewriter {
  const createdAt = new Map<string, number>();
  return (call, answer) => {
    const created = VISIBLE.find(({ create }) => create === call.operation);
    const id = created && firstOf(created.element, answer.body.toString());
    if (id !== undefined) createdAt.set(id, now());
    const shown = VISIBLE.find(({ describe }) => describe === call.operation);
    if (shown === undefined || answer.status >= 300) return answer;
    const hidden = [...createdAt].filter(([, at]) => now() - at < ms).map(([hiddenId]) => hiddenId);
    const named = hidden.find((hiddenId) => isNamedById(call.body, hiddenId));
    if (named !== undefined) return errorAnswer(call, 400, shown.notFound, `The ID '${named}' does not exist`);
    return withText(answer, (text) => withoutItems(text, (item) => hidden.includes(firstOf(shown.element, item) ?? "")));
  };
}

// An id in a filter finds nothing; an id in the list of ids is an error when unknown.
function isNamedById(body: string, id: string): boolean {
  return [...new URLSearchParams(body)].some(([name, value]) => value === id && !name.startsWith("Filter."));
}

function firstOf(element: string, text: string): string | undefined {
  return new RegExp(`<${element}>([^<]+)</${element}>`).exec(text)?.[1];
}

/** Drops outermost `<item>` elements. */
export function withoutItems(text: string, isDropped: (item: string) => boolean): string {
  let kept = "";
  let depth = 0;
  let from = 0;
  for (const tag of text.matchAll(/<(\/?)item>/g)) {
    const closes = tag[1] === "/";
    if (!closes && depth === 0) {
      kept += text.slice(from, tag.index);
      from = tag.index;
    }
    depth += closes ? -1 : 1;
    if (closes && depth === 0) {
      const item = text.slice(from, tag.index + tag[0].length);
      if (!isDropped(item)) kept += item;
      from = tag.index + tag[0].length;
    }
  }
  return kept + text.slice(from);
}

// DynamoDB's checksum would no longer fit.
function withText(answer: Answer, change: (text: string) => string): Answer {
  const { "x-amz-crc32": _checksum, ...headers } = answer.headers;
  return { ...answer, headers, body: Buffer.from(change(answer.body.toString())) };
}
