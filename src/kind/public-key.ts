/**
 * Public keys in the formats that EC2 imports, and the fingerprint it gives them.
 *
 * Amazon EC2 user guide, "Create a key pair" and "Verify the fingerprint": OpenSSH, Base64 encoded DER (with or without PEM's
 * lines) and RFC 4716; RSA of 1024, 2048 and 4096 bits, and ED25519.
 */

import { createHash, createPublicKey, type JsonWebKeyInput, type KeyObject } from "node:crypto";

/** A key, whatever format it was written in. */
export type PublicKey = {
  readonly keyType: "rsa" | "ed25519";
  /** OpenSSH's line, without a comment: equal keys have equal lines. */
  readonly line: string;
  /** Of an imported RSA key the MD5 digest of its DER encoding in hex and colons; of an ED25519 key OpenSSH's SHA-256 in Base64. */
  readonly fingerprint: string;
};

const RSA_BITS = [1024, 2048, 4096];

/** Reads a key; undefined where the text is none that EC2 takes. */
export function parsePublicKey(text: string): PublicKey | undefined {
  try {
    const key = keyOf(text.trim());
    if (!key) return undefined;
    return key.asymmetricKeyType === "rsa" ? rsaKey(key) : key.asymmetricKeyType === "ed25519" ? ed25519Key(key) : undefined;
  } catch {
    return undefined; // Neither OpenSSH's wire format nor DER.
  }
}

function rsaKey(key: KeyObject): PublicKey | undefined {
  if (!RSA_BITS.includes(key.asymmetricKeyDetails?.modulusLength ?? 0)) return undefined;
  const { n, e } = key.export({ format: "jwk" });
  const digest = createHash("md5")
    .update(key.export({ format: "der", type: "spki" }))
    .digest("hex");
  return {
    keyType: "rsa",
    line: lineOf("ssh-rsa", [unsigned(e), unsigned(n)]).line,
    fingerprint: digest.replaceAll(/..(?!$)/g, "$&:"),
  };
}

function ed25519Key(key: KeyObject): PublicKey {
  const { x } = key.export({ format: "jwk" });
  const { line, wire } = lineOf("ssh-ed25519", [Buffer.from(x ?? "", "base64url")]);
  return { keyType: "ed25519", line, fingerprint: createHash("sha256").update(wire).digest("base64") };
}

function keyOf(text: string): KeyObject | undefined {
  if (text.startsWith("---- BEGIN SSH2 PUBLIC KEY ----")) return fromWire(Buffer.from(rfc4716Body(text), "base64"));
  // Node.js would take the public half of a private key; what holds one should not be in a manifest at all.
  if (text.startsWith("-----BEGIN")) return /^-----BEGIN (RSA )?PUBLIC KEY-----/.test(text) ? createPublicKey(text) : undefined;
  const [, type, base64] = /^(ssh-rsa|ssh-ed25519)\s+([A-Za-z0-9+/=]+)(?:[ \t][^\n]*)?$/.exec(text) ?? [];
  if (base64 !== undefined) return fromWire(Buffer.from(base64, "base64"), type);
  if (!/^[A-Za-z0-9+/=\s]+$/.test(text)) return undefined;
  return createPublicKey({ key: Buffer.from(text, "base64"), format: "der", type: "spki" });
}

/** RFC 4716: headers, which go on after a backslash, and then the key. */
function rfc4716Body(text: string): string {
  const lines = text.replaceAll(/\\\r?\n/g, "").split(/\r?\n/);
  return lines.filter((line) => !line.startsWith("----") && !line.includes(":")).join("");
}

/** RFC 4253, section 6.6: strings, each after its length. */
function fromWire(wire: Buffer, wanted?: string): KeyObject | undefined {
  const [type, first, second] = fieldsOf(wire);
  if (wanted !== undefined && type?.toString() !== wanted) return undefined;
  const url = (bytes: Buffer | undefined) => (bytes ?? Buffer.alloc(0)).toString("base64url");
  const jwk: JsonWebKeyInput["key"] | undefined =
    type?.toString() === "ssh-rsa"
      ? { kty: "RSA", e: url(first), n: url(withoutSign(second)) }
      : type?.toString() === "ssh-ed25519"
        ? { kty: "OKP", crv: "Ed25519", x: url(first) }
        : undefined;
  return jwk && createPublicKey({ key: jwk, format: "jwk" });
}

function fieldsOf(wire: Buffer): Buffer[] {
  const fields: Buffer[] = [];
  for (let at = 0; at < wire.length; ) {
    const end = at + 4 + wire.readUInt32BE(at);
    if (end > wire.length) throw new RangeError("a field reaches beyond the key");
    fields.push(wire.subarray(at + 4, end));
    at = end;
  }
  return fields;
}

function lineOf(type: string, fields: readonly Buffer[]): { line: string; wire: Buffer } {
  const wire = Buffer.concat([Buffer.from(type), ...fields].flatMap((field) => [lengthOf(field), field]));
  return { line: `${type} ${wire.toString("base64")}`, wire };
}

function lengthOf(field: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(field.length);
  return length;
}

// Numbers are signed on the wire: one whose first bit is set gets a zero in front.
function unsigned(base64url: string | undefined): Buffer {
  const bytes = Buffer.from(base64url ?? "", "base64url");
  return (bytes[0] ?? 0) > 127 ? Buffer.concat([Buffer.alloc(1), bytes]) : bytes;
}

function withoutSign(bytes: Buffer | undefined): Buffer | undefined {
  return bytes?.[0] === 0 ? bytes.subarray(1) : bytes;
}
