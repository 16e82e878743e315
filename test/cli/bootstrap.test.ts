import assert from "node:assert/strict";
import { test } from "node:test";
import type { Invocation } from "../../src/cli/command.ts";
import bootstrap from "../../src/cli/commands/bootstrap.ts";
import type { BootstrapOptions, Services } from "../../src/cli/services.ts";
import type { EventsBootstrap } from "../../src/events/bootstrap.ts";
import { startOwn, TEST_REGION } from "../support/sandbox.ts";
import { workspace } from "./beaconctl.ts";
import { fakeIo } from "./fake-io.ts";

test("--events makes the way of events beside the state table; a second run finds nothing to do", async () => {
  const { endpoint } = await startOwn();
  await using place = await workspace(() => ({}), { endpoint, ownTable: true });
  const table = place.project;
  const first = await place.beaconctl("bootstrap", "--region", TEST_REGION, "--events");
  assert.deepEqual([first.exitCode, first.stderr], [0, ""]);
  assert.equal(
    first.stdout,
    `Created the state table ${table} in ${TEST_REGION}.\nCreated the queue beacon-events in ${TEST_REGION}, which API calls are reported to.\n`,
  );
  const second = await place.beaconctl("bootstrap", "--region", TEST_REGION, "--events");
  assert.equal(
    second.stdout,
    `The state table ${table} exists in ${TEST_REGION}; nothing to do.\nThe queue beacon-events gets events in ${TEST_REGION}; nothing to do.\n`,
  );
});

const NOTHING: EventsBootstrap = { queue: "q", done: [], unreported: [] };

async function said(flags: object, events: EventsBootstrap = NOTHING) {
  const asked: BootstrapOptions[] = [];
  const lines = { out: [] as string[], err: [] as string[] };
  const services = {
    bootstrap: async (_: unknown, options: BootstrapOptions) => {
      asked.push(options);
      return { table: "t", created: false, region: "eu-west-1", ...(options.events === undefined ? {} : { events }) };
    },
  } as unknown as Services;
  const io = fakeIo({ out: (text) => lines.out.push(text), err: (text) => lines.err.push(text) });
  const invocation: Invocation = {
    args: [],
    options: { color: false, region: "eu-west-1", ...flags } as never,
    io,
    services,
    log: () => {},
  };
  assert.equal(await bootstrap.run(invocation as never), 0);
  return { asked: asked[0], ...lines };
}

test("without --events nobody asks for any", async () => {
  assert.deepEqual(await said({}), { asked: {}, out: ["The state table t exists in eu-west-1; nothing to do."], err: [] });
});

test("--events-queue names the queue, and means --events", async () => {
  assert.deepEqual((await said({ eventsQueue: "mine" })).asked, { events: "mine" });
  assert.deepEqual((await said({ events: true })).asked, { events: "beacon-events" });
});

test("where no trail tells of calls, that is said with what to do", async () => {
  const { err, out } = await said(
    { events: true },
    { ...NOTHING, done: ["putRule"], unreported: [{ region: "us-east-1", recorded: false, why: "no trail" }] },
  );
  assert.match(out.join("\n"), /^Corrected the queue q in eu-west-1/m);
  assert.match(err.join("\n"), /^AWS reports no API calls in us-east-1: there is no trail\./);
  assert.match(err.join("\n"), /create-trail .*--is-multi-region-trail\n.*start-logging/);
});
