/** What a stack's records and certificates cost: changes of one zone leave together, and a look reads its records once. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { kinds } from "../../../reconcilers/index.ts";
import type { CompiledStack } from "../../../src/core/compiled.ts";
import { newStand, type Stand } from "../../conformance/stand.ts";
import { callsOf, declared, manifestsOf } from "../stacks.ts";

const RECORDS = 12;
const ZONE = "${hostedZone.main.hostedZoneId}";

function manifests(stand: Stand, ttl: number): CompiledStack {
  const domain = `${stand.stack.project}.example.com`;
  return manifestsOf(stand, [
    declared("route53.aws/v1", "HostedZone/main", { name: domain }),
    declared("acm.aws/v1", "Certificate/main", {
      domainName: domain,
      subjectAlternativeNames: [`*.${domain}`],
      validation: { hostedZoneId: ZONE },
    }),
    ...Array.from({ length: RECORDS }, (_, index) => {
      const spec = { hostedZoneId: ZONE, name: `r${index}.${domain}`, type: "A", ttl, resourceRecords: [`192.0.2.${index}`] };
      return declared("route53.aws/v1", `RecordSet/r${index}`, spec);
    }),
  ]);
}

test("a zone's records are created, changed and deleted in one request each, and looked at in one", async () => {
  const stand = await newStand(kinds, "batches", "ap-south-1");
  try {
    const created = await callsOf(stand, () => stand.settle(manifests(stand, 60)));
    assert.equal(created["route53:ChangeResourceRecordSets"], 2, "the records, and the certificate's once AWS names it");
    assert.deepEqual(await callsOf(stand, () => stand.plan(manifests(stand, 60))), {
      "tag:GetResources": 2, // The stack's region, and the one for what is in no region.
      "route53:GetHostedZone": 1,
      "acm:DescribeCertificate": 1,
      "route53:ListResourceRecordSets": 1,
    });
    const changed = await callsOf(stand, () => stand.settle(manifests(stand, 90)));
    assert.equal(changed["route53:ChangeResourceRecordSets"], 1);
    const deleted = await callsOf(stand, () => stand.settle(undefined, { destroy: true }));
    assert.equal(deleted["route53:ChangeResourceRecordSets"], 2, "the records, and the certificate's");
  } finally {
    await stand.close();
  }
});
