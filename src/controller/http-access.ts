/**
 * Who may ask the HTTP server what.
 *
 * On loopback whoever is on this machine may, except by a name that is not this machine's: a page in a browser could have its own
 * name point here (DNS rebinding). Anywhere else a bearer token is required. The token is a secret: it is compared in constant
 * time, and never shown.
 */

import { createHash, timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";
import { isIPv6 } from "node:net";
import { BeaconError } from "../core/errors.ts";

/** Where a server listens. `host` as `listen` takes it, without brackets. */
export type Listening = { readonly host: string; readonly port: number; readonly loopback: boolean };

const LOOPBACK_NAMES: ReadonlySet<string> = new Set(["localhost", "::1"]);
const NEXT = "write --http 127.0.0.1:9464, or any other ADDRESS:PORT";

// 16 letters of base64 are 96 bits: no guessing over a network gets there.
const TOKEN_CHARACTERS_MIN = 16;

/** Reads `127.0.0.1:9464`, `localhost:9464`, `[::]:9464`. Throws UsageInvalid. */
export function parseListen(text: string): Listening {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text);
  const [host, port] = [match?.[1] ?? match?.[2] ?? "", Number(match?.[3])];
  const isAddress = match?.[1] === undefined || isIPv6(match[1]);
  if (!match || !isAddress || port > 65_535) throw new BeaconError("UsageInvalid", `--http does not take "${text}"`, { next: NEXT });
  return { host, port, loopback: isLoopback(host) };
}

/** BEACON_HTTP_TOKEN, or what the file BEACON_HTTP_TOKEN_FILE holds; undefined where neither is set. Throws UsageInvalid. */
export function httpToken(env: NodeJS.ProcessEnv = process.env): string | undefined {
  const { BEACON_HTTP_TOKEN: own, BEACON_HTTP_TOKEN_FILE: file } = env;
  if (own && file) {
    throw new BeaconError("UsageInvalid", "BEACON_HTTP_TOKEN and BEACON_HTTP_TOKEN_FILE are both set", { next: "unset one of them" });
  }
  if (file) return checked(tokenIn(file), "the file of BEACON_HTTP_TOKEN_FILE");
  return own ? checked(own.trim(), "BEACON_HTTP_TOKEN") : undefined;
}

/** Throws UsageInvalid where others than this machine could ask, and nothing keeps them off. */
export function requireToken(listen: string, { loopback }: Listening, token: string | undefined): void {
  if (loopback || token !== undefined) return;
  throw new BeaconError("UsageInvalid", `--http ${listen} can be reached from outside, and no token keeps strangers off`, {
    next: "set BEACON_HTTP_TOKEN or BEACON_HTTP_TOKEN_FILE, or listen on 127.0.0.1",
  });
}

/** Whether an `Authorization` header holds the token; anything does where there is none. */
export function isAuthorized(header: string | undefined, token: string | undefined): boolean {
  if (token === undefined) return true;
  const given = /^Bearer +(\S+)$/i.exec(header ?? "")?.[1];
  // Digests are of one length, so that not even the token's length shows in the time that this takes.
  return given !== undefined && timingSafeEqual(sha256(given), sha256(token));
}

/** Whether a `Host` header names this machine. */
export function isOwnName(header: string | undefined): boolean {
  const host = /^(?:\[([^\]]+)\]|([^:]+))(?::\d+)?$/.exec(header ?? "");
  return isLoopback((host?.[1] ?? host?.[2] ?? "").toLowerCase());
}

function isLoopback(host: string): boolean {
  return LOOPBACK_NAMES.has(host) || /^127(\.\d{1,3}){3}$/.test(host);
}

function tokenIn(file: string): string {
  try {
    return readFileSync(file, "utf8").trim();
  } catch (error) {
    const { code = "unreadable" } = error as NodeJS.ErrnoException;
    throw new BeaconError("UsageInvalid", `BEACON_HTTP_TOKEN_FILE names ${file}, which cannot be read (${code})`, {
      next: "mount the secret there, or unset BEACON_HTTP_TOKEN_FILE",
      cause: error,
    });
  }
}

function checked(token: string, where: string): string {
  if (token.length >= TOKEN_CHARACTERS_MIN && !/\s/.test(token)) return token;
  throw new BeaconError("UsageInvalid", `${where} holds no token of at least ${TOKEN_CHARACTERS_MIN} characters without blanks`, {
    next: "make one with: openssl rand -hex 32",
  });
}

function sha256(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
