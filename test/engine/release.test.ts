/** What an object is sent so that it uses another no more. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { kinds } from "../../reconcilers/index.ts";
import type { JsonObject } from "../../src/core/json.ts";
import { releases } from "../../src/engine/release.ts";
import type { AnyKind, Remote } from "../../src/kind/kind.ts";

const profile: Remote = { id: "web", values: { instanceProfileName: "web", path: "/", role: "web" } };

type Row = { readonly why: string; readonly kind: string; readonly remote: Remote; readonly used: Remote; readonly after: JsonObject };

const ROWS: readonly Row[] = [
  {
    why: "a list loses the members that refer to it",
    kind: "ec2.aws/v1 RouteTable",
    remote: { id: "rtb-1", values: { subnetIds: ["subnet-1", "subnet-2"] } },
    used: { id: "subnet-1", values: {} },
    after: { subnetIds: ["subnet-2"] },
  },
  {
    why: "a value that may be absent goes",
    kind: "iam.aws/v1 InstanceProfile",
    remote: profile,
    used: { id: "web", values: { roleName: "web", arn: "arn:aws:iam::1:role/web" } },
    after: { role: null },
  },
  {
    why: "the same name of something else is no reference",
    kind: "iam.aws/v1 InstanceProfile",
    remote: profile,
    used: { id: "web", values: { logGroupName: "web" } },
    after: {},
  },
  {
    why: "a value that AWS wants stays",
    kind: "ec2.aws/v1 Subnet",
    remote: { id: "subnet-1", values: { vpcId: "vpc-1" } },
    used: { id: "vpc-1", values: { vpcId: "vpc-1" } },
    after: {},
  },
];

for (const { why, kind, remote, used, after } of ROWS) {
  test(why, () => {
    const found = releases(kinds.get(kind as never) as AnyKind, remote, used);
    assert.deepEqual(Object.fromEntries(found.map(({ field, target }) => [field, target.changes[field]?.after])), after);
  });
}
