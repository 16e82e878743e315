/** What the real `beaconctl apply` leaves to read: the outputs that count, and what is to be done. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { workspace } from "./beaconctl.ts";

const manifests = (project: string): Readonly<Record<string, string>> => ({
  "m.yaml": `
apiVersion: beacon/v1
kind: Project
metadata: {name: ${project}}
spec:
  id: ${project}
  parameters:
    lab: {type: boolean, default: false}
  outputs:
    vpcId: {value: "\${vpc.main.vpcId}"}
    range: {value: "\${vpc.main.cidrBlock}"}
    urls:
      value: {frontend: "https://shop.example.com", lab: "\${vpc.?lab.?vpcId}"}
      summary: true
  nextSteps:
    - Peer \${vpc.main.vpcId}
    - $if: \${params.lab}
      text: Look at the lab
    - \${vpc.?lab.?vpcId}
---
apiVersion: beacon/v1
kind: Environment
metadata: {name: dev}
spec: {default: true}
---
apiVersion: ec2.aws/v1
kind: VPC
metadata: {name: main}
spec: {cidrBlock: 10.0.0.0/16}
---
apiVersion: ec2.aws/v1
kind: VPC
metadata: {name: lab}
includeWhen: \${params.lab}
spec: {cidrBlock: 10.9.0.0/16}
`,
});

test("after an apply stand the outputs that are marked, how to see the rest, and the next steps; steps only where something changed", async () => {
  await using place = await workspace(manifests);
  const applied = await place.beaconctl("apply", "-f", "m.yaml", "--yes");
  assert.equal(applied.exitCode, 0, applied.stderr);
  const [, after = ""] = applied.stdout.split("\n\nOutputs\n");
  const vpcId = (await place.beaconctl("outputs", "vpcId", "-f", "m.yaml")).stdout.trim();
  const rest = "  2 more: beaconctl outputs -f m.yaml --env dev --sandbox";
  assert.equal(after, `  urls.frontend  https://shop.example.com\n${rest}\n\nNext steps\n  1. Peer ${vpcId}\n`);

  const again = await place.beaconctl("apply", "-f", "m.yaml", "--yes");
  assert.match(again.stdout, /Nothing to do\..*\n\nOutputs\n/);
  assert.doesNotMatch(again.stdout, /Next steps/);
  const lab = JSON.parse((await place.beaconctl("apply", "-f", "m.yaml", "--yes", "--param", "lab=true", "-o", "json")).stdout);
  assert.deepEqual(lab.nextSteps, [`Peer ${vpcId}`, "Look at the lab", lab.outputs.urls.lab]);
});
