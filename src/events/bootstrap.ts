/**
 * The way that events come, made and kept as it should be.
 *
 * One flow, as for the state table: look, decide, act, and look again until there is nothing to do. Names make a repeated create safe, so
 * an answer that was lost costs one more look, and a second run only looks.
 */

import { explainAwsError } from "../aws/classify.ts";
import { AwsError, isNamed } from "../aws/errors.ts";
import type { Caller } from "../aws/handle.ts";
import { withRetries } from "../aws/retry.ts";
import { type Input, isMutating, type Output, type Service } from "../aws/service.ts";
import { normalize } from "../core/compare.ts";
import { BeaconError } from "../core/errors.ts";
import { canonical, type Json } from "../core/json.ts";
import type { Runtime } from "../core/store.ts";
import { eventBridgeIn, iam, sqs } from "./services.ts";
import { type TrailFinding, trailIn } from "./trails.ts";
import { type EventsPlace, QUEUE_TAGS, tagList, type Wanted, type WantedRule, wantedFor } from "./wanted.ts";

/** What was done, and what is left for a person: `unreported` names regions whose calls AWS reports to nobody. */
export type EventsBootstrap = {
  readonly queue: string;
  readonly done: readonly Step[];
  readonly unreported: readonly TrailFinding[];
};

/** One call that brings the way of events nearer to what it should be. */
export type Step =
  | "createQueue"
  | "setQueue"
  | "putRule"
  | "putTarget"
  | "createRole"
  | "setTrust"
  | "putRolePolicy"
  | "putForwardRule"
  | "putForwardTarget";

/** What one look found. */
export type EventsFacts = {
  /** Absent where there is no queue. */
  readonly queue?: { readonly url: string; readonly attributes: Readonly<Record<string, string>> };
  readonly rule: RuleFacts;
  readonly forward: RuleFacts;
  /** Absent where there is no role; policies as AWS writes them. */
  readonly role?: { readonly trust: string; readonly policy?: string };
};

/** `pattern` is absent where there is no rule. */
export type RuleFacts = { readonly pattern?: string; readonly enabled?: boolean; readonly target?: WantedRule["target"] };

const NO_RULE: RuleFacts = {};
const POLL_MS = 1000;
// A queue of a deleted one's name may be made after 60 s (SQS), and a role takes 2 minutes at most to be known (provider-aws#40088).
const PATIENCE_MS = 180_000;
// Somebody else made it meanwhile, or it is not known everywhere yet: a later look tells.
const BUSY = [
  ...["QueueDeletedRecently", "QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue", "QueueNameExists"],
  ...["ConcurrentModificationException", "EntityAlreadyExists", "NoSuchEntity", "ValidationException: cannot be assumed"],
];

/** Makes queue, rules and role as they should be, and asks whether a trail records what they wait for. */
export async function bootstrapEvents(caller: Caller, runtime: Runtime, place: EventsPlace): Promise<EventsBootstrap> {
  const wanted = wantedFor(place);
  const aws = patient(caller, runtime);
  try {
    const done = await settle(aws, runtime, wanted);
    const regions = [place.region, ...(wanted.forward ? [wanted.forward.region] : [])];
    const found = await Promise.all(regions.map((region) => trailIn(aws, region)));
    return { queue: place.queue, done, unreported: found.filter(({ recorded }) => !recorded) };
  } catch (error) {
    throw error instanceof AwsError ? explainAwsError(error) : error;
  }
}

/** What is to be done next, if anything: first what others refer to. */
export function nextStep({ queue, rule, forward, role }: EventsFacts, wanted: Wanted): Step | undefined {
  if (!queue) return "createQueue";
  if (!sameAttributes(queue.attributes, wanted.queue.attributes)) return "setQueue";
  if (!sameRule(rule, wanted.rule)) return "putRule";
  if (!sameTarget(rule, wanted.rule)) return "putTarget";
  if (!wanted.role || !wanted.forward) return undefined;
  if (!role) return "createRole";
  if (!samePolicy(role.trust, wanted.role.trust)) return "setTrust";
  if (!samePolicy(role.policy, wanted.role.policy)) return "putRolePolicy";
  if (!sameRule(forward, wanted.forward)) return "putForwardRule";
  return sameTarget(forward, wanted.forward) ? undefined : "putForwardTarget";
}

