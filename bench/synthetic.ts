/** Synthetic stacks of a given size: one VPC, and security groups, subnets, log groups and tables in turn. */

import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Of a hundred resources, as a network-heavy account has them; tables cost calls each, so they are few. */
const SHARES = { SecurityGroup: 0.4, Subnet: 0.25, LogGroup: 0.33, Table: 0.02 };

/** Writes `manifests` for a stack of `size` resources. */
export async function writeSynthetic(folder: string, size: number): Promise<void> {
  await mkdir(folder, { recursive: true });
  const count = (kind: keyof typeof SHARES) => Math.round(size * SHARES[kind]);
  await writeFile(join(folder, "stack.yaml"), documents(count).join("---\n"));
}

function documents(count: (kind: keyof typeof SHARES) => number): readonly string[] {
  const numbers = (length: number) => JSON.stringify(Array.from({ length }, (_, index) => index));
  return [
    `apiVersion: beacon/v1
kind: Project
metadata: {name: bench}
spec:
  id: bench
  defaultTags: {Project: bench}
  parameters:
    retention: {type: integer, default: 7}
`,
    `apiVersion: beacon/v1
kind: Environment
metadata: {name: bench}
spec: {region: eu-west-1, default: true, confirm: {apply: "yes", delete: destroy-prod}}
`,
    `apiVersion: ec2.aws/v1
kind: VPC
metadata: {name: main}
spec: {cidrBlock: 10.0.0.0/16}
`,
    `apiVersion: ec2.aws/v1
kind: SecurityGroup
metadata: {name: group}
forEach: ${numbers(count("SecurityGroup"))}
spec:
  vpcId: \${vpc.main.vpcId}
  groupName: bench-\${each.value}
  description: bench
  ingress:
    - {ipProtocol: tcp, fromPort: 443, toPort: 443, cidrIpv4: 10.0.0.0/8}
`,
    `apiVersion: ec2.aws/v1
kind: Subnet
metadata: {name: net}
forEach: ${numbers(count("Subnet"))}
spec:
  vpcId: \${vpc.main.vpcId}
  cidrBlock: \${cidrSubnet("10.0.0.0/16", 12, each.value)}
`,
    `apiVersion: logs.aws/v1
kind: LogGroup
metadata: {name: log}
forEach: ${numbers(count("LogGroup"))}
spec:
  logGroupName: /bench/\${each.value}
  retentionInDays: \${params.retention}
`,
    `apiVersion: dynamodb.aws/v1
kind: Table
metadata: {name: table}
forEach: ${numbers(count("Table"))}
spec:
  tableName: bench-\${each.value}
  billingMode: PAY_PER_REQUEST
  keySchema: {hash: id}
  attributeDefinitions: {id: S}
`,
  ];
}
