import type { Rule } from "@aws-sdk/client-elastic-load-balancing-v2";
import { z } from "zod";
import { AwsError, isNamed } from "../../src/aws/errors.ts";
import type { Reader, Writer } from "../../src/aws/service.ts";
import { TAG_RESOURCE, TAG_STACK, TAG_UID, type Tags } from "../../src/aws/tags.ts";
import type { FieldChange } from "../../src/core/diff.ts";
import { field, tags } from "../../src/core/field.ts";
import { isObject, type JsonObject } from "../../src/core/json.ts";
import { allTags, byParent, elbv2, elbv2Tags, NOT_FOUND, PAGE, parentArn, referent, taggedArns, tagList } from "../../src/kind/elbv2.ts";
import { actionFindings, actionsField, actionsOf, actionsOut, clientSecretField } from "../../src/kind/elbv2-actions.ts";
import {
  conditionFindings,
  conditionsField,
  conditionsOf,
  conditionsOut,
  transformsField,
  transformsOf,
  transformsOut,
} from "../../src/kind/elbv2-conditions.ts";
import {
  type CheckFinding,
  defineKind,
  type Effect,
  type Remote,
  type Scope,
  type StaticResource,
  type Target,
} from "../../src/kind/kind.ts";
import { defined, listInScope, unlessNamed } from "../../src/kind/listing.ts";

const spec = z.strictObject({
  listenerArn: field(z.string().min(1), {
    doc: "The listener it is a part of.",
    immutable: true,
    ref: "elbv2.aws/v1 Listener.listenerArn",
  }),
  priority: field(z.int().min(1).max(50_000), { doc: "Its place among the listener's rules: the lowest is asked first." }),
  conditions: conditionsField(),
  actions: actionsField("What is done with such requests, in this order."),
  transforms: transformsField(),
  clientSecret: clientSecretField(),
  tags: tags(),
});

const status = z.strictObject({
  ruleArn: field(z.string(), { doc: "The ARN of the rule." }),
});

type Spec = z.infer<typeof spec>;

const IN_USE = ["PriorityInUseException"];
/** Ours: another rule of the stack has the priority, for now. */
const HELD = "PriorityHeld";
/** Ours: somebody else's rule has it. */
const TAKEN = "PriorityTaken";

