/**
 * Alerts to Slack, by an incoming webhook.
 *
 * The webhook's URL is a secret: whoever has it can post. It is taken from the environment alone and never printed, logged or
 * passed on, whatever goes wrong with it.
 */

import { failureText } from "./http.ts";

/** What became of an alert. */
export type AlertEnd = { readonly sent: true } | { readonly sent: false; readonly why: string };

/** Likewise, for whoever can wait: whether another try may help, and how long Slack asks to be left alone. */
export type Posted =
  | { readonly sent: true }
  | { readonly sent: false; readonly why: string; readonly again: boolean; readonly afterMs?: number };

// Slack answers within a second; a health check must not hang on it.
const TIMEOUT_MS = 10_000;

/** The webhook's URL, a secret; undefined where none is given. */
export function alertUrl(): string | undefined {
  return process.env.BEACON_SLACK_WEBHOOK_URL || undefined;
}

/** Posts the text; undefined where no webhook is given. Never rejects: an alert that fails hides no result. */
export async function sendAlert(text: string): Promise<AlertEnd | undefined> {
  const url = alertUrl();
  if (url === undefined) return undefined;
  const posted = await postAlert(url, text);
  return posted.sent ? posted : { sent: false, why: posted.why };
}

/** How one is sent; `fetch`: by other means than Node's own. */
export type PostOptions = { readonly fetch?: typeof globalThis.fetch; readonly signal?: AbortSignal };

/** One try. Never rejects. What had no answer in time may have arrived all the same. */
export async function postAlert(url: string, text: string, options: PostOptions = {}): Promise<Posted> {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    return { sent: false, why: "BEACON_SLACK_WEBHOOK_URL is no URL", again: false };
  }
  const { fetch = globalThis.fetch, signal } = options;
  const late = AbortSignal.timeout(TIMEOUT_MS);
  try {
    const answer = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ text }),
      redirect: "manual",
      signal: signal ? AbortSignal.any([late, signal]) : late,
    });
    await answer.body?.cancel();
    return answer.ok ? { sent: true } : refusal(answer);
  } catch (error) {
    return { sent: false, why: `the webhook: ${withoutUrl(error, url)}`, again: true };
  }
}

/** Slack takes these three as its own (https://docs.slack.dev/messaging/formatting-message-text). */
export function escapeSlack(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function refusal({ status, headers }: Response): Posted {
  const seconds = Number.parseInt(headers.get("retry-after") ?? "", 10);
  return {
    sent: false,
    why: `the webhook answered HTTP ${status}`,
    again: status === 429 || status === 408 || status >= 500,
    ...(seconds >= 0 ? { afterMs: seconds * 1000 } : {}),
  };
}

function withoutUrl(error: unknown, url: string): string {
  if ((error as Error).name === "TimeoutError") return `no answer in ${TIMEOUT_MS / 1000} s`;
  const text = failureText(error);
  const { pathname, search } = new URL(url);
  return [url, `${pathname}${search}`, pathname].some((part) => part.length > 1 && text.includes(part)) ? "failed" : text;
}
