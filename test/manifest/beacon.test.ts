/** manifests/: BEACON's own infrastructure, as its Terraform project declared it. */

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { kinds } from "../../reconcilers/index.ts";
import type { CompiledStack, View } from "../../src/core/compiled.ts";
import { compile } from "../../src/manifest/compile.ts";
import { formatProblems } from "../../src/manifest/problems.ts";
import { loadSources } from "../../src/manifest/source.ts";

const PUBLIC_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIElEc9kKsmVKp1J4kFcjodqihXO0ZiIy7a4Ainbg3AzT ops@example.com";

const stacks = new Map<string, CompiledStack>();

before(async () => {
  const sources = await loadSources({ paths: ["manifests"] });
  for (const environment of ["dev", "staging", "prod"]) {
    const result = compile(sources, { kinds, environment, params: [`publicKey=${PUBLIC_KEY}`] });
    assert.ok(result.ok, formatProblems(result.problems, sources));
    stacks.set(environment, result.stack);
  }
});

// What AWS would say of every resource, so that nothing stays unknown.
const known: View = (key) => {
  const id = `id-of-${key}`;
  const ids = { vpcId: id, subnetId: id, internetGatewayId: id, allocationId: id, natGatewayId: id, groupId: id, tableArn: id };
  return key.startsWith("AvailabilityZones/") ? { names: ["zone-a", "zone-b"] } : ids;
};

function spec(environment: string, key: string) {
  const stack = stacks.get(environment) as CompiledStack;
  const resource = stack.resources.find((each) => each.key === key);
  assert.ok(resource, `${key} is declared`);
  return stack.resolve(resource, known) as Record<string, unknown>;
}

const common = (environment: string) => ({ Project: "beacon", Environment: environment, ManagedBy: "beacon", Owner: "beacon-team" });

for (const environment of ["dev", "staging", "prod"]) {
  test(`${environment}: the network's names, ranges and tags`, () => {
    const tags = (name: string, type?: string) => ({
      ...common(environment),
      Name: `beacon-${environment}-${name}`,
      ...(type ? { Type: type } : {}),
    });
    assert.deepEqual(spec(environment, "VPC/main"), {
      cidrBlock: "10.0.0.0/16",
      enableDnsHostnames: true,
      enableDnsSupport: true,
      tags: tags("vpc"),
    });
    const subnets = [
      ["public-1", "10.0.1.0/24", "zone-a"],
      ["public-2", "10.0.2.0/24", "zone-b"],
      ["private-1", "10.0.10.0/24", "zone-a"],
      ["private-2", "10.0.11.0/24", "zone-b"],
    ] as const;
    for (const [name, cidrBlock, availabilityZone] of subnets) {
      const isPublic = name.startsWith("public");
      assert.deepEqual(spec(environment, `Subnet/${name}`), {
        vpcId: "id-of-VPC/main",
        cidrBlock,
        availabilityZone,
        mapPublicIpOnLaunch: isPublic,
        tags: tags(name, isPublic ? "Public" : "Private"),
      });
    }
    assert.deepEqual(spec(environment, "NatGateway/main"), {
      allocationId: "id-of-EIP/nat",
      subnetId: "id-of-Subnet/public-1",
      tags: tags("nat"),
    });
    assert.deepEqual(spec(environment, "RouteTable/private"), {
      vpcId: "id-of-VPC/main",
      routes: [{ destinationCidrBlock: "0.0.0.0/0", natGatewayId: "id-of-NatGateway/main" }],
      subnetIds: ["id-of-Subnet/private-1", "id-of-Subnet/private-2"],
      tags: tags("private-rt"),
    });
    assert.deepEqual(spec(environment, "EIP/nat").tags, tags("nat-eip"));
    assert.deepEqual(spec(environment, "InternetGateway/main").tags, tags("igw"));
    assert.deepEqual(spec(environment, "RouteTable/public").tags, tags("public-rt"));
    assert.deepEqual(spec(environment, "SecurityGroup/alb").tags, tags("alb-sg"));
  });

  test(`${environment}: the tables, their backups and their log groups`, () => {
    const table = spec(environment, "Table/main-vectors");
    assert.deepEqual(table, {
      tableName: `${environment}-beacon-vectors`,
      billingMode: "PAY_PER_REQUEST",
      keySchema: { hash: "document_id", range: "chunk_id" },
      attributeDefinitions: { document_id: "S", chunk_id: "S", category_id: "N" },
      globalSecondaryIndexes: [{ indexName: "CategoryIndex", keySchema: { hash: "category_id" }, projection: { projectionType: "ALL" } }],
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      sseSpecification: { enabled: true },
      tags: { ...common(environment), Name: `${environment}-beacon-vectors` },
    });
    assert.deepEqual(spec(environment, "Table/backup-vectors"), {
      tableName: `${environment}-beacon-vectors-backup`,
      billingMode: "PAY_PER_REQUEST",
      keySchema: { hash: "document_id", range: "chunk_id" },
      attributeDefinitions: { document_id: "S", chunk_id: "S" },
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      tags: { ...common(environment), Name: `${environment}-beacon-vectors-backup`, Type: "Backup" },
    });
    assert.deepEqual(spec(environment, "LogGroup/dynamodb-usage"), {
      logGroupName: `/aws/dynamodb/beacon/${environment}/usage`,
      retentionInDays: { dev: 7, staging: 14, prod: 30 }[environment],
      tags: { ...common(environment), Name: `beacon-${environment}-dynamodb-usage-logs` },
    });
  });
}

test("production asks for its phrases", () => {
  assert.deepEqual(stacks.get("prod")?.environment.confirm, { apply: "yes", delete: "destroy-prod" });
});

test("the scripts' checks are Monitors, which need no look: their names are the manifests' own", () => {
  const stack = stacks.get("prod") as CompiledStack;
  const declared = stack.monitors.filter(({ needs }) => needs.length === 0).map(({ key, spec }) => [key, spec]);
  assert.deepEqual(Object.fromEntries(declared), {
    "Monitor/table-vectors": { tableStatus: { tableName: "prod-beacon-vectors" } },
    "Monitor/table-sessions": { tableStatus: { tableName: "prod-beacon-sessions" } },
    "Monitor/table-usage": { tableStatus: { tableName: "prod-beacon-usage" } },
    "Monitor/backend": { http: { url: "https://api.beacon.sk-shieldus.com/api/health" } },
    "Monitor/frontend": { http: { url: "https://beacon.sk-shieldus.com/health" } },
  });
  assert.equal(stack.nextSteps(known)[0], "Update the DNS records of beacon.sk-shieldus.com if needed");
});
