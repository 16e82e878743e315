import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { kinds } from "../../reconcilers/index.ts";
import { AwsError } from "../../src/aws/errors.ts";
import { connect } from "../../src/aws/handle.ts";
import { EVENTS_BOOTSTRAP_OPERATIONS } from "../../src/aws/permissions.ts";
import { systemRuntime } from "../../src/aws/runtime.ts";
import { isMutating } from "../../src/aws/service.ts";
import { BeaconError } from "../../src/core/errors.ts";
import { bootstrapEvents, type EventsFacts, nextStep, type Step } from "../../src/events/bootstrap.ts";
import { logsWrites, trailIn } from "../../src/events/trails.ts";
import { PATTERN_CHARACTERS_MAX, wantedFor } from "../../src/events/wanted.ts";
import { startOwn } from "../support/sandbox.ts";

const PLACE = { region: "eu-west-1", accountId: "123456789012", queue: "beacon-events", kinds };
const wanted = wantedFor(PLACE);
const forward = wanted.forward ?? assert.fail("nothing is forwarded");
const role = wanted.role ?? assert.fail("there is no role");

const ruleFacts = ({ pattern, target }: typeof forward) => ({ pattern: JSON.stringify(pattern), enabled: true, target });
const DONE: EventsFacts = {
  queue: { url: "u", attributes: { ...wanted.queue.attributes, CreatedTimestamp: "1" } },
  rule: ruleFacts(wanted.rule),
  forward: ruleFacts(forward),
  role: { trust: JSON.stringify(role.trust), policy: JSON.stringify(role.policy) },
};
const { queue: _, ...NO_QUEUE } = DONE;
const { role: __, ...NO_ROLE } = DONE;

const ROWS: { why: string; facts: EventsFacts; step: Step | undefined }[] = [
  { why: "no queue", facts: NO_QUEUE, step: "createQueue" },
  {
    why: "messages that stay for days",
    facts: { ...DONE, queue: { url: "u", attributes: { ...wanted.queue.attributes, MessageRetentionPeriod: "345600" } } },
    step: "setQueue",
  },
  {
    why: "a queue that no rule may fill",
    facts: { ...DONE, queue: { url: "u", attributes: { ...wanted.queue.attributes, Policy: "{}" } } },
    step: "setQueue",
  },
  { why: "no rule", facts: { ...DONE, rule: {} }, step: "putRule" },
  { why: "a rule that is switched off", facts: { ...DONE, rule: { ...DONE.rule, enabled: false } }, step: "putRule" },
  {
    why: "a rule of an older version's kinds",
    facts: { ...DONE, rule: { ...DONE.rule, pattern: '{"source":["aws.ec2"]}' } },
    step: "putRule",
  },
  {
    why: "a rule without its target",
    facts: { ...DONE, rule: { pattern: JSON.stringify(wanted.rule.pattern), enabled: true } },
    step: "putTarget",
  },
  { why: "no role", facts: NO_ROLE, step: "createRole" },
  { why: "a role that somebody else may take on", facts: { ...DONE, role: { trust: "{}", policy: "{}" } }, step: "setTrust" },
  { why: "a role that may do nothing", facts: { ...DONE, role: { trust: JSON.stringify(role.trust) } }, step: "putRolePolicy" },
  { why: "nothing forwarded", facts: { ...DONE, forward: {} }, step: "putForwardRule" },
  {
    why: "forwarded to nowhere",
    facts: { ...DONE, forward: { ...DONE.forward, target: { ...forward.target, Arn: "x" } } },
    step: "putForwardTarget",
  },
  { why: "nothing to do", facts: DONE, step: undefined },
];
describe("one look says what is next", () => {
  for (const { why, facts, step } of ROWS) test(`${why}: ${step ?? "done"}`, () => assert.equal(nextStep(facts, wanted), step));

  test("policies and patterns in AWS's own spelling are the same", () => {
    const spelled = JSON.stringify(JSON.parse(String(wanted.queue.attributes.Policy)), null, 2).replace(/"(sqs:SendMessage)"/, '["$1"]');
    const { detail = {}, ...others } = wanted.rule.pattern;
    const facts: EventsFacts = {
      ...DONE,
      queue: { url: "u", attributes: { ...wanted.queue.attributes, Policy: spelled } },
      rule: { ...DONE.rule, pattern: JSON.stringify({ detail, ...others }) },
    };
    assert.equal(nextStep(facts, wanted), undefined);
  });
});