export const listenerRule = defineKind({
  apiVersion: "elbv2.aws/v1",
  kind: "ListenerRule",
  doc: "What a listener does with requests of a certain kind.",
  spec,
  status,
  id: "ruleArn",
  identity: { by: "name", key: ["listenerArn", "priority"], movable: true },
  // As its listener's, for the same reason.
  lifecycle: { replace: "deleteFirst" },
  deviations: [
    "A condition says its values in the config of its field; AWS's short form, `values` beside `field`, is not taken.",
    "Without `order`, actions are performed in the list's order.",
    "An action is taken as a whole: what it leaves out is AWS's default, as `#{host}`, `/#{path}` and `#{query}` of a redirect.",
    "The client secret of an authenticate-oidc action is the field `clientSecret`, so that it is kept secret.",
    "Rules of the stack that take each other's priorities swap them in one call; a new rule waits until another has left its priority.",
  ],
  errors: {
    notFound: ["RuleNotFoundException"],
    exists: ["PriorityInUseException"],
    wait: ["ResourceInUseException", "TargetGroupAssociationLimitException", HELD],
    propagating: ["ListenerNotFoundException", "TargetGroupNotFoundException"],
  },
  list: {
    operations: ["tag:GetResources", "elasticloadbalancing:DescribeRules", "elasticloadbalancing:DescribeTags"],
    run: list,
  },
  create: {
    operations: ["elasticloadbalancing:CreateRule", "elasticloadbalancing:DescribeRules", "elasticloadbalancing:DescribeTags"],
    run: async (aws, desired) => {
      const request = {
        ListenerArn: desired.listenerArn,
        Priority: desired.priority,
        Conditions: conditionsOut(desired.conditions),
        Actions: actionsOut(desired.actions, desired.clientSecret),
        Transforms: desired.transforms?.length ? transformsOut(desired.transforms) : undefined,
        Tags: tagList(desired.tags),
      };
      const answer = await aws.write(elbv2, "CreateRule", request).catch((error: unknown) => explainHeld(aws, error, desired));
      const created = answer.Rules?.[0] ?? {};
      return { id: String(created.RuleArn), values: { ...valuesOf(created), tags: desired.tags ?? {} } };
    },
  },
  updates: [
    {
      fields: ["priority"],
      operations: ["elasticloadbalancing:DescribeRules", "elasticloadbalancing:DescribeTags", "elasticloadbalancing:SetRulePriorities"],
      run: (aws, target) => inTurn(aws, parentArn(target.id), () => reorder(aws, target)),
    },
    {
      fields: ["conditions", "actions", "transforms", "clientSecret"],
      operations: ["elasticloadbalancing:ModifyRule"],
      run: async (aws, { id, desired, changes }) => {
        const answer = await aws.write(elbv2, "ModifyRule", { RuleArn: id, ...modification(desired, changes) });
        const { Conditions, Actions, Transforms } = answer.Rules?.[0] ?? {};
        const said = defined({ conditions: conditionsOf(Conditions), actions: actionsOf(Actions) });
        return {
          values: {
            ...said,
            ...(changes.transforms ? { transforms: transformsOf(Transforms) } : {}),
            ...(changes.actions || changes.clientSecret ? { clientSecret: desired.clientSecret } : {}),
          },
        };
      },
    },
    elbv2Tags(),
  ],
  delete: {
    operations: ["elasticloadbalancing:DeleteRule"],
    run: async (aws, { id }) => void (await aws.write(elbv2, "DeleteRule", { RuleArn: id })),
  },
  check: (resources) => [...resources.flatMap((resource) => [...findings(resource)]), ...twins(resources)],
});

function modification(desired: Spec, changes: Readonly<Record<string, FieldChange>>): object {
  const { transforms = [] } = desired;
  return {
    ...(changes.conditions ? { Conditions: conditionsOut(desired.conditions) } : {}),
    ...(changes.actions || changes.clientSecret ? { Actions: actionsOut(desired.actions, desired.clientSecret, true) } : {}),
    ...(changes.transforms ? (transforms.length > 0 ? { Transforms: transformsOut(transforms) } : { ResetTransforms: true }) : {}),
  };
}

function refused(name: string, message: string): AwsError {
  return new AwsError(name, message, { operation: "elasticloadbalancing:SetRulePriorities", verdict: "refused" });
}

/** A priority that another rule of the stack has is waited for; whose it is otherwise, the next look tells. */
async function explainHeld(aws: Reader, error: unknown, { listenerArn, priority, tags: own = {} }: Spec): Promise<never> {
  if (!isNamed(error, IN_USE)) throw error;
  const holder = (await rulesOf(aws, listenerArn)).find((rule) => Number(rule.Priority) === priority);
  const labels = holder ? await tagsOf(aws, holder) : {};
  const isOther = labels[TAG_STACK] !== undefined && labels[TAG_STACK] === own[TAG_STACK] && labels[TAG_UID] !== own[TAG_UID];
  throw isOther ? refused(HELD, `priority ${priority} still belongs to ${labels[TAG_RESOURCE]}`) : error;
}

const turns = new WeakMap<Reader, Map<string, Promise<unknown>>>();

/** Rules of one listener move one after the other: a swap that was decided on before another one would undo it. */
function inTurn<T>(aws: Reader, listener: string, move: () => Promise<T>): Promise<T> {
  const own = turns.get(aws) ?? new Map<string, Promise<unknown>>();
  turns.set(aws, own);
  const turn = (own.get(listener) ?? Promise.resolve()).then(move, move);
  own.set(listener, turn);
  return turn;
}

/**
 * Moves the rule to its priority. Where another rule of the stack is there, the two swap in one call: it wants another place,
 * too, and goes on from ours. Nobody else's rule is moved.
 */
