import assert from "node:assert/strict";
import { test } from "node:test";
import { AwsError } from "../../src/aws/errors.ts";
import type { Caller } from "../../src/aws/handle.ts";
import type { ApiEvent } from "../../src/events/event.ts";
import { type Consumer, EventQueue } from "../../src/events/queue.ts";
import { VirtualWorld } from "../support/virtual-runtime.ts";
import { OWN_AGENT, trailRecord } from "./scene.ts";

const POLL_MS = 20_000;
const VISIBILITY_MS = 30_000;

type Message = { readonly body: string; readonly handle: string; visibleAtMs: number };

/** A queue as SQS has it: long polls, a visibility timeout, and messages that stay until they are deleted. */
function fakeQueue() {
  const world = new VirtualWorld();
  const calls: string[] = [];
  const messages: Message[] = [];
  let missing = false;
  let failing: AwsError | undefined;
  let url = "https://sqs/1";
  const visible = () => messages.filter(({ visibleAtMs }) => visibleAtMs <= world.elapsedMs).slice(0, 10);
  const receive = async (signal: AbortSignal | undefined) => {
    for (let waitedMs = 0; visible().length === 0 && waitedMs < POLL_MS && !signal?.aborted; waitedMs += 100) await world.sleep(100);
    signal?.throwIfAborted();
    const given = visible();
    for (const message of given) message.visibleAtMs = world.elapsedMs + VISIBILITY_MS;
    return given.length > 0 ? { Messages: given.map(({ body, handle }) => ({ Body: body, ReceiptHandle: handle })) } : {};
  };
  type Input = { QueueUrl?: string; Entries?: { ReceiptHandle: string }[]; WaitTimeSeconds?: number; MaxNumberOfMessages?: number };
  const call = async (_: unknown, operation: string, input: Input, { signal }: { signal?: AbortSignal } = {}): Promise<object> => {
    calls.push(operation);
    await world.sleep(1);
    if (failing) throw failing;
    if (missing) throw new AwsError("QueueDoesNotExist", "", { operation: `sqs:${operation}`, verdict: "refused" });
    if (operation === "GetQueueUrl") return { QueueUrl: url };
    assert.equal(input.QueueUrl, url);
    if (operation === "ReceiveMessage") {
      assert.deepEqual([input.WaitTimeSeconds, input.MaxNumberOfMessages], [20, 10]);
      return receive(signal);
    }
    const gone = new Set(input.Entries?.map(({ ReceiptHandle }) => ReceiptHandle));
    messages.splice(0, messages.length, ...messages.filter(({ handle }) => !gone.has(handle)));
    return {};
  };
  return {
    world,
    calls,
    messages,
    aws: { call } as unknown as Caller,
    send: (body: string) => messages.push({ body, handle: `h${calls.length}-${messages.length}`, visibleAtMs: 0 }),
    lose: (gone: boolean) => {
      missing = gone;
    },
    fail: (error: AwsError | undefined) => {
      failing = error;
    },
    renew: () => {
      url = "https://sqs/2";
    },
  };
}

const event = (id: string, more: object = {}) => JSON.stringify({ detail: trailRecord("ec2", "CreateVpc", { eventID: id, ...more }) });

/** Reads in the background while `act` runs, and stops it; what was handed on, and what was told of troubles. */
async function reading(fake: ReturnType<typeof fakeQueue>, act: (got: ApiEvent[]) => Promise<void>, consume: Consumer = () => undefined) {
  const got: ApiEvent[] = [];
  const troubles: number[] = [];
  let malformed = 0;
  const stop = new AbortController();
  await fake.world.run(async () => {
    const queue = new EventQueue({
      caller: fake.aws,
      queue: "q",
      runtime: fake.world.process("reader"),
      onTrouble: ({ failures }) => troubles.push(failures),
      onMalformed: (count) => {
        malformed += count;
      },
    });
    const done = queue.run(async (events) => {
      await consume(events);
      got.push(...events);
    }, stop.signal);
    await act(got);
    stop.abort();
    await done;
  });
  return { ids: got.map(({ id }) => id), troubles, malformed };
}

