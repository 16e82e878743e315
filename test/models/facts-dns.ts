/** What AWS says of several members of zones, records and certificates together. */

import type { OperationName } from "../../src/aws/service.ts";

type Members = Readonly<Record<string, unknown>>;

type RecordSet = Members & { readonly SetIdentifier?: string; readonly Type: string; readonly Name: string };
const ROUTING = ["Weight", "Region", "Failover", "MultiValueAnswer", "GeoLocation", "GeoProximityLocation", "CidrRoutingConfig"];

/** ResourceRecordSet: an alias, or a TTL with records; one routing policy with a set identifier, or neither. */
function recordProblems({
  ChangeBatch,
}: {
  readonly ChangeBatch: { readonly Changes: readonly { readonly ResourceRecordSet: RecordSet }[] };
}) {
  const records = ChangeBatch.Changes.map(({ ResourceRecordSet }) => ResourceRecordSet);
  const names = records.map(({ Name, Type, SetIdentifier = "" }) => `${Name} ${Type} ${SetIdentifier}`);
  return [
    ...records.flatMap((record) => {
      const has = (name: string) => record[name] !== undefined;
      const isAlias = has("AliasTarget");
      const policies = ROUTING.filter(has);
      return [
        ...(isAlias === has("TTL") || isAlias === has("ResourceRecords") ? ["needs one of AliasTarget, and TTL with ResourceRecords"] : []),
        ...(policies.length > 1 ? [`one routing policy, and not ${policies.join(", ")}`] : []),
        ...((policies.length === 1) === has("SetIdentifier") ? [] : ["a set identifier goes with a routing policy"]),
      ];
    }),
    ...(new Set(names).size < names.length ? ["one record set has two changes"] : []),
  ];
}

/** RequestCertificate: mail goes to somebody only with EMAIL, and a private authority asks for no proof. */
function requestProblems({
  ValidationMethod: method,
  DomainValidationOptions: mails,
  CertificateAuthorityArn: authority,
}: Members): string[] {
  return [
    ...(mails !== undefined && method !== "EMAIL" ? ["DomainValidationOptions go with EMAIL"] : []),
    ...((authority !== undefined) === (method === undefined) ? [] : ["a public certificate is validated, a private one is not"]),
  ];
}

/** CreateHostedZone: a VPC goes with a private zone, a delegation set with a public one. */
function zoneProblems({ HostedZoneConfig, VPC, DelegationSetId }: Members): string[] {
  const isPrivate = (HostedZoneConfig as Members | undefined)?.PrivateZone === true;
  return [
    ...(isPrivate === (VPC !== undefined) ? [] : ["a VPC goes with a private zone"]),
    ...(isPrivate && DelegationSetId !== undefined ? ["a private zone has no delegation set"] : []),
  ];
}

export const DNS_RULES: Readonly<Record<OperationName, (input: never) => readonly string[]>> = {
  "route53:ChangeResourceRecordSets": recordProblems,
  "route53:CreateHostedZone": zoneProblems,
  "acm:RequestCertificate": requestProblems,
};
