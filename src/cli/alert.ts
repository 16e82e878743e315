/**
 * Alerts to Slack, by an incoming webhook.
 *
 * The webhook's URL is a secret: whoever has it can post. It is taken from the environment alone and never printed, logged or
 * passed on, whatever goes wrong with it.
 */

import { failureText } from "../monitor/http.ts";

/** What became of an alert. */
export type AlertEnd = { readonly sent: true } | { readonly sent: false; readonly why: string };

// Slack answers within a second; a health check must not hang on it.
const TIMEOUT_MS = 10_000;

/** Posts the text; undefined where no webhook is given. Never rejects: an alert that fails hides no result. */
export async function sendAlert(text: string): Promise<AlertEnd | undefined> {
  const url = process.env.BEACON_SLACK_WEBHOOK_URL;
  if (!url) return undefined;
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) return { sent: false, why: "BEACON_SLACK_WEBHOOK_URL is no URL" };
  try {
    const answer = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ text }),
      redirect: "manual",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    await answer.body?.cancel();
    return answer.ok ? { sent: true } : { sent: false, why: `the webhook answered HTTP ${answer.status}` };
  } catch (error) {
    return { sent: false, why: `the webhook: ${withoutUrl(error, url)}` };
  }
}

/** Slack takes these three as its own (https://docs.slack.dev/messaging/formatting-message-text). */
export function escapeSlack(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function withoutUrl(error: unknown, url: string): string {
  if ((error as Error).name === "TimeoutError") return `no answer in ${TIMEOUT_MS / 1000} s`;
  const text = failureText(error);
  const { pathname, search } = new URL(url);
  return [url, `${pathname}${search}`, pathname].some((part) => part.length > 1 && text.includes(part)) ? "failed" : text;
}