describe("what is wanted", () => {
  test("patterns keep within EventBridge's limit, with a quarter to spare for more kinds", () => {
    for (const { pattern } of [wanted.rule, forward]) assert.ok(JSON.stringify(pattern).length < PATTERN_CHARACTERS_MAX * 0.75);
  });

  test("the rule listens to every service in which a kind changes something, the other to those of no region", () => {
    const sources = (pattern: object) => (pattern as { detail: { eventSource: string[] } }).detail.eventSource;
    assert.ok(
      ["ec2", "monitoring", "iam", "route53", "s3", "wafv2"].every((name) =>
        sources(wanted.rule.pattern).includes(`${name}.amazonaws.com`),
      ),
    );
    assert.ok(!sources(wanted.rule.pattern).includes("tagging.amazonaws.com"));
    assert.deepEqual(sources(forward.pattern), ["iam.amazonaws.com", "route53.amazonaws.com", "route53domains.amazonaws.com"]);
  });

  test("where global services report, nothing is forwarded; other partitions have regions of their own", () => {
    assert.equal(wantedFor({ ...PLACE, region: "us-east-1" }).forward, undefined);
    const china = wantedFor({ ...PLACE, region: "cn-northwest-1" });
    assert.equal(china.forward?.region, "cn-north-1");
    assert.match(china.queue.arn, /^arn:aws-cn:sqs:cn-northwest-1:/);
  });
});

describe("trails", () => {
  const fake = (answers: Record<string, object | Error>) => ({
    call: async (_: unknown, operation: string) => {
      const answer = answers[operation];
      if (answer instanceof Error) throw answer;
      return answer ?? {};
    },
  });
  const trail = { TrailARN: "arn:aws:cloudtrail:eu-west-1:1:trail/t", HasCustomEventSelectors: false };
  const denied = new AwsError("TrailNotFoundException", "", { operation: "cloudtrail:GetTrailStatus", verdict: "refused" });
  const rows = [
    { why: "none", answers: { DescribeTrails: { trailList: [] } }, found: { recorded: false, why: "no trail" } },
    {
      why: "one that logs",
      answers: { DescribeTrails: { trailList: [trail] }, GetTrailStatus: { IsLogging: true } },
      found: { recorded: true },
    },
    {
      why: "one that is off",
      answers: { DescribeTrails: { trailList: [trail] }, GetTrailStatus: { IsLogging: false } },
      found: { recorded: false, why: "a trail that is switched off" },
    },
    {
      why: "one for data alone",
      answers: {
        DescribeTrails: { trailList: [{ ...trail, HasCustomEventSelectors: true }] },
        GetTrailStatus: { IsLogging: true },
        GetEventSelectors: { EventSelectors: [{ IncludeManagementEvents: false }] },
      },
      found: { recorded: false, why: "no trail with management write events" },
    },
    {
      why: "an organization's, which another account may ask",
      answers: { DescribeTrails: { trailList: [{ ...trail, IsOrganizationTrail: true }] }, GetTrailStatus: denied },
      found: { recorded: true },
    },
  ];
  for (const { why, answers, found } of rows) {
    test(why, async () => assert.deepEqual(await trailIn(fake(answers) as never, "eu-west-1"), { region: "eu-west-1", ...found }));
  }

  const field = (Field: string, ...Equals: string[]) => ({ Field, Equals });
  const selectors = [
    {
      why: "all management events",
      given: { EventSelectors: [{ IncludeManagementEvents: true, ReadWriteType: "All" as const }] },
      logs: true,
    },
    { why: "reads alone", given: { EventSelectors: [{ IncludeManagementEvents: true, ReadWriteType: "ReadOnly" as const }] }, logs: false },
    {
      why: "advanced, management",
      given: { AdvancedEventSelectors: [{ FieldSelectors: [field("eventCategory", "Management")] }] },
      logs: true,
    },
    {
      why: "advanced, reads alone",
      given: { AdvancedEventSelectors: [{ FieldSelectors: [field("eventCategory", "Management"), field("readOnly", "true")] }] },
      logs: false,
    },
    { why: "advanced, data", given: { AdvancedEventSelectors: [{ FieldSelectors: [field("eventCategory", "Data")] }] }, logs: false },
    { why: "none", given: {}, logs: false },
  ];
  for (const { why, given, logs } of selectors) test(`selectors: ${why}`, () => assert.equal(logsWrites(given), logs));
});