function sameAttributes(found: Readonly<Record<string, string>>, wanted: Readonly<Record<string, string>>): boolean {
  return Object.entries(wanted).every(([name, value]) => (name === "Policy" ? samePolicy(found.Policy, value) : found[name] === value));
}

function sameRule({ pattern, enabled }: RuleFacts, wanted: WantedRule): boolean {
  return enabled === true && pattern !== undefined && canonical(normalize(pattern, "json")) === canonical(wanted.pattern);
}

function sameTarget({ target }: RuleFacts, wanted: WantedRule): boolean {
  return target?.Arn === wanted.target.Arn && target.RoleArn === wanted.target.RoleArn;
}

function samePolicy(found: Json | undefined, wanted: Json): boolean {
  return found !== undefined && canonical(normalize(found, "iam-policy")) === canonical(normalize(wanted, "iam-policy"));
}

async function settle(aws: Caller, runtime: Runtime, wanted: Wanted): Promise<readonly Step[]> {
  const done: Step[] = [];
  const endMs = runtime.monotonic() + PATIENCE_MS;
  while (true) {
    const facts = await look(aws, wanted);
    const step = nextStep(facts, wanted);
    if (!step) return [...new Set(done)];
    if (runtime.monotonic() > endMs)
      throw new BeaconError("StillWaiting", `the queue ${wanted.queue.name} is not ready yet (${step})`, { next: "run bootstrap again" });
    const accepted = await tryStep(aws, wanted, { facts, step });
    // What was accepted may show a moment later.
    if (!accepted || done.at(-1) === step) await runtime.sleep(POLL_MS);
    if (accepted) done.push(step);
  }
}

async function look(aws: Caller, wanted: Wanted): Promise<EventsFacts> {
  const [queue, rule, forward, role] = await Promise.all([
    queueFacts(aws, wanted.queue.name),
    ruleFacts(aws, wanted.rule),
    wanted.forward ? ruleFacts(aws, wanted.forward) : NO_RULE,
    wanted.role ? roleFacts(aws, wanted.role) : undefined,
  ]);
  return { rule, forward, ...(queue ? { queue } : {}), ...(role ? { role } : {}) };
}

const NO_QUEUE = ["QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue"];

async function queueFacts(aws: Caller, QueueName: string): Promise<EventsFacts["queue"]> {
  return unless(NO_QUEUE, async () => {
    const { QueueUrl: url = "" } = await aws.call(sqs, "GetQueueUrl", { QueueName });
    const { Attributes: attributes = {} } = await aws.call(sqs, "GetQueueAttributes", { QueueUrl: url, AttributeNames: ["All"] });
    return { url, attributes };
  });
}

async function ruleFacts(aws: Caller, { region, name, target }: WantedRule): Promise<RuleFacts> {
  const events = eventBridgeIn(region);
  const found = await unless(["ResourceNotFoundException"], async () => {
    const [{ EventPattern: pattern = "", State }, { Targets = [] }] = await Promise.all([
      aws.call(events, "DescribeRule", { Name: name }),
      aws.call(events, "ListTargetsByRule", { Rule: name }),
    ]);
    const ours = Targets.find(({ Id }) => Id === target.Id);
    const { Id = target.Id, Arn = "", RoleArn } = ours ?? {};
    return { pattern, enabled: State === "ENABLED", ...(ours ? { target: { Id, Arn, ...(RoleArn ? { RoleArn } : {}) } } : {}) };
  });
  return found ?? NO_RULE;
}

