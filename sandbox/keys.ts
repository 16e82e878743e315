/** A throw-away key pair's public half, for manifests whose key file is not there: instances of the sandbox let nobody in. */

import { generateKeyPairSync, randomUUID } from "node:crypto";
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { sandboxFolder } from "./places.ts";

/** The key of the sandbox that the folder names, in OpenSSH's form. It is made once and kept there, so that two runs on one sandbox see one key. */
export function throwAwayKey(options: { dir?: string } = {}): string {
  const folder = sandboxFolder(options.dir);
  const path = join(folder, "throw-away-key.pub");
  return read(path) ?? keep(folder, path);
}

function keep(folder: string, path: string): string {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const draft = join(folder, `.draft-${randomUUID()}`);
  writeFileSync(draft, `${newKey()}\n`, { mode: 0o600 });
  try {
    linkSync(draft, path); // Of two at once one is first, and nobody reads a half-written key.
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    rmSync(draft);
  }
  return readFileSync(path, "utf8").trim();
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return undefined;
  }
}

/** The private half is dropped here, and nobody ever had it. */
function newKey(): string {
  const { x = "" } = generateKeyPairSync("ed25519").publicKey.export({ format: "jwk" });
  // RFC 8709, section 4: the type and the key, each after its length.
  const parts = ["ssh-ed25519", Buffer.from(x, "base64url")].map((part) => {
    const bytes = Buffer.from(part as string);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    return Buffer.concat([length, bytes]);
  });
  return `ssh-ed25519 ${Buffer.concat(parts).toString("base64")} beacon-sandbox-throw-away`;
}
