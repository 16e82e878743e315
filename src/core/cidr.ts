/**
 * IP address ranges, IPv4 and IPv6, as plain values: parse, print, contain, overlap, cut into subnets.
 *
 * Only the canonical text of a range is accepted (no host bits, no leading zeros, IPv6 as RFC 5952 writes it), because
 * AWS answers in that form and another spelling would read back as drift.
 */

/** A range. `network` is its first address as a number; `version` tells IPv4 from IPv6. */
export type Cidr = { readonly version: 4 | 6; readonly network: bigint; readonly prefix: number };

/** Reads a canonical range; undefined for anything else. {@link canonicalCidr} tells what it should have been. */
export function parseCidr(text: string): Cidr | undefined {
  const cidr = readCidr(text);
  return cidr && formatCidr(cidr) === text ? cidr : undefined;
}

/** The canonical text of a range that is readable but not canonical (`10.0.0.5/16` gives `10.0.0.0/16`); undefined if it is no range at all. */
export function canonicalCidr(text: string): string | undefined {
  const cidr = readCidr(text);
  return cidr && formatCidr(cidr);
}

/** The text of a range. */
export function formatCidr(cidr: Cidr): string {
  return `${cidr.version === 4 ? formatIpv4(cidr.network) : formatIpv6(cidr.network)}/${cidr.prefix}`;
}

/** Whether every address of `inner` is in `outer`; false across versions. */
export function contains(outer: Cidr, inner: Cidr): boolean {
  return outer.version === inner.version && outer.prefix <= inner.prefix && mask(inner.network, outer) === outer.network;
}

/** Whether the two share an address; false across versions. */
export function overlaps(left: Cidr, right: Cidr): boolean {
  return contains(left, right) || contains(right, left);
}

/** How many addresses the range holds. */
export function addressCount(cidr: Cidr): bigint {
  return 1n << BigInt(bits(cidr.version) - cidr.prefix);
}

/**
 * The range `number` of those that are `newBits` longer than `prefix`; host bits are ignored, as by Terraform's
 * `cidrsubnet`. Throws a RangeError when the prefix is no CIDR block, or it does not have that many subnets.
 */
export function cidrSubnet(prefix: string, newBits: number, number: number): string {
  const outer = readCidr(prefix);
  if (!outer) throw new RangeError(`"${prefix}" is not a CIDR block`);
  const length = outer.prefix + newBits;
  if (!Number.isInteger(newBits) || newBits < 0 || length > bits(outer.version)) {
    throw new RangeError(`${prefix} cannot be made ${newBits} bits longer`);
  }
  if (!Number.isInteger(number) || number < 0 || BigInt(number) >= 1n << BigInt(newBits)) {
    throw new RangeError(`${prefix} with ${newBits} more bits has no subnet ${number}`);
  }
  const network = outer.network | (BigInt(number) << BigInt(bits(outer.version) - length));
  return formatCidr({ version: outer.version, network, prefix: length });
}

function bits(version: 4 | 6): number {
  return version === 4 ? 32 : 128;
}

/** `address` with the host bits of `range` cleared. */
function mask(address: bigint, range: Pick<Cidr, "version" | "prefix">): bigint {
  const host = BigInt(bits(range.version) - range.prefix);
  return (address >> host) << host;
}

/** Any readable range, its host bits cleared. */
function readCidr(text: string): Cidr | undefined {
  const [, address, length] = /^([0-9a-fA-F.:]+)\/(\d{1,3})$/.exec(text) ?? [];
  if (address === undefined || length === undefined) return undefined;
  const version = address.includes(":") ? 6 : 4;
  const value = version === 6 ? readIpv6(address) : readIpv4(address);
  const prefix = Number(length);
  if (value === undefined || prefix > bits(version)) return undefined;
  return { version, network: mask(value, { version, prefix }), prefix };
}

function readIpv4(text: string): bigint | undefined {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) <= 255)) return undefined;
  return parts.reduce((value, part) => (value << 8n) | BigInt(part), 0n);
}

function readIpv6(text: string): bigint | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const [head, tail] = halves.map((half) => (half === "" ? [] : half.split(":")));
  if (!head) return undefined;
  const missing = 8 - head.length - (tail?.length ?? 0);
  if (tail ? missing < 1 : missing !== 0) return undefined;
  const groups = [...head, ...Array<string>(missing).fill("0"), ...(tail ?? [])];
  if (!groups.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return undefined;
  return groups.reduce((value, group) => (value << 16n) | BigInt(`0x${group}`), 0n);
}

function formatIpv4(value: bigint): string {
  return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join(".");
}

/** RFC 5952: lower case, no leading zeros, the longest (first) run of two or more zero groups as `::`. */
function formatIpv6(value: bigint): string {
  const groups = Array.from({ length: 8 }, (_, index) => (value >> BigInt(112 - 16 * index)) & 0xffffn);
  const run = longestZeroRun(groups);
  const text = (part: readonly bigint[]) => part.map((group) => group.toString(16)).join(":");
  return run.length < 2 ? text(groups) : `${text(groups.slice(0, run.start))}::${text(groups.slice(run.start + run.length))}`;
}

function longestZeroRun(groups: readonly bigint[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  for (const [index, group] of groups.entries()) {
    if (group !== 0n) start = index + 1;
    else if (index + 1 - start > best.length) best = { start, length: index + 1 - start };
  }
  return best;
}
