/** A network for load balancers: two subnets in two zones, without and with a way out. */

import { ACM } from "@aws-sdk/client-acm";
import { internetGateway } from "../../../reconcilers/ec2/internet-gateway.ts";
import { subnet } from "../../../reconcilers/ec2/subnet.ts";
import { vpc } from "../../../reconcilers/ec2/vpc.ts";
import { loadBalancer } from "../../../reconcilers/elbv2/load-balancer.ts";
import type { JsonObject } from "../../../src/core/json.ts";
import { clientSettings, TEST_REGION } from "../../support/sandbox.ts";
import { type Bench, benchFor, make, removeAll, settle } from "../support.ts";

/** Fits every name limit: 32 characters. */
export const nameFor = (bench: Bench, name: string) => `${bench.stack.split("/")[0]}-${name}`;

export async function network({ isPublic = false } = {}) {
  const [vpcs, subnets, gateways] = await Promise.all([benchFor(vpc), benchFor(subnet), benchFor(internetGateway)]);
  const main = await make(vpcs, { cidrBlock: "10.0.0.0/16" });
  const zones = ["a", "b", "c"].map((zone) => `${TEST_REGION}${zone}`);
  const made = await Promise.all(
    zones.map((availabilityZone, index) => make(subnets, { vpcId: main.id, cidrBlock: `10.0.${index}.0/24`, availabilityZone })),
  );
  const out = isPublic ? await settle(gateways, await make(gateways, {}), { vpcId: main.id }) : undefined;
  return {
    vpcId: main.id,
    subnets: made.map(({ id }) => id) as [string, string, string],
    remove: async () => {
      if (out) await removeAll(gateways, out);
      await removeAll(subnets, ...made);
      await removeAll(vpcs, main);
    },
  };
}

/** Certificates that are issued: in the sandbox, somebody answers ACM's mail at once. */
export async function certificates(...domains: readonly string[]): Promise<string[]> {
  const acm = new ACM(await clientSettings());
  const requests = domains.map((DomainName) => acm.requestCertificate({ DomainName, ValidationMethod: "EMAIL" }));
  return (await Promise.all(requests)).map(({ CertificateArn }) => String(CertificateArn));
}

/** The load balancers that ACM says use a certificate. */
export async function usersOf(CertificateArn: string): Promise<readonly string[]> {
  const acm = new ACM(await clientSettings());
  return (await acm.describeCertificate({ CertificateArn })).Certificate?.InUseBy ?? [];
}

/** An internal load balancer in such a network. */
export async function balancer(more: JsonObject = {}) {
  const [bench, ground] = await Promise.all([benchFor(loadBalancer), network()]);
  const [one, two] = ground.subnets;
  const made = await make(bench, { name: nameFor(bench, "lb"), scheme: "internal", subnets: [one, two], ...more });
  const remove = async () => {
    await removeAll(bench, made);
    await ground.remove();
  };
  return { ...ground, bench, balancer: made, remove };
}
