/**
 * `npm run demo`: the main job on a laptop, with no AWS account. Converges the whole of BEACON's production environment on a
 * local AWS of its own, lets an outside hand change it, shows and corrects the drift, deletes everything.
 */

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { styleText } from "node:util";

const ROOT = new URL("..", import.meta.url).pathname;
const REGION = "ap-northeast-2";
const color = !process.env.NO_COLOR && (process.stdout.isTTY || Boolean(process.env.FORCE_COLOR));
const started = performance.now();

// A sandbox of its own, so that the demo meets nobody's; what AWS_* says elsewhere is not for it.
const folder = mkdtempSync(join(tmpdir(), "beacon-demo-"));
const own = Object.entries(process.env).filter(([name]) => !name.startsWith("AWS_") && !name.startsWith("BEACON_"));
const env = {
  ...Object.fromEntries(own),
  BEACON_SANDBOX_DIR: join(folder, "sandbox"),
  ...(process.env.BEACON_SANDBOX_HOME ? { BEACON_SANDBOX_HOME: process.env.BEACON_SANDBOX_HOME } : {}),
};

function say(text: string): void {
  process.stdout.write(`\n${color ? styleText("cyan", text) : `# ${text}`}\n`);
}

/** Runs a command as a person would, and insists on its exit code. Resolves to stdout where it is not shown. */
async function beaconctl(args: string, expected = 0, options: { show: boolean } = { show: true }): Promise<string> {
  if (options.show) process.stdout.write(`${color ? styleText("bold", `$ beaconctl ${args}`) : `$ beaconctl ${args}`}\n`);
  const words = [...args.matchAll(/"([^"]*)"|(\S+)/g)].map((match) => match[1] ?? match[2] ?? "");
  const child = spawn(process.execPath, [join(ROOT, "src/main.ts"), ...words], {
    cwd: ROOT,
    env,
    stdio: ["ignore", options.show ? "inherit" : "pipe", "inherit"],
  });
  let output = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  if (exitCode !== expected) throw new Error(`beaconctl ${args} ended with ${exitCode}, not ${expected}`);
  return output;
}

/** Somebody with a console, or a script: changes things past BEACON, with nothing but the AWS SDK. */
async function outsideHand(endpoint: string): Promise<void> {
  const [{ EC2 }, { CloudWatch }, { ElasticLoadBalancingV2 }] = await Promise.all([
    import("@aws-sdk/client-ec2"),
    import("@aws-sdk/client-cloudwatch"),
    import("@aws-sdk/client-elastic-load-balancing-v2"),
  ]);
  const settings = { endpoint, region: REGION, credentials: { accessKeyId: "demo", secretAccessKey: "demo" } };
  const [ec2, cloudwatch, elb] = [new EC2(settings), new CloudWatch(settings), new ElasticLoadBalancingV2(settings)];
  const { SecurityGroups = [] } = await ec2.describeSecurityGroups({
    Filters: [{ Name: "tag:beacon:resource", Values: ["SecurityGroup/backend.instances"] }],
  });
  const ssh = { IpProtocol: "tcp", FromPort: 22, ToPort: 22, IpRanges: [{ CidrIp: "0.0.0.0/0" }] };
  await ec2.authorizeSecurityGroupIngress({ GroupId: SecurityGroups[0]?.GroupId, IpPermissions: [ssh] });
  await cloudwatch.deleteAlarms({ AlarmNames: ["beacon-prod-backend-high-cpu"] });
  const { TargetGroups = [] } = await elb.describeTargetGroups({ Names: ["beacon-prod-backend-tg"] });
  await elb.modifyTargetGroup({ TargetGroupArn: TargetGroups[0]?.TargetGroupArn, HealthCheckPath: "/" });
  const { RouteTables = [] } = await ec2.describeRouteTables({
    Filters: [{ Name: "tag:beacon:resource", Values: ["RouteTable/private"] }],
  });
  await ec2.deleteRoute({ RouteTableId: RouteTables[0]?.RouteTableId, DestinationCidrBlock: "0.0.0.0/0" });
  for (const client of [ec2, cloudwatch, elb]) client.destroy();
}

async function demo(): Promise<void> {
  say("A local AWS, on loopback and in memory. The first time, it is installed into your cache folder.");
  await beaconctl("sandbox start");
  const { endpoint } = JSON.parse(await beaconctl("sandbox status -o json", 0, { show: false })) as { endpoint: string };
  say("Check the manifests of all environments, offline.");
  await beaconctl("validate -f manifests --sandbox");
  say("What would an apply do to production? A diff cannot write.");
  await beaconctl("diff -f manifests --env prod --sandbox", 1);
  say("Do it. Production asks for a phrase; here it is given.");
  await beaconctl("apply -f manifests --env prod --sandbox --confirm yes");
  say("A second look: nothing differs.");
  await beaconctl("diff -f manifests --env prod --sandbox");
  say("Somebody opens port 22 to the world, changes a health check, and deletes an alarm and the private subnets' way out.");
  await outsideHand(endpoint);
  say("The drift, field by field, with its cause.");
  await beaconctl("diff -f manifests --env prod --sandbox", 1);
  say("Put it right: these fields and the alarm, and nothing else.");
  await beaconctl("apply -f manifests --env prod --sandbox --confirm yes");
  say("Delete everything. Tables and backups are protected, and production has a phrase for that too.");
  await beaconctl("delete -f manifests --env prod --sandbox --include-protected --confirm destroy-prod");
}

// Without its folder a sandbox ends by itself: whatever ends the demo, nothing is left running.
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
for (const [signal, exitCode] of [
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const)
  process.on(signal, () => process.exit(exitCode));

try {
  await demo();
  await beaconctl("sandbox stop");
  say(`That was the main job, in ${((performance.now() - started) / 1000).toFixed(0)} s. Next: README.md.`);
} catch (error) {
  process.stderr.write(`\nThe demo failed: ${error instanceof Error ? error.message : String(error)}\n`);
  await beaconctl("sandbox stop", 0, { show: false }).catch(() => {});
  process.exitCode = 1;
}
