import assert from "node:assert/strict";
import { test } from "node:test";
import { image } from "../../../reconcilers/ec2/image.ts";
import { connect } from "../../../src/aws/handle.ts";
import type { OperationName, Reader } from "../../../src/aws/service.ts";
import type { JsonObject } from "../../../src/core/json.ts";
import { sandboxEndpoint } from "../../support/sandbox.ts";

const operations = new Set<OperationName>(image.resolve.operations);

async function resolve(spec: JsonObject, region = "ap-northeast-2"): Promise<JsonObject> {
  const session = connect({ endpoint: await sandboxEndpoint(), region, sandbox: true, readOperations: operations, operations });
  try {
    return await image.resolve.run(session.reader, spec);
  } finally {
    await session.close();
  }
}

test("Amazon Linux 2023 is found by name and by its public parameter", async () => {
  const named = await resolve({ owners: ["amazon"], name: "al2023-ami-2023.*-x86_64", virtualizationType: "hvm", rootDeviceType: "ebs" });
  assert.match(String(named.name), /^al2023-ami-2023\.[^-]*-kernel-6\.18-x86_64$/);
  assert.deepEqual([named.architecture, named.rootDeviceName, named.virtualizationType], ["x86_64", "/dev/xvda", "hvm"]);
  const ssmParameter = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64";
  const parameter = await resolve({ ssmParameter });
  assert.match(String(parameter.imageId), /^ami-[0-9a-f]+$/);
  assert.match(String(parameter.name), /^al2023-ami-2023/);
});

test("filters narrow it down", async () => {
  const arm = await resolve({ owners: ["amazon"], name: "al2023-ami-2023.*", architecture: "arm64" });
  assert.equal(arm.architecture, "arm64");
  const byFilter = await resolve({ owners: ["amazon"], filters: { name: ["al2023-ami-minimal-*"], architecture: ["arm64"] } });
  assert.match(String(byFilter.name), /^al2023-ami-minimal-.*arm64$/);
});

test("of several the newest is taken, and of two that are as old the later name", async () => {
  const asked: object[] = [];
  const found = [
    { ImageId: "ami-3", Name: "web-2", CreationDate: "2026-09-01T00:00:00.000Z" },
    { ImageId: "ami-1", Name: "web-9", CreationDate: "2025-01-01T00:00:00.000Z" },
    { ImageId: "ami-2", Name: "web-3", CreationDate: "2026-09-01T00:00:00.000Z" },
  ];
  const reader = {
    pages: async (_service: unknown, _operation: string, input: object) => {
      asked.push(input);
      return found;
    },
  } as unknown as Reader;
  assert.equal((await image.resolve.run(reader, { owners: ["self"], name: "web-?" })).imageId, "ami-2");
  const Filters = [
    { Name: "name", Values: ["web-?"] },
    { Name: "state", Values: ["available"] },
  ];
  assert.deepEqual(asked, [{ Owners: ["self"], ExecutableUsers: undefined, IncludeDeprecated: undefined, Filters, MaxResults: 1000 }]);
});

test("no image is an error that says what was asked", async () => {
  await assert.rejects(
    resolve({ owners: ["amazon"], name: "no-such-*" }),
    /there is no image for .*"name":"no-such-\*".*"owners":\["amazon"\]/,
  );
  await assert.rejects(
    resolve({ ssmParameter: "/aws/service/global-infrastructure/regions/eu-west-1" }),
    /holds no image ID, but eu-west-1/,
  );
});

test("a spec that says nothing, or too much, is refused before any call", () => {
  const refused = (spec: JsonObject) => image.specSchema.safeParse(spec).error?.issues.map(({ message }) => message);
  assert.deepEqual(refused({}), ["must say which image: give `owners` and `name`, or `ssmParameter`"]);
  assert.deepEqual(refused({ ssmParameter: "/a", owners: ["amazon"] }), ["says which image it is: leave owners out"]);
});
