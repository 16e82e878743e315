/** An HTTP endpoint: it answers in time, with a status that is well. */

import { z } from "zod";
import { field } from "../core/field.ts";
import { defineCheck } from "./check.ts";

/** The answer's status, or why there was none. */
export type HttpSeen = { readonly status: number } | { readonly failure: string };

const statusSchema = z.int().min(100).max(599);
const DEFAULT_STATUS = 200;

export const http = defineCheck({
  name: "http",
  doc: "An HTTP endpoint answers with the expected status.",
  spec: z.strictObject({
    url: field(z.string().regex(/^https?:\/\/[^\s]+$/, "must be a URL that begins with http:// or https://"), {
      doc: "Where a GET goes: `https://${params.backendDomain}/api/health`.",
    }),
    expectedStatus: field(z.union([statusSchema, z.array(statusSchema).min(1)]).optional(), {
      doc: `The status, or the statuses, that are well; ${DEFAULT_STATUS} by default.`,
    }),
    followRedirects: field(z.boolean().optional(), { doc: "Whether a redirect is followed; false by default: its own status counts." }),
  }),
  operations: [],
  subject: ({ url }) => url,
  wanted: ({ expectedStatus }) => `HTTP ${expected(expectedStatus).join(" or ")}`,
  observe: async ({ fetch }, { url, followRedirects = false }, signal): Promise<HttpSeen> => {
    try {
      const answer = await fetch(url, { redirect: followRedirects ? "follow" : "manual", signal, headers: { "user-agent": "beaconctl" } });
      // The status is all that counts; the rest of a long body is not waited for.
      await answer.body?.cancel();
      return { status: answer.status };
    } catch (error) {
      signal.throwIfAborted();
      return { failure: failureText(error) };
    }
  },
  judge: ({ expectedStatus }, seen) =>
    "failure" in seen
      ? { healthy: false, seen: seen.failure }
      : { healthy: expected(expectedStatus).includes(seen.status), seen: `HTTP ${seen.status}` },
});

function expected(status: number | readonly number[] | undefined): readonly number[] {
  return typeof status === "object" ? status : [status ?? DEFAULT_STATUS];
}

const FAILURES: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection reset",
  EAI_AGAIN: "no such host",
  ENOTFOUND: "no such host",
  EHOSTUNREACH: "no way to the host",
  ENETUNREACH: "no way to the host",
  ETIMEDOUT: "no connection in time",
  UND_ERR_CONNECT_TIMEOUT: "no connection in time",
  UND_ERR_SOCKET: "connection closed without an answer",
  CERT_HAS_EXPIRED: "its certificate has expired",
  ERR_TLS_CERT_ALTNAME_INVALID: "its certificate is for another name",
  DEPTH_ZERO_SELF_SIGNED_CERT: "its certificate is self-signed",
};

/** What a failed fetch means. Its own message says "fetch failed"; the cause, or the first of several, says why. */
export function failureText(error: unknown): string {
  const { cause } = error as { cause?: { code?: string; message?: string; errors?: readonly { code?: string }[] } };
  const code = cause?.code ?? cause?.errors?.[0]?.code;
  if (code !== undefined) return FAILURES[code] ?? `failed: ${code}`;
  return `failed: ${cause?.message ?? (error instanceof Error ? error.message : String(error))}`;
}
