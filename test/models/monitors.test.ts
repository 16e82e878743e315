/** What Monitors and doctor ask AWS for, against AWS's own models: requests, limits, and the permissions they need. */

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { actionsOf, iamPolicy } from "../../src/aws/permissions.ts";
import { isMutating, type OperationName, type Reader } from "../../src/aws/service.ts";
import { SIMULATION_OPERATIONS, simulate, simulationsOf } from "../../src/aws/simulation.ts";
import type { JsonObject } from "../../src/core/json.ts";
import type { Shape } from "../../src/core/shape.ts";
import { MONITOR, monitorOperations } from "../../src/monitor/monitor.ts";
import { runMonitor } from "../../src/monitor/run.ts";
import { VirtualWorld } from "../support/virtual-runtime.ts";
import { loadModels, operationExists, problemsOf, shapeNamed } from "./model.ts";

before(() => loadModels("elasticloadbalancing", "dynamodb", "cloudwatch", "iam"));

/** A reader that answers nothing, and remembers what was asked and what AWS would refuse of it. */
function checking() {
  const problems: string[] = [];
  const operations = new Set<OperationName>();
  const call = async (service: { id: string }, name: string, input: object): Promise<object> => {
    const operation: OperationName = `${service.id}:${name}`;
    operations.add(operation);
    problems.push(...problemsOf(operation, input));
    return {};
  };
  const pages = async (...args: Parameters<typeof call>): Promise<readonly object[]> => [await call(...args)];
  return { aws: { read: call, pages } as unknown as Reader, problems, operations };
}

const arn = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/shop/73e2d6bc24d8a067";
const specs: readonly JsonObject[] = [
  { targetHealth: { targetGroupArn: arn } },
  { tableStatus: { tableName: "orders" } },
  { alarmState: { alarmName: "errors" } },
];

test("each check's requests are taken, are the declared ones, and cannot write", async () => {
  const { aws, problems, operations } = checking();
  const world = new VirtualWorld();
  await world.run(async () => {
    for (const spec of specs) await runMonitor("Monitor/m", { ...spec, retries: 0 }, { reader: aws, fetch }, world.process("m"));
  });
  assert.deepEqual(problems, []);
  assert.deepEqual([...operations].sort(), [...monitorOperations()].sort());
  assert.deepEqual(monitorOperations().filter(isMutating), []);
});

const fieldOf = (...path: readonly string[]): Shape =>
  path.reduce<Shape>((shape, name) => {
    if (shape.type === "array") return shape.element;
    return (shape.type === "object" && shape.fields[name]) || assert.fail(name);
  }, MONITOR.spec);

test("a table's statuses and an alarm's name are AWS's", () => {
  const statuses = fieldOf("tableStatus", "expectedStatuses", "*");
  assert.deepEqual(statuses.type === "enum" && statuses.values, shapeNamed("dynamodb", "TableStatus").enum?.toSorted());
  const table = fieldOf("tableStatus", "tableName");
  const named = shapeNamed("dynamodb", "TableArn");
  assert.deepEqual(table.type === "string" && [table.minLength, table.maxLength], [named.min, named.max]);
  const alarm = fieldOf("alarmState", "alarmName");
  const { min, max } = shapeNamed("cloudwatch", "AlarmName");
  assert.deepEqual(alarm.type === "string" && [alarm.minLength, alarm.maxLength], [min, max]);
});

test("the policy allows what the checks need, by actions that exist", () => {
  const needed = monitorOperations().flatMap(actionsOf) as OperationName[];
  assert.deepEqual(
    [...needed, ...SIMULATION_OPERATIONS].filter((action) => !operationExists(action)),
    [],
  );
  const statements = iamPolicy(monitorOperations(), { stateTable: "t" }).Statement as { Action: readonly string[] }[];
  const allowed = statements.flatMap(({ Action }) => Action);
  assert.deepEqual(
    needed.filter((action) => !allowed.includes(action)),
    [],
  );
});

test("the simulation is asked by requests that AWS takes", async () => {
  const { aws, problems, operations } = checking();
  const policy = iamPolicy(["ec2:CreateVpc", "dynamodb:CreateTable", ...monitorOperations()], {
    stateTable: "t",
    region: "eu-west-1",
    accountId: "111122223333",
  });
  await simulate(aws, "arn:aws:sts::111122223333:assumed-role/deploy/me", simulationsOf(policy, "eu-west-1"));
  assert.deepEqual(problems, []);
  assert.deepEqual([...operations], ["iam:SimulatePrincipalPolicy"]);
});
