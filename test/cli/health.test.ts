/** The real `beaconctl health` against the sandbox, and against endpoints and a webhook on loopback. */

import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { startFaultProxy } from "../support/fault-proxy.ts";
import { clientSettings, sandboxEndpoint } from "../support/sandbox.ts";
import { type Ended, run, type Workspace, workspace } from "./beaconctl.ts";

type Listening = AsyncDisposable & { readonly url: string; readonly requests: { readonly path: string; readonly body: string }[] };

/** A loopback server that remembers what it was asked. */
async function serve(handle: (request: IncomingMessage, response: ServerResponse) => void): Promise<Listening> {
  const requests: { path: string; body: string }[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    requests.push({ path: request.url ?? "", body: Buffer.concat(chunks).toString() });
    handle(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests, [Symbol.asyncDispose]: close };
}

const answering = (status: number) => serve((_request, response) => void response.writeHead(status).end());

const head = (project: string): string => `
apiVersion: beacon/v1
kind: Project
metadata: {name: ${project}}
spec: {id: ${project}}
---
apiVersion: beacon/v1
kind: Environment
metadata: {name: dev}
spec: {default: true}
---
`;

const monitor = (name: string, spec: string): string => `
apiVersion: beacon/v1
kind: Monitor
metadata: {name: ${name}}
spec:
  retries: 0
  ${spec}
---
`;

const table = `
apiVersion: dynamodb.aws/v1
kind: Table
metadata: {name: main}
spec: {billingMode: PAY_PER_REQUEST, keySchema: {hash: id}, attributeDefinitions: {id: S}}
---
`;

const health = (place: Workspace, ...args: string[]): Promise<Ended> => place.beaconctl("health", "-f", "m.yaml", ...args);

/** Runs it with a webhook in the environment. */
async function healthWithWebhook(place: Workspace, webhook: string): Promise<Ended> {
  const env = { AWS_REGION: "eu-west-1", BEACON_SLACK_WEBHOOK_URL: webhook };
  return run(["health", "-f", "m.yaml", "--sandbox", "--endpoint", await sandboxEndpoint()], place.folder, env).ended;
}

test("one aligned line per check: what was seen and what is wanted, and 8 when something is not healthy", async () => {
  await using well = await answering(200);
  await using ill = await answering(503);
  await using place = await workspace((project) => ({
    "m.yaml":
      head(project) +
      monitor("backend", `http: {url: "${well.url}/api/health"}`) +
      monitor("frontend", `http: {url: "${ill.url}/health"}`) +
      monitor("gone", 'http: {url: "http://127.0.0.1:9/"}'),
  }));
  const ended = await health(place);
  assert.equal(ended.exitCode, 8, ended.stderr);
  const [first, blank, ...rest] = ended.stdout.trimEnd().split("\n");
  assert.match(first ?? "", new RegExp(`^${place.project}/dev {2}eu-west-1 {2}account 123456789012 {2}3 checks in \\d`));
  assert.equal(blank, "");
  const columns = (line: string | undefined) => line?.split(/ {2,}/);
  assert.deepEqual(columns(rest[0]), ["✓ backend", `${well.url}/api/health`, "HTTP 200", "wanted HTTP 200"]);
  assert.deepEqual(columns(rest[1]), ["✗ frontend", `${ill.url}/health`, "HTTP 503", "wanted HTTP 200"]);
  assert.match(rest[2] ?? "", /^✗ gone .*(bad port|refused)/);
  assert.equal(new Set(rest.slice(0, 3).map((line) => line.indexOf("wanted"))).size, 1, "the columns are aligned");
  assert.deepEqual(rest.slice(3), ["", "2 of 3 checks are not healthy."]);
  assert.deepEqual(
    [well.requests, ill.requests].map((requests) => requests.map(({ path }) => path)),
    [["/api/health"], ["/health"]],
  );

  const some = await health(place, "backend");
  assert.equal(some.exitCode, 0, some.stderr);
  assert.match(some.stdout, /The check is healthy\.$/m);
  const none = await health(place, "bakend");
  assert.equal(none.exitCode, 2);
  assert.match(none.stderr, /no Monitor is called bakend\nnext: did you mean backend\?/);
});

test("an endpoint is looked at again before it has failed, a slow one is given up, and a redirect is followed only where asked", async () => {
  let calls = 0;
  await using flaky = await serve((_request, response) => void response.writeHead(++calls < 2 ? 503 : 200).end());
  await using slow = await serve(() => {});
  await using moved = await serve((request, response) =>
    request.url === "/there" ? void response.writeHead(204).end() : void response.writeHead(302, { location: "/there" }).end(),
  );
  await using place = await workspace((project) => ({
    "m.yaml":
      head(project) +
      monitor("flaky", `http: {url: "${flaky.url}"}`).replace("retries: 0", "retries: 1") +
      monitor("slow", `http: {url: "${slow.url}"}\n  timeout: 1s`) +
      monitor("moved", `http: {url: "${moved.url}/here", expectedStatus: 302}`) +
      monitor("followed", `http: {url: "${moved.url}/here", expectedStatus: [200, 204], followRedirects: true}`),
  }));
  const ended = await health(place, "-o", "json");
  assert.equal(ended.exitCode, 8, ended.stderr);
  const { healthy, stack, monitors } = JSON.parse(ended.stdout);
  assert.deepEqual([healthy, stack], [false, `${place.project}/dev`]);
  const facts = monitors.map(({ key, state, seen, attempts }: Record<string, unknown>) => [key, state, seen, attempts]);
  assert.deepEqual(facts, [
    ["Monitor/flaky", "healthy", "HTTP 200", 2],
    ["Monitor/slow", "unhealthy", "no answer in 1 s", 1],
    ["Monitor/moved", "healthy", "HTTP 302", 1],
    ["Monitor/followed", "healthy", "HTTP 204", 1],
  ]);
});

test("what expressions say of resources is looked up as it is now: before the apply, after it, and when the table is gone", async () => {
  await using place = await workspace((project) => ({
    "m.yaml": head(project) + table + monitor("main", 'tableStatus: {tableName: "${table.main.tableName}"}'),
  }));
  const before = await health(place);
  assert.equal(before.exitCode, 8, before.stderr);
  assert.match(before.stdout, /^✗ main {2}<table\.main\.tableName> {2}not there yet {2}wanted ACTIVE$/m);
  const applied = await place.beaconctl("apply", "-f", "m.yaml", "--yes");
  assert.equal(applied.exitCode, 0, applied.stderr);
  assert.match(applied.stdout, /^Next steps\n {2}1\. Check that it is healthy: beaconctl health -f m\.yaml --env dev --sandbox$/m);
  assert.match((await place.beaconctl("diff", "-f", "m.yaml")).stdout, /No differences/, "a Monitor is in no plan");
  const after = await health(place);
  assert.equal(after.exitCode, 0, after.stdout);
  assert.match(after.stdout, new RegExp(`^✓ main {2}${place.project}-dev-main {2}ACTIVE {2}wanted ACTIVE$`, "m"));
  const { DynamoDB } = await import("@aws-sdk/client-dynamodb");
  const dynamodb = new DynamoDB(await clientSettings());
  await dynamodb.deleteTable({ TableName: `${place.project}-dev-main` });
  assert.match((await health(place)).stdout, /^✗ main /m);
});

test("targets and alarms are asked of AWS by the read-only handle; what AWS refuses is told, and hides nothing else", async () => {
  const { groupArn, alarm } = await awsObjects();
  await using proxy = await startFaultProxy({ upstream: await sandboxEndpoint() });
  await using well = await answering(200);
  await using place = await workspace(
    (project) => ({
      "m.yaml":
        head(project) +
        table +
        monitor("targets", `targetHealth: {targetGroupArn: "${groupArn}", minimumHealthyTargets: 2}`) +
        monitor("nobody", `targetHealth: {targetGroupArn: "${groupArn.replace(/\w+$/, "0123456789abcdef")}"}`) +
        monitor("alarm", `alarmState: {alarmName: ${alarm}}`) +
        monitor("no-alarm", "alarmState: {alarmName: nobody-made-it}") +
        monitor("table", "tableStatus: {tableName: nobody-made-it}") +
        monitor("looked-up", 'tableStatus: {tableName: "${table.main.tableName}"}') +
        monitor("web", `http: {url: "${well.url}"}`),
    }),
    { endpoint: proxy.endpoint },
  );
  const lines = async (): Promise<string> => (await health(place)).stdout.replaceAll(/ {2,}/g, "  ");
  const seen = await lines();
  assert.match(seen, /^✗ targets {2}[\w-]+ {2}1 of 1 healthy {2}wanted at least 2$/m);
  assert.match(seen, /^✗ nobody {2}[\w-]+ {2}no such target group {2}wanted at least 1$/m);
  assert.match(seen, /^✗ alarm {2}[\w-]+ {2}ALARM {2}wanted not ALARM$/m);
  assert.match(seen, /^✗ no-alarm {2}nobody-made-it {2}no such alarm {2}/m);
  assert.match(seen, /^✗ table {2}nobody-made-it {2}no such table {2}/m);
  assert.deepEqual(proxy.mutatingCalls, []);

  const denied = { type: "error", when: "before", status: 400, code: "AccessDeniedException", message: "not allowed" } as const;
  proxy.inject({
    match: { operations: ["dynamodb:DescribeTable", "dynamodb:ListTables", "tag:GetResources"] },
    fault: denied,
    times: "always",
  });
  const refused = await lines();
  assert.match(refused, /^✗ table {2}nobody-made-it {2}could not be read: not allowed \(AccessDeniedException\) {2}wanted ACTIVE$/m);
  assert.match(refused, /^✗ looked-up {2}<table\.main\.tableName> {2}Table objects could not be read: .*not allowed {2}wanted ACTIVE$/m);
  assert.match(refused, /^✓ web /m);
});

/** A target group with one healthy target, and an alarm in ALARM. */
async function awsObjects(): Promise<{ groupArn: string; alarm: string }> {
  const settings = await clientSettings();
  const [{ EC2 }, { ElasticLoadBalancingV2 }, { CloudWatch }] = await Promise.all([
    import("@aws-sdk/client-ec2"),
    import("@aws-sdk/client-elastic-load-balancing-v2"),
    import("@aws-sdk/client-cloudwatch"),
  ]);
  const [ec2, elbv2, cloudwatch] = [new EC2(settings), new ElasticLoadBalancingV2(settings), new CloudWatch(settings)];
  const name = `health-${Math.floor(performance.timeOrigin + performance.now()) % 1e9}`;
  const { Vpc } = await ec2.createVpc({ CidrBlock: "10.77.0.0/16" });
  const { Subnet } = await ec2.createSubnet({ VpcId: Vpc?.VpcId, CidrBlock: "10.77.1.0/24" });
  const { Images = [] } = await ec2.describeImages({ Owners: ["amazon"] });
  const { Instances = [] } = await ec2.runInstances({
    ImageId: Images[0]?.ImageId,
    InstanceType: "t3.micro",
    SubnetId: Subnet?.SubnetId,
    MinCount: 1,
    MaxCount: 1,
  });
  const group = { Name: name, Protocol: "HTTP" as const, Port: 80, VpcId: Vpc?.VpcId };
  const groupArn = String((await elbv2.createTargetGroup(group)).TargetGroups?.[0]?.TargetGroupArn);
  await elbv2.registerTargets({ TargetGroupArn: groupArn, Targets: [{ Id: Instances[0]?.InstanceId }] });
  await cloudwatch.putMetricAlarm({
    AlarmName: name,
    MetricName: "m",
    Namespace: "n",
    Period: 60,
    EvaluationPeriods: 1,
    Statistic: "Sum",
    Threshold: 1,
    ComparisonOperator: "GreaterThanThreshold",
  });
  await cloudwatch.setAlarmState({ AlarmName: name, StateValue: "ALARM", StateReason: "by hand" });
  return { groupArn, alarm: name };
}

test("Slack is told of what is not healthy, and only then", async () => {
  await using webhook = await answering(200);
  await using well = await answering(200);
  await using place = await workspace((project) => ({
    "m.yaml":
      head(project) +
      monitor("web", `http: {url: "${well.url}"}`) +
      monitor("gone", `http: {url: "${well.url}/<b>&", expectedStatus: 404}`),
  }));
  const ended = await healthWithWebhook(place, `${webhook.url}/services/T0/B0/secret`);
  assert.equal(ended.exitCode, 8, ended.stderr);
  assert.match(ended.stdout, /1 of 2 checks is not healthy\. Slack was told\.$/m);
  assert.equal(webhook.requests.length, 1);
  const { text } = JSON.parse(webhook.requests[0]?.body ?? "{}");
  assert.equal(
    text,
    `:rotating_light: ${place.project}/dev: 1 of 2 checks not healthy\n• gone (${well.url}/&lt;b&gt;&amp;): HTTP 200, wanted HTTP 404`,
  );

  place.write({ "m.yaml": head(place.project) + monitor("web", `http: {url: "${well.url}"}`) });
  assert.equal((await healthWithWebhook(place, `${webhook.url}/services/T0/B0/secret`)).exitCode, 0);
  assert.equal(webhook.requests.length, 1, "nobody is told of what is healthy");
});

test("a webhook that fails is told, never shown, and hides no result", async () => {
  await using broken = await answering(500);
  await using place = await workspace((project) => ({
    "m.yaml": head(project) + monitor("web", `http: {url: "${broken.url}"}`),
  }));
  const cases: readonly (readonly [webhook: string, why: RegExp])[] = [
    [`${broken.url}/services/secret`, /the alert could not be sent: the webhook answered HTTP 500/],
    ["http://127.0.0.1:9/services/secret", /the alert could not be sent: the webhook: /],
    ["ftp://127.0.0.1/services/secret", /the alert could not be sent: BEACON_SLACK_WEBHOOK_URL is no URL/],
    ["services/secret", /the alert could not be sent: BEACON_SLACK_WEBHOOK_URL is no URL/],
  ];
  for (const [webhook, why] of cases) {
    const ended = await healthWithWebhook(place, webhook);
    assert.equal(ended.exitCode, 8, webhook);
    assert.match(ended.stderr, why);
    assert.match(ended.stdout, /^✗ web .*HTTP 500 .*\n\n1 of 1 check is not healthy\.$/m);
    assert.doesNotMatch(ended.stdout + ended.stderr, /secret/);
  }
});

test("Slack is told, too, when nothing could be checked: silence is no health", async () => {
  await using webhook = await answering(200);
  await using place = await workspace((project) => ({ "m.yaml": head(project) + monitor("web", 'http: {url: "http://127.0.0.1:9"}') }));
  const env = { AWS_REGION: "eu-west-1", BEACON_SLACK_WEBHOOK_URL: webhook.url };
  const ended = await run(["health", "-f", "m.yaml", "--env", "dev"], place.folder, env).ended;
  assert.equal(ended.exitCode, 3, ended.stderr);
  assert.match(webhook.requests[0]?.body ?? "", /health --env dev could check nothing: no AWS credentials were found/);
  const wrong = await run(["health", "-f", "nowhere", "--env", "dev"], place.folder, env).ended;
  assert.deepEqual([wrong.exitCode, webhook.requests.length], [2, 1], "a mistake at the keyboard alarms nobody");
});

test("without a Monitor there is nothing to check, and that is said", async () => {
  await using place = await workspace((project) => ({ "m.yaml": head(project) }));
  const ended = await health(place);
  assert.deepEqual([ended.exitCode, ended.stdout], [0, ""]);
  assert.match(ended.stderr, /No manifest declares a Monitor for \S+\/dev\./);
});
