/** DNS names in one spelling: what Route 53 gives back is seldom spelled as it was sent. */

// Route 53 developer guide, "DNS domain name format": every character but a-z, 0-9, "-", "_" and "." comes back as a backslash and
// three octal digits. The dot and the backslash mean something else without theirs.
const ESCAPE = /\\([0-7]{3})/g;
const KEPT = new Set([".", "\\"]);

/** `\052.Example.COM.` -> `*.example.com`. */
export function canonicalDnsName(name: string): string {
  const plain = name.replaceAll(ESCAPE, (whole, digits: string) => {
    const character = String.fromCharCode(Number.parseInt(digits, 8));
    return character > " " && character <= "~" && !KEPT.has(character) ? character : whole;
  });
  const lower = plain.toLowerCase();
  return lower.length > 1 && lower.endsWith(".") ? lower.slice(0, -1) : lower;
}

/** Whether the name is the domain itself, or within it. */
export function isWithin(name: string, domain: string): boolean {
  const [inner, outer] = [canonicalDnsName(name), canonicalDnsName(domain)];
  return inner === outer || inner.endsWith(`.${outer}`);
}
