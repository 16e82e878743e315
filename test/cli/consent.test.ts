import assert from "node:assert/strict";
import { test } from "node:test";
import { allowFlag, type ConsentFlags, consentFor, parseAllow } from "../../src/cli/consent.ts";
import { BeaconError } from "../../src/core/errors.ts";
import type { Consents } from "../../src/core/plan.ts";

const none: Consents = { delete: 0, replace: 0, missing: 0 };
const flags = (more: Partial<ConsentFlags>): ConsentFlags => ({ yes: false, allow: none, ...more });

// `expected`: "given", "ask CODE" (the error where nobody can be asked) or "refused CODE".
const cases: readonly {
  why: string;
  verb?: "apply" | "delete";
  needed?: Partial<Consents>;
  phrase?: string;
  flags: ConsentFlags;
  expected: string;
}[] = [
  { why: "no flag: ask", flags: flags({}), expected: "ask ApprovalRequired" },
  { why: "--yes answers", flags: flags({ yes: true }), expected: "given" },
  { why: "--yes does not cover a deletion", needed: { delete: 1 }, flags: flags({ yes: true }), expected: "ask ApprovalRequired" },
  { why: "nor a replacement", needed: { replace: 1 }, flags: flags({ yes: true }), expected: "ask ApprovalRequired" },
  { why: "nor what vanished in numbers", needed: { missing: 9 }, flags: flags({ yes: true }), expected: "ask ApprovalRequired" },
  {
    why: "--allow covers as many as it says",
    needed: { delete: 2 },
    flags: flags({ yes: true, allow: { ...none, delete: 2 } }),
    expected: "given",
  },
  {
    why: "and not one more",
    needed: { delete: 3 },
    flags: flags({ yes: true, allow: { ...none, delete: 2 } }),
    expected: "ask ApprovalRequired",
  },
  {
    why: "--allow alone is no answer",
    needed: { delete: 2 },
    flags: flags({ allow: { ...none, delete: 2 } }),
    expected: "ask ApprovalRequired",
  },
  { why: "--yes is not the phrase", phrase: "yes", flags: flags({ yes: true }), expected: "ask ConfirmationRequired" },
  { why: "--confirm is", phrase: "yes", flags: flags({ confirm: "yes" }), expected: "given" },
  {
    why: "a wrong phrase is refused, not asked again",
    phrase: "yes",
    flags: flags({ confirm: "y" }),
    expected: "refused ConfirmationRequired",
  },
  {
    why: "the phrase does not cover a deletion",
    phrase: "yes",
    needed: { delete: 1 },
    flags: flags({ confirm: "yes" }),
    expected: "ask ApprovalRequired",
  },
  { why: "delete has asked for deletions", verb: "delete", needed: { delete: 9 }, flags: flags({ yes: true }), expected: "given" },
  {
    why: "delete still wants its phrase",
    verb: "delete",
    phrase: "destroy-prod",
    flags: flags({ yes: true }),
    expected: "ask ConfirmationRequired",
  },
];

for (const { why, verb, needed, phrase, flags: given, expected } of cases) {
  test(`consent: ${why}`, () => {
    const consent = consentFor({
      environment: "prod",
      verb: verb ?? "apply",
      needed: { ...none, ...needed },
      flags: given,
      ...(phrase === undefined ? {} : { phrase }),
    });
    const error = consent.type === "ask" ? consent.otherwise : consent.type === "refused" ? consent.error : undefined;
    assert.equal([consent.type, error?.code].filter(Boolean).join(" "), expected);
  });
}

test("consent: the question counts what cannot be undone, and the error says which flags a script needs", () => {
  const consent = consentFor({
    environment: "prod",
    verb: "apply",
    needed: { delete: 2, replace: 1, missing: 0 },
    phrase: "yes",
    flags: flags({}),
  });
  assert.ok(consent.type === "ask");
  assert.equal(consent.question, "Environment prod; 2 resources will be deleted, 1 resource will be replaced. Type yes to apply: ");
  assert.equal(consent.otherwise.next, 'type it in a terminal, or pass --allow delete=2,replace=1 --confirm "yes"');
});

test("--allow: reads what allowFlag writes, and refuses anything else", () => {
  const consents = { delete: 2, replace: 0, missing: 4 };
  assert.deepEqual(parseAllow(allowFlag(consents).replace("--allow ", "")), consents);
  assert.throws(
    () => parseAllow("delete=some"),
    (error) => error instanceof BeaconError && error.code === "UsageInvalid",
  );
});
