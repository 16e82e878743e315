/** A validation record goes when no other certificate names it, whatever AWS still lists. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Writer } from "../../src/aws/service.ts";
import { noteDeleted, TAG_ZONE, validationRecords, withdrawRecords } from "../../src/kind/acm.ts";

type Certificate = {
  readonly arn: string;
  readonly names: readonly string[];
  readonly zone?: string;
  /** ListCertificates tells of the first names only. */
  readonly hasMore?: true;
};

const recordOf = (name: string) => ({ Name: `_1.${name.replace(/^\*\./, "")}.`, Type: "CNAME" as const, Value: "_2.acm-validations.aws." });

/** An account that lists these certificates, and has the records of all of them in every zone. */
function account(certificates: readonly Certificate[]): { readonly aws: Writer; readonly deleted: string[] } {
  const deleted: string[] = [];
  const find = (arn: string) => certificates.find((one) => one.arn === arn);
  const answers: Record<string, (input: Record<string, string>) => object> = {
    DescribeCertificate: ({ CertificateArn = "" }) => ({
      Certificate: {
        DomainValidationOptions: find(CertificateArn)?.names.map((name) => ({ DomainName: name, ResourceRecord: recordOf(name) })),
      },
    }),
    ListTagsForCertificate: ({ CertificateArn = "" }) => {
      const zone = find(CertificateArn)?.zone;
      return { Tags: zone === undefined ? [] : [{ Key: TAG_ZONE, Value: zone }] };
    },
    ListResourceRecordSets: () => ({
      ResourceRecordSets: certificates.flatMap(({ names }) =>
        names.map(recordOf).map(({ Name, Type, Value }) => ({ Name, Type, TTL: 5, ResourceRecords: [{ Value }] })),
      ),
    }),
  };
  const read = async (_service: unknown, operation: string, input: Record<string, string>) => answers[operation]?.(input) ?? {};
  const pages = async () =>
    certificates.map(({ arn, names, hasMore }) => ({
      CertificateArn: arn,
      DomainName: names[0],
      SubjectAlternativeNameSummaries: hasMore ? names.slice(0, 1) : names,
      HasAdditionalSubjectAlternativeNames: hasMore ?? false,
    }));
  const write = async (
    _service: unknown,
    _operation: string,
    input: { ChangeBatch: { Changes: { ResourceRecordSet: { Name: string } }[] } },
  ) => {
    deleted.push(...input.ChangeBatch.Changes.map(({ ResourceRecordSet }) => ResourceRecordSet.Name));
  };
  return { aws: { read, pages, write } as unknown as Writer, deleted };
}

const OWN: Certificate = { arn: "arn:1", names: ["example.com", "*.example.com", "a.example.com"], zone: "Z1" };
const records = validationRecords({
  domainValidationOptions: OWN.names.map((name) => {
    const { Name, Type, Value } = recordOf(name);
    return { domainName: name, resourceRecord: { name: Name, type: Type, value: Value } };
  }),
});

const ROWS: readonly { readonly why: string; readonly others: readonly Certificate[]; readonly gone: readonly string[] }[] = [
  { why: "nobody else names them", others: [{ arn: "arn:2", names: ["b.example.com"] }], gone: ["_1.example.com.", "_1.a.example.com."] },
  { why: "another names one", others: [{ arn: "arn:2", names: ["*.a.example.com"], zone: "Z1" }], gone: ["_1.example.com."] },
  { why: "another, that is proved nobody knows where", others: [{ arn: "arn:2", names: ["example.com"] }], gone: ["_1.a.example.com."] },
  {
    why: "another, that is proved in another zone",
    others: [{ arn: "arn:2", names: ["example.com"], zone: "Z2" }],
    gone: ["_1.example.com.", "_1.a.example.com."],
  },
  {
    why: "another, among names that the list leaves out",
    others: [{ arn: "arn:2", names: ["example.org", "example.com"], hasMore: true }],
    gone: ["_1.a.example.com."],
  },
];
for (const { why, others, gone } of ROWS) {
  test(why, async () => {
    const { aws, deleted } = account([OWN, ...others]);
    await withdrawRecords(aws, OWN.arn, "Z1", records);
    assert.deepEqual(deleted, gone);
  });
}

test("one that was deleted, and is still listed, names nothing any more", async () => {
  const { aws, deleted } = account([OWN, { arn: "arn:2", names: ["example.com"], zone: "Z1" }]);
  noteDeleted(aws, "arn:2");
  await withdrawRecords(aws, OWN.arn, "Z1", records);
  assert.deepEqual(deleted, ["_1.example.com.", "_1.a.example.com."]);
});
