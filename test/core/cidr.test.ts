import assert from "node:assert/strict";
import { isIP } from "node:net";
import { test } from "node:test";
import fc from "fast-check";
import { addressCount, type Cidr, canonicalCidr, cidrSubnet, contains, formatCidr, overlaps, parseCidr } from "../../src/core/cidr.ts";

const cidrs = (version: 4 | 6): fc.Arbitrary<Cidr> => {
  const width = version === 4 ? 32 : 128;
  return fc.record({ prefix: fc.nat(width), address: fc.bigInt(0n, (1n << BigInt(width)) - 1n) }).map(({ prefix, address }) => {
    const host = BigInt(width - prefix);
    return { version, prefix, network: (address >> host) << host };
  });
};
const anyCidr = fc.oneof(cidrs(4), cidrs(6));
const lastOf = (cidr: Cidr): bigint => cidr.network + addressCount(cidr) - 1n;

test("parsing and printing are inverse, and print what Node takes for an address", () => {
  fc.assert(
    fc.property(anyCidr, (cidr) => {
      const text = formatCidr(cidr);
      assert.equal(isIP(text.split("/")[0] ?? ""), cidr.version);
      assert.deepEqual(parseCidr(text), cidr);
    }),
  );
});

test("contains and overlaps agree with the ranges of addresses", () => {
  fc.assert(
    fc.property(fc.oneof(fc.tuple(cidrs(4), cidrs(4)), fc.tuple(cidrs(6), cidrs(6))), ([left, right]) => {
      assert.equal(contains(left, right), left.network <= right.network && lastOf(right) <= lastOf(left));
      assert.equal(overlaps(left, right), left.network <= lastOf(right) && right.network <= lastOf(left));
    }),
  );
});

test("subnets lie inside their prefix, apart from each other, in order", () => {
  const args = fc.record({ outer: anyCidr, newBits: fc.integer({ min: 1, max: 16 }), number: fc.nat(0xfffe) });
  fc.assert(
    fc.property(args, ({ outer, newBits, number }) => {
      fc.pre(outer.prefix + newBits <= (outer.version === 4 ? 32 : 128) && number + 1 < 2 ** newBits);
      const [one, next] = [number, number + 1].map((n) => parseCidr(cidrSubnet(formatCidr(outer), newBits, n)));
      assert.ok(one && next);
      assert.ok(contains(outer, one) && contains(outer, next) && !overlaps(one, next));
      assert.equal(lastOf(one) + 1n, next.network);
    }),
  );
});

test("known ranges", () => {
  const rows = [
    { text: "10.0.0.0/16", canonical: "10.0.0.0/16", why: "a VPC" },
    { text: "0.0.0.0/0", canonical: "0.0.0.0/0", why: "everything" },
    { text: "10.0.0.5/16", canonical: "10.0.0.0/16", why: "host bits" },
    { text: "010.0.0.0/16", canonical: "10.0.0.0/16", why: "leading zeros" },
    { text: "::/0", canonical: "::/0", why: "everything, IPv6" },
    { text: "2001:DB8:0:0:1:0:0:0/80", canonical: "2001:db8:0:0:1::/80", why: "the longest run of zeros is cut" },
    { text: "2001:0db8:1::/64", canonical: "2001:db8:1::/64", why: "leading zeros of a group" },
    { text: "1:0:1:1:1:1:1:1/128", canonical: "1:0:1:1:1:1:1:1/128", why: "one zero group is not cut" },
    { text: "10.0.0.0", canonical: undefined, why: "no length" },
    { text: "10.0.0.0/33", canonical: undefined, why: "too long" },
    { text: "10.0.0/16", canonical: undefined, why: "three parts" },
    { text: "10.0.0.256/16", canonical: undefined, why: "a part too large" },
    { text: "1::2::3/64", canonical: undefined, why: "cut twice" },
    { text: "1:2:3:4:5:6:7:8:9/64", canonical: undefined, why: "nine groups" },
    { text: "1:2:3:4:5:6::8/64", canonical: "1:2:3:4::/64", why: "a cut of one group is readable" },
    { text: "12345::/64", canonical: undefined, why: "a group too large" },
    { text: ":/64", canonical: undefined, why: "no group" },
  ];
  for (const { text, canonical, why } of rows) {
    assert.equal(canonicalCidr(text), canonical, why);
    assert.equal(parseCidr(text) !== undefined, text === canonical, why);
  }
});

test("cidrSubnet is Terraform's, and says what does not fit", () => {
  assert.equal(cidrSubnet("10.0.0.0/16", 8, 2), "10.0.2.0/24");
  assert.equal(cidrSubnet("fd00:fd12:3456:7890::/56", 16, 162), "fd00:fd12:3456:7800:a200::/72");
  assert.throws(() => cidrSubnet("10.0.0/16", 8, 2), /is not a CIDR block/);
  assert.throws(() => cidrSubnet("10.0.0.0/16", 17, 0), /cannot be made 17 bits longer/);
  assert.throws(() => cidrSubnet("10.0.0.0/16", 1, 2), /has no subnet 2/);
  assert.throws(() => cidrSubnet("10.0.0.0/16", 1, -1), /has no subnet -1/);
});
