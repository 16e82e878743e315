import { BeaconError } from "../../core/errors.ts";
import { nearest } from "../../core/suggest.ts";
import { defineCommand, type Invocation } from "../command.ts";
import { parseDuration } from "../duration.ts";
import type { ExitCode } from "../exit.ts";
import { outputOption, sandboxDirOption } from "../options.ts";
import type { SandboxState } from "../services.ts";

type Options = { readonly sandboxDir?: string; readonly port?: string; readonly delay?: string };

const ACTIONS = ["start", "stop", "status", "reset"] as const;

export default defineCommand<Options>({
  description: "The local AWS that --sandbox uses: a real AWS API on loopback, in memory, made for trying things out. Needs Python 3.11+.",
  arguments: [{ syntax: "<action>", description: ACTIONS.join(", ") }],
  options: [
    sandboxDirOption,
    { flags: "--port <number>", description: "port to start on (default: a free one)" },
    {
      flags: "--delay <duration>",
      description: "how long takes what takes time at AWS: NAT gateways, load balancers, tables (default: none)",
    },
    outputOption("json"),
  ],
  examples: [
    "beaconctl sandbox start",
    "beaconctl sandbox start --delay 5s",
    "beaconctl sandbox status",
    "beaconctl sandbox reset",
    "beaconctl sandbox stop",
  ],
  async run(invocation) {
    const action = ACTIONS.find((candidate) => candidate === invocation.args[0]);
    if (action === undefined) throw unknownAction(invocation.args[0] ?? "");
    return perform(action, invocation);
  },
});

async function perform(action: (typeof ACTIONS)[number], { services, options, io }: Invocation<Options>): Promise<ExitCode> {
  const control = await services.sandbox();
  const where = options.sandboxDir === undefined ? {} : { dir: options.sandboxDir };
  const json = options.output === "json";
  switch (action) {
    case "start": {
      const port = options.port === undefined ? {} : { port: portNumber(options.port) };
      const delay = options.delay === undefined ? {} : { delaySeconds: parseDuration(options.delay, "--delay") / 1000 };
      const state = await control.start({ ...where, ...port, ...delay, onNote: (text) => io.err(io.errStyle.dim(text)) });
      io.out(
        json
          ? JSON.stringify(state, null, 2)
          : `The sandbox runs at ${state.endpoint} (pid ${state.pid}). Stop it with: beaconctl sandbox stop`,
      );
      return 0;
    }
    case "stop": {
      const { stopped } = await control.stop(where);
      io.out(json ? JSON.stringify({ stopped }) : stopped ? "The sandbox is stopped, and everything it held is gone." : "No sandbox runs.");
      return 0;
    }
    case "status": {
      const state = await control.status(where);
      io.out(
        json
          ? JSON.stringify(state ?? null, null, 2)
          : state
            ? statusText(state)
            : "No sandbox runs. Start it with: beaconctl sandbox start",
      );
      return 0;
    }
    case "reset":
      await control.reset(where);
      io.out(json ? JSON.stringify({ reset: true }) : "The sandbox is empty.");
      return 0;
  }
}

function statusText({ endpoint, pid, startedAt, dir }: SandboxState): string {
  return `The sandbox runs at ${endpoint} (pid ${pid}) since ${startedAt}, in ${dir}.`;
}

function portNumber(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port;
  throw new BeaconError("UsageInvalid", `--port does not take "${text}"`, { next: "give a port between 1 and 65535" });
}

function unknownAction(word: string): BeaconError {
  const near = nearest(word, ACTIONS);
  return new BeaconError("UsageInvalid", `sandbox does not know "${word}"`, {
    next: near ? `did you mean ${near}?` : `choose one of ${ACTIONS.join(", ")}`,
  });
}
