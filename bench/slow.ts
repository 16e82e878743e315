/** An apply under slow calls, against the longest chain of what must come one after the other: how wide the executor goes. */

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { kinds } from "../reconcilers/index.ts";
import { measure } from "./measure.ts";

/** Added to each mutating call, as AWS might. */
export const SLOW_MS = 2000;

/** What a cold apply took, and the longest chain of dependent effects: their number, and the resources it leads through. */
export type Slow = { readonly wallMs: number; readonly effects: number; readonly through: readonly string[] };

type At = { readonly endpoint: string; readonly scratch: string };
type Edge = { readonly from: string; readonly to: string; readonly field?: string };
type Graph = { readonly resources: readonly string[]; readonly edges: readonly Edge[] };

/** Brings the stack up under slow calls, and takes it down again. */
export async function slowApply(source: readonly string[], { endpoint, scratch }: At): Promise<Slow> {
  const run = (args: readonly string[]) => measure({ args, exitCode: 0, proxy: endpoint, scratch });
  const rule = {
    match: { mutating: true, except: ["dynamodb:TransactWriteItems", "dynamodb:PutItem"] },
    fault: { type: "delay", when: "before", ms: SLOW_MS },
    times: "always",
  };
  await fetch(`${endpoint}/__proxy/rules`, { method: "POST", body: JSON.stringify(rule) });
  const startedAt = new Date().toISOString();
  const { wallMs } = await run(["apply", ...source, "--yes", "--confirm", "yes"]);
  await fetch(`${endpoint}/__proxy/rules`, { method: "DELETE" });
  const said = async (args: readonly string[], offline = false) => {
    await (offline ? measure({ args, exitCode: 0, scratch }) : run(args));
    return await readFile(join(scratch, "output.txt"), "utf8");
  };
  const events = (await said(["events", ...source, "-o", "json"])).split("\n");
  const graph = await said(["graph", ...source, "--sandbox", "--sandbox-dir", join(scratch, "sandbox"), "-o", "json"], true);
  await run(["delete", ...source, "--yes", "--include-protected", "--confirm", "destroy-prod"]);
  return { wallMs, ...longest(JSON.parse(graph.slice(graph.indexOf("{"))) as Graph, effectsOf(events, startedAt)) };
}

/** How many effects each resource took since then: an event says so of each. */
function effectsOf(lines: readonly string[], since: string): ReadonlyMap<string, number> {
  const effects = new Map<string, number>();
  for (const line of lines.filter((text) => text.startsWith("{"))) {
    const { at, type, resource } = JSON.parse(line) as { at: string; type: string; resource?: string };
    if (at >= since && resource && (type === "Created" || type === "Updated")) effects.set(resource, (effects.get(resource) ?? 0) + 1);
  }
  return effects;
}

// A field that is sent after the create holds nothing up.
function isLate({ from, field }: Edge): boolean {
  const kind = [...kinds.values()].find(({ name }) => name === from.slice(0, from.indexOf("/")));
  return field !== undefined && kind?.spec.fields[field]?.meta?.late === true;
}

function longest({ resources, edges }: Graph, effects: ReadonlyMap<string, number>): Omit<Slow, "wallMs"> {
  const needs = (resource: string) => edges.filter((edge) => edge.from === resource && !isLate(edge)).map(({ to }) => to);
  const known = new Map<string, Omit<Slow, "wallMs">>();
  const to = (resource: string): Omit<Slow, "wallMs"> => {
    const found = known.get(resource);
    if (found) return found;
    const before = needs(resource)
      .map(to)
      .reduce((one, other) => (other.effects > one.effects ? other : one), { effects: 0, through: [] });
    const chain = { effects: before.effects + (effects.get(resource) ?? 0), through: [...before.through, resource] };
    known.set(resource, chain);
    return chain;
  };
  return resources.map(to).reduce((one, other) => (other.effects > one.effects ? other : one));
}

/** `24.6 s, 1.12 times the longest chain, of 11 effects: VPC/main, …`. */
export function chainText({ wallMs, effects, through }: Slow): string {
  const times = wallMs / (effects * SLOW_MS);
  return `${(wallMs / 1000).toFixed(1)} s, ${times.toFixed(2)} times the longest chain, of ${effects} effects: ${through.join(", ")}`;
}