test("events are handed on as they come, and are gone from the queue", async () => {
  const fake = fakeQueue();
  const { ids } = await reading(fake, async () => {
    fake.send(event("a"));
    await fake.world.sleep(1000);
    for (const id of ["b", "c"]) fake.send(event(id));
    await fake.world.sleep(1000);
  });
  assert.deepEqual([ids, fake.messages], [["a", "b", "c"], []]);
});

test("an idle queue is asked three times a minute", async () => {
  const fake = fakeQueue();
  await reading(fake, () => fake.world.sleep(60_000));
  assert.ok(fake.calls.filter((call) => call === "ReceiveMessage").length <= 4);
});

test("what is no event is deleted and counted, and holds nobody up", async () => {
  const fake = fakeQueue();
  const { ids, malformed } = await reading(fake, async () => {
    for (const body of ["nonsense", "{}", event("a"), '{"detail":{"eventID":7}}']) fake.send(body);
    await fake.world.sleep(1000);
  });
  assert.deepEqual([ids, malformed, fake.messages], [["a"], 3, []]);
});

test("BEACON's own calls are handed on, marked as such", async () => {
  const fake = fakeQueue();
  let own: boolean[] = [];
  await reading(fake, async (got) => {
    fake.send(event("a", { userAgent: OWN_AGENT }));
    await fake.world.sleep(1000);
    own = got.map((one) => one.own);
  });
  assert.deepEqual(own, [true]);
});

test("what could not be handed on comes again", async () => {
  const fake = fakeQueue();
  let tries = 0;
  const consume = () => {
    tries += 1;
    if (tries === 1) throw new Error("not now");
  };
  const { ids, troubles } = await reading(
    fake,
    async () => {
      fake.send(event("a"));
      await fake.world.sleep(2 * VISIBILITY_MS);
    },
    consume,
  );
  assert.deepEqual([ids, troubles, fake.messages], [["a"], [1, 0], []]);
});

test("a queue that is missing, and then made, is found", async () => {
  const fake = fakeQueue();
  fake.lose(true);
  const { ids, troubles } = await reading(fake, async () => {
    await fake.world.sleep(600_000);
    fake.lose(false);
    fake.send(event("a"));
    await fake.world.sleep(200_000);
  });
  assert.deepEqual(ids, ["a"]);
  assert.equal(troubles.at(-1), 0);
  assert.ok(troubles.length > 5 && troubles.length < 60, `${troubles.length} failures in ten minutes`);
});

test("a queue that was made anew is read at its new URL", async () => {
  const fake = fakeQueue();
  const { ids } = await reading(fake, async () => {
    await fake.world.sleep(1000);
    fake.lose(true);
    await fake.world.sleep(30_000);
    fake.renew();
    fake.lose(false);
    fake.send(event("a"));
    await fake.world.sleep(200_000);
  });
  assert.deepEqual(ids, ["a"]);
});

test("failures of any kind end with the trouble", async () => {
  const fake = fakeQueue();
  fake.fail(new AwsError("ECONNRESET", "", { operation: "sqs:ReceiveMessage", verdict: "ambiguous" }));
  const { ids, troubles } = await reading(fake, async () => {
    await fake.world.sleep(5000);
    fake.fail(undefined);
    fake.send(event("a"));
    await fake.world.sleep(100_000);
  });
  assert.deepEqual([ids, troubles.at(-1), troubles[0]], [["a"], 0, 1]);
});

test("it stops at once, in a poll and in a pause", async () => {
  for (const broken of [false, true]) {
    const fake = fakeQueue();
    if (broken) fake.fail(new AwsError("AccessDenied", "", { operation: "sqs:GetQueueUrl", verdict: "refused" }));
    await reading(fake, () => fake.world.sleep(100_050));
    assert.ok(fake.world.elapsedMs < 100_300, `stopped after ${fake.world.elapsedMs} ms`);
  }
});