describe("on the sandbox", { timeout: 60_000 }, () => {
  const session = async (endpoint: string, region = "eu-west-1") =>
    connect({ endpoint, region, sandbox: true, readOperations: new Set(), operations: new Set() });

  test("a first run makes everything, a second changes nothing, and what somebody changed is put right", async () => {
    const { endpoint } = await startOwn();
    const { calls, caller, close } = await session(endpoint);
    const aws = caller(EVENTS_BOOTSTRAP_OPERATIONS);
    const writes = () => calls().reduce((sum, { mutating, calls: made }) => sum + (mutating ? made : 0), 0);
    const first = await bootstrapEvents(aws, systemRuntime, PLACE);
    assert.deepEqual(first.unreported, []);
    assert.deepEqual(first.done, [
      ...["createQueue", "putRule", "putTarget", "createRole", "putRolePolicy", "putForwardRule", "putForwardTarget"],
    ]);
    const made = writes();
    assert.equal(made, first.done.length);
    assert.deepEqual((await bootstrapEvents(aws, systemRuntime, PLACE)).done, []);
    assert.equal(writes(), made);

    const { EventBridge } = await import("@aws-sdk/client-eventbridge");
    const credentials = { accessKeyId: "other", secretAccessKey: "x" };
    const events = new EventBridge({ endpoint, region: "eu-west-1", credentials });
    await events.disableRule({ Name: "beacon-events" });
    await events.removeTargets({ Rule: "beacon-events", Ids: ["beacon-events"] });
    assert.deepEqual((await bootstrapEvents(aws, systemRuntime, PLACE)).done, ["putRule", "putTarget"]);
    assert.equal((await events.describeRule({ Name: "beacon-events" })).State, "ENABLED");
    await close();
  });

  test("it calls nothing beyond what it says it needs", async () => {
    const { endpoint } = await startOwn();
    const { calls, caller, close } = await session(endpoint, "us-east-1");
    await bootstrapEvents(caller(EVENTS_BOOTSTRAP_OPERATIONS), systemRuntime, { ...PLACE, region: "us-east-1", queue: "mine" });
    const made = calls().filter(({ operation }) => isMutating(operation as "a:b"));
    assert.deepEqual(
      made.map(({ operation }) => operation),
      ["events:PutRule", "events:PutTargets", "sqs:CreateQueue"],
    );
    await close();
  });
});

test("a refusal is said in AWS's own words", async () => {
  const refuse = async () => {
    throw new AwsError("AccessDenied", "not authorized", { operation: "sqs:GetQueueUrl", verdict: "refused", status: 403 });
  };
  const refused = bootstrapEvents({ call: refuse } as never, systemRuntime, PLACE);
  await assert.rejects(refused, (error) => error instanceof BeaconError && /sqs:GetQueueUrl: not authorized/.test(error.message));
});
