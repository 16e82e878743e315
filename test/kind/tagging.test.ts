/** The tagging API is asked once for all kinds that ask at the same moment, and each gets the objects of its own type. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Reader } from "../../src/aws/service.ts";
import { taggedResources } from "../../src/kind/tagging.ts";

const ARNS = [
  "arn:aws:dynamodb:eu-west-1:123456789012:table/orders",
  "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/listener/1",
  "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/web/1/2",
  "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/web",
  "arn:aws:wafv2:eu-west-1:123456789012:regional/webacl/front/3",
  "arn:aws:s3:::backups",
];

function reader(): { readonly aws: Reader; readonly requests: object[] } {
  const requests: object[] = [];
  const pages = async (_service: unknown, _operation: string, request: object) => {
    requests.push(request);
    return ARNS.map((ResourceARN) => ({ ResourceARN, Tags: [{ Key: "Name", Value: ResourceARN }] }));
  };
  return { aws: { pages } as unknown as Reader, requests };
}

const OWN = { "beacon:stack": "shop/prod" };

test("kinds that ask at the same moment share one request, and each gets its own type", async () => {
  const { aws, requests } = reader();
  const types = ["dynamodb:table", "elasticloadbalancing:loadbalancer", "elasticloadbalancing:listener", "logs", "wafv2:webacl", "s3"];
  const answers = await Promise.all(types.map((type) => taggedResources(aws, type, OWN)));
  assert.deepEqual(
    answers.map((answer) => [...answer.keys()]),
    ARNS.map((arn) => [arn]),
  );
  assert.deepEqual(answers[0]?.get(ARNS[0] as string), { Name: ARNS[0] });
  assert.deepEqual(requests, [
    {
      TagFilters: [{ Key: "beacon:stack", Values: ["shop/prod"] }],
      ResourceTypeFilters: [...types].sort(),
      ResourcesPerPage: 100,
    },
  ]);
});

test("what is in no region is asked for where it is indexed, beside what is in one", async () => {
  const regions: (string | undefined)[] = [];
  const pages = async (service: { readonly region?: string }) => {
    regions.push(service.region);
    return [{ ResourceARN: "arn:aws:route53:::hostedzone/Z1", Tags: [] }];
  };
  const aws = { pages } as unknown as Reader;
  const [zones] = await Promise.all([
    taggedResources(aws, "route53:hostedzone", OWN, { isGlobal: true }),
    taggedResources(aws, "logs", OWN),
  ]);
  assert.deepEqual([...(zones?.keys() ?? [])], ["arn:aws:route53:::hostedzone/Z1"]);
  assert.deepEqual(regions, ["us-east-1", undefined]);
});

test("other tags, and later questions, are requests of their own", async () => {
  const { aws, requests } = reader();
  await Promise.all([taggedResources(aws, "logs", OWN), taggedResources(aws, "logs", { Team: "shop" })]);
  await taggedResources(aws, "logs", OWN);
  assert.equal(requests.length, 3);
});