async function reorder(aws: Writer, { id, desired, observed }: Target<Spec>): Promise<Effect> {
  const rules = await rulesOf(aws, parentArn(id));
  const [own, holder] = [rules.find(({ RuleArn }) => RuleArn === id), rules.find(({ Priority }) => Number(Priority) === desired.priority)];
  const present = Number(own?.Priority ?? observed.priority);
  // Another rule's swap may have brought it there meanwhile.
  if (present === desired.priority) return { values: { priority: present } };
  const stack = isObject(observed.tags) ? observed.tags[TAG_STACK] : undefined;
  if (holder && (stack === undefined || (await tagsOf(aws, holder))[TAG_STACK] !== stack)) {
    const advice = "choose another one, or move that rule";
    throw refused(TAKEN, `priority ${desired.priority} belongs to ${holder.RuleArn}, which is not of this stack: ${advice}`);
  }
  const pairs = [{ RuleArn: id, Priority: desired.priority }, ...(holder ? [{ RuleArn: holder.RuleArn, Priority: present }] : [])];
  try {
    await aws.write(elbv2, "SetRulePriorities", { RulePriorities: pairs });
    return { values: { priority: desired.priority } };
  } catch (error) {
    // A third rule has come there since the look.
    if (!isNamed(error, IN_USE)) throw error;
    return { values: { priority: present } };
  }
}

async function tagsOf(aws: Reader, { RuleArn = "" }: Rule): Promise<Tags> {
  return (await allTags(aws, [RuleArn], new Map())).get(RuleArn) ?? {};
}

/** The rules of a listener but for its default one, which is the listener's own. */
async function rulesOf(aws: Reader, ListenerArn: string): Promise<readonly Rule[]> {
  const found = await unlessNamed(NOT_FOUND, aws.pages(elbv2, "DescribeRules", { ListenerArn, PageSize: PAGE }, "Rules"));
  return (found ?? []).filter(({ IsDefault }) => !IsDefault);
}

async function list(aws: Reader, scope: Scope): Promise<Remote[]> {
  const known = new Map<string, Tags>();
  const { at, byArns } = byParent(
    (parent) => rulesOf(aws, parent),
    (object) => object.RuleArn,
  );
  const found = await listInScope<Rule>(scope, {
    id: (object) => object.RuleArn,
    byTags: async (wanted) => byArns(await taggedArns(aws, "listener-rule", wanted, known)),
    byIds: byArns,
    byNames: (names) => at(names.map(({ listenerArn }) => String(listenerArn))),
    matches: (object, name) => parentArn(String(object.RuleArn)) === name.listenerArn && Number(object.Priority) === name.priority,
  });
  const own = await allTags(
    aws,
    found.map(({ RuleArn }) => String(RuleArn)),
    known,
  );
  return found.map((object) => {
    const id = String(object.RuleArn);
    const labels = own.get(id) ?? {};
    return { id, values: { ...valuesOf(object), tags: labels }, tags: labels };
  });
}

function valuesOf(object: Rule): JsonObject {
  const arn = String(object.RuleArn);
  return defined({
    ruleArn: arn,
    listenerArn: parentArn(arn),
    priority: Number(object.Priority),
    conditions: conditionsOf(object.Conditions),
    actions: actionsOf(object.Actions),
    transforms: transformsOf(object.Transforms),
  });
}

function* findings(resource: StaticResource): Generator<CheckFinding> {
  for (const found of actionFindings(resource, "actions")) yield { resource: resource.key, ...found };
  for (const found of conditionFindings(resource)) yield { resource: resource.key, ...found };
}

function* twins(resources: readonly StaticResource[]): Generator<CheckFinding> {
  const seen = new Map<string, StaticResource>();
  for (const resource of resources) {
    const { priority } = resource.spec;
    if (typeof priority !== "number") continue;
    const place = `${referent(resource, "listenerArn")} ${priority}`;
    const twin = seen.get(place);
    if (twin)
      yield { resource: resource.key, field: "priority", message: `${resource.key} and ${twin.key} both have priority ${priority}` };
    seen.set(place, resource);
  }
}
