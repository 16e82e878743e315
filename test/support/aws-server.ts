/** A loopback HTTP server that plays AWS: each request is answered by the next of the given answers (the last one repeats). */

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export type ServerAnswer = { readonly status?: number; readonly body: string } | "hang";
/** `region`: the one that it was signed for. */
export type SeenRequest = { readonly operation: string; readonly body: string; readonly userAgent: string; readonly region: string };

export type AwsServer = {
  readonly endpoint: string;
  readonly requests: readonly SeenRequest[];
  answer(...answers: readonly ServerAnswer[]): void;
  /** Resolves when this many requests have come in. */
  received(count: number): Promise<void>;
  close(): void;
};

export async function startAwsServer(): Promise<AwsServer> {
  const requests: SeenRequest[] = [];
  let answers: readonly ServerAnswer[] = [];
  let waiting: (() => void)[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString();
    const target = String(request.headers["x-amz-target"] ?? "");
    const operation = target.split(".")[1] ?? new URLSearchParams(body).get("Action") ?? "";
    const region = /Credential=[^/]+\/[^/]+\/([^/]+)\//.exec(String(request.headers.authorization))?.[1] ?? "";
    requests.push({ operation, body, userAgent: String(request.headers["user-agent"]), region });
    for (const wake of waiting) wake();
    const answer = answers[0] ?? { status: 500, body: "" };
    if (answers.length > 1) answers = answers.slice(1);
    if (answer === "hang") return;
    response.writeHead(answer.status ?? 200, { "content-type": target ? "application/x-amz-json-1.0" : "text/xml" }).end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    answer: (...given) => {
      answers = given;
    },
    received: async (count) => {
      while (requests.length < count) await new Promise<void>((resolve) => waiting.push(resolve));
      waiting = [];
    },
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** EC2's error document. */
export function ec2Error(status: number, code: string): ServerAnswer {
  return { status, body: `<Response><Errors><Error><Code>${code}</Code><Message>why</Message></Error></Errors></Response>` };
}