async function roleFacts(
  aws: Caller,
  { name: RoleName, policyName: PolicyName }: NonNullable<Wanted["role"]>,
): Promise<EventsFacts["role"]> {
  const noEntity = ["NoSuchEntity"];
  const role = await unless(noEntity, () => aws.call(iam, "GetRole", { RoleName }));
  if (!role) return undefined;
  const policy = await unless(noEntity, () => aws.call(iam, "GetRolePolicy", { RoleName, PolicyName }));
  const trust = decodeURIComponent(role.Role?.AssumeRolePolicyDocument ?? "");
  return { trust, ...(policy ? { policy: decodeURIComponent(policy.PolicyDocument ?? "") } : {}) };
}

async function unless<T>(names: readonly string[], ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (isNamed(error, names)) return undefined;
    throw error;
  }
}

/** False where it was not done, or nobody knows: the next look tells. */
async function tryStep(aws: Caller, wanted: Wanted, { facts, step }: { facts: EventsFacts; step: Step }): Promise<boolean> {
  try {
    await act(aws, wanted, { facts, step });
    return true;
  } catch (error) {
    if (error instanceof AwsError && (error.verdict !== "refused" || isNamed(error, BUSY))) return false;
    throw error;
  }
}

async function act(
  aws: Caller,
  { queue, rule, forward, role }: Wanted,
  { facts, step }: { facts: EventsFacts; step: Step },
): Promise<void> {
  switch (step) {
    case "createQueue":
      await aws.call(sqs, "CreateQueue", { QueueName: queue.name, Attributes: queue.attributes, tags: QUEUE_TAGS });
      return;
    case "setQueue":
      await aws.call(sqs, "SetQueueAttributes", { QueueUrl: facts.queue?.url, Attributes: queue.attributes });
      return;
    case "putRule":
      return putRule(aws, rule);
    case "putTarget":
      return putTarget(aws, rule);
    case "createRole": {
      const { name: RoleName = "", trust } = role ?? {};
      await aws.call(iam, "CreateRole", { RoleName, AssumeRolePolicyDocument: JSON.stringify(trust), Tags: tagList() });
      return;
    }
    case "setTrust":
      await aws.call(iam, "UpdateAssumeRolePolicy", { RoleName: role?.name, PolicyDocument: JSON.stringify(role?.trust) });
      return;
    case "putRolePolicy": {
      const { name: RoleName, policyName: PolicyName, policy } = role ?? {};
      await aws.call(iam, "PutRolePolicy", { RoleName, PolicyName, PolicyDocument: JSON.stringify(policy) });
      return;
    }
    case "putForwardRule":
      return forward && putRule(aws, forward);
    case "putForwardTarget":
      return forward && putTarget(aws, forward);
  }
}

// PutRule of an existing rule must not bring tags: "If you are updating an existing rule, any tags you specify ... are ignored".
async function putRule(aws: Caller, { region, name: Name, description: Description, pattern }: WantedRule): Promise<void> {
  const EventPattern = JSON.stringify(pattern);
  await aws.call(eventBridgeIn(region), "PutRule", { Name, Description, EventPattern, State: "ENABLED", Tags: tagList() });
}

async function putTarget(aws: Caller, { region, name: Rule, target }: WantedRule): Promise<void> {
  const { FailedEntries = [] } = await aws.call(eventBridgeIn(region), "PutTargets", { Rule, Targets: [target] });
  const [failed] = FailedEntries;
  if (failed) throw new BeaconError("AwsRefused", `events:PutTargets: ${failed.ErrorMessage} (${failed.ErrorCode})`);
}

/** Throttled calls and failed reads are sent again; what becomes of a write is the next look's to find out. */
function patient(caller: Caller, runtime: Runtime): Caller {
  return {
    call<Module, Op extends string>(service: Service<Module>, operation: Op, input: Input<Module, Op>): Promise<Output<Module, Op>> {
      const mutating = isMutating(`${service.id}:${operation}`);
      return withRetries(() => caller.call(service, operation, input), { runtime, mutating, onThrottled: () => undefined });
    },
  };
}
