/** How many live objects of each kind AWS holds for a stack, seen by plain SDK calls that know nothing of BEACON's code. */

import type { Filter } from "@aws-sdk/client-ec2";
import type { SdkClients } from "./sandbox.ts";

/** Live objects by kind; a kind without any is left out, so that two counts compare with deepEqual. */
export type Counts = Readonly<Record<string, number>>;

const STACK_TAG = "beacon:stack";

/** Counts the live objects that carry the stack's tag. `stack` is spelled as in the tag: `beacon/prod`. */
export async function countsOf(clients: SdkClients, stack: string): Promise<Counts> {
  const [network, tables, logGroups] = await Promise.all([
    networkCounts(clients, stack),
    taggedCount(clients, "dynamodb:table", stack),
    taggedCount(clients, "logs:log-group", stack),
  ]);
  return withoutZeros({ ...network, Table: tables, LogGroup: logGroups });
}

async function networkCounts({ ec2 }: SdkClients, stack: string): Promise<Counts> {
  const tagged: Filter = { Name: `tag:${STACK_TAG}`, Values: [stack] };
  const Filters = [tagged];
  const [vpcs, gateways, subnets, addresses, nats, tables, groups] = await Promise.all([
    ec2.describeVpcs({ Filters }),
    ec2.describeInternetGateways({ Filters }),
    ec2.describeSubnets({ Filters }),
    ec2.describeAddresses({ Filters }),
    ec2.describeNatGateways({ Filter: [tagged, { Name: "state", Values: ["pending", "available"] }] }),
    ec2.describeRouteTables({ Filters }),
    ec2.describeSecurityGroups({ Filters }),
  ]);
  return {
    VPC: vpcs.Vpcs?.length ?? 0,
    InternetGateway: gateways.InternetGateways?.length ?? 0,
    Subnet: subnets.Subnets?.length ?? 0,
    EIP: addresses.Addresses?.length ?? 0,
    NatGateway: nats.NatGateways?.length ?? 0,
    RouteTable: tables.RouteTables?.length ?? 0,
    SecurityGroup: groups.SecurityGroups?.length ?? 0,
  };
}

// DynamoDB and Logs cannot filter their lists by tag; the tagging API can.
async function taggedCount({ tagging }: SdkClients, type: string, stack: string): Promise<number> {
  const query = { TagFilters: [{ Key: STACK_TAG, Values: [stack] }], ResourceTypeFilters: [type] };
  let count = 0;
  let token: string | undefined;
  do {
    const page = await tagging.getResources({ ...query, ...(token && { PaginationToken: token }) });
    count += page.ResourceTagMappingList?.length ?? 0;
    token = page.PaginationToken;
  } while (token);
  return count;
}

function withoutZeros(counts: Counts): Counts {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
}
