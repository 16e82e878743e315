import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { canonicalDnsName, isWithin } from "../../src/core/dns-name.ts";

const ROWS: readonly { readonly why: string; readonly name: string; readonly is: string }[] = [
  { why: "as it is", name: "www.example.com", is: "www.example.com" },
  { why: "a final dot says nothing", name: "www.example.com.", is: "www.example.com" },
  { why: "the root is a dot", name: ".", is: "." },
  { why: "case does not count", name: "WWW.Example.COM", is: "www.example.com" },
  { why: "a wildcard comes back as an octal code", name: "\\052.example.com.", is: "*.example.com" },
  { why: "so does whatever else is no letter", name: "0\\057\\125.2.in-addr.arpa.", is: "0/u.2.in-addr.arpa" },
  { why: "a dot within a label keeps its code", name: "a\\056b.example.com", is: "a\\056b.example.com" },
  { why: "a backslash does, too", name: "a\\134b.example.com", is: "a\\134b.example.com" },
  { why: "and so do spaces and what is not ASCII", name: "a\\040b\\344.example.com", is: "a\\040b\\344.example.com" },
];
for (const { why, name, is } of ROWS) test(why, () => assert.equal(canonicalDnsName(name), is));

test("a canonical name is its own canonical name", () => {
  const labels = fc.array(fc.string({ unit: fc.constantFrom(..."aB3-_*/\\052\\056.") }), { maxLength: 4 });
  fc.assert(
    fc.property(labels, (parts) => {
      const once = canonicalDnsName(parts.join("."));
      assert.equal(canonicalDnsName(once).replace(/\.+$/, ""), once.replace(/\.+$/, ""));
    }),
  );
});

test("a name is within its domain, itself and its subdomains, in any spelling", () => {
  assert.ok(isWithin("example.com.", "Example.com"));
  assert.ok(isWithin("\\052.www.example.com", "example.com"));
  assert.ok(!isWithin("myexample.com", "example.com"));
  assert.ok(!isWithin("example.com", "www.example.com"));
});
