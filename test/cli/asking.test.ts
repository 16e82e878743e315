import assert from "node:assert/strict";
import { test } from "node:test";
import { askConsent, type ConsentOptions } from "../../src/cli/asking.ts";
import type { Invocation } from "../../src/cli/command.ts";
import { BeaconError } from "../../src/core/errors.ts";
import { fakeIo } from "./fake-io.ts";

type Asked = { readonly interactive?: boolean; readonly answer?: () => Promise<string>; readonly output?: string };

/** Asks about a plan that replaces one resource; resolves to the question, if one was asked. */
async function ask({ interactive = true, answer = async () => "yes", output }: Asked): Promise<string> {
  let question = "";
  const io = fakeIo({
    interactive,
    ask: async (text) => {
      question = text;
      return answer();
    },
  });
  const options = { color: false, ...(output === undefined ? {} : { output }) };
  const invocation = { args: [], options, io, services: {} as never, log: () => {} } satisfies Invocation<ConsentOptions>;
  await askConsent(invocation, { environment: "prod", verb: "apply", needed: { delete: 0, replace: 1, missing: 0 } });
  return question;
}

const withCode = (code: string) => (error: unknown) => error instanceof BeaconError && error.code === code;

test("the phrase, typed, is consent to what the question counts", async () => {
  assert.equal(await ask({}), "Environment prod; 1 resource will be replaced. Type yes to apply: ");
});

test("anything else is not", async () => {
  for (const answer of ["", "y", "YES", "no"])
    await assert.rejects(ask({ answer: async () => answer }), withCode("ApprovalRequired"), answer);
});

test("Ctrl-C at the question is an interruption before anything was changed", async () => {
  await assert.rejects(ask({ answer: () => Promise.reject(new Error("aborted")) }), withCode("Interrupted"));
});

test("nobody is asked where there is no terminal, nor where the plan was not shown", async () => {
  const answer = () => Promise.reject(new Error("asked"));
  await assert.rejects(ask({ interactive: false, answer }), withCode("ApprovalRequired"));
  await assert.rejects(ask({ output: "json", answer }), withCode("ApprovalRequired"));
});
