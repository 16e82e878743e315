import { BeaconError } from "../../core/errors.ts";
import { isObject, type Json, type JsonObject } from "../../core/json.ts";
import { stackName } from "../../core/resource.ts";
import { nearest } from "../../core/suggest.ts";
import { defineCommand } from "../command.ts";
import { type AwsOptions, awsOptions, outputOption, type SourceOptions, sourceOptions } from "../options.ts";
import { renderDocument } from "../render/document-output.ts";
import { outputLines } from "../render/report.ts";
import { type Session, type StackOptions, stackOption, withLook } from "../session.ts";

export default defineCommand<SourceOptions & AwsOptions & StackOptions>({
  description:
    "Prints the project's outputs as of the last apply; those marked `live` as AWS has them now, where the manifests are given. A single one is printed bare, for use in scripts.",
  arguments: [{ syntax: "[name]", description: "one output, or one member of it: NAME.KEY" }],
  options: [...sourceOptions, stackOption, ...awsOptions, outputOption("json", "yaml")],
  examples: ["beaconctl outputs --env prod", "beaconctl outputs vpcId", "beaconctl outputs -o json"],
  async run(invocation) {
    const { io, options, args } = invocation;
    return withLook(invocation, { manifests: "optional" }, async (session) => {
      const { stack, store } = session.context;
      const { revision } = await store.load(stack);
      if (!revision) throw new BeaconError("StackUnknown", `${stackName(stack)} has not been applied yet`, { next: "beaconctl apply" });
      const [name] = args;
      const outputs = { ...revision.outputs, ...(await lookedUp(session, name)) };
      const value = name === undefined ? outputs : outputNamed(outputs, name);
      if (options.output === "json" || options.output === "yaml") io.out(await renderDocument(value, options.output));
      else io.out(name === undefined ? outputLines(outputs).join("\n") : bare(value));
      return 0;
    });
  },
});

/** The outputs that change by themselves; a look is made only where one of them is asked for. */
async function lookedUp({ context, compiled }: Session, name: string | undefined): Promise<JsonObject> {
  const live = [...(compiled?.liveOutputs ?? [])];
  if (!live.some((output) => name === undefined || name === output || name.startsWith(`${output}.`))) return {};
  const { liveOutputs, observe } = await import("../../engine/engine.ts");
  return liveOutputs(context, await observe(context, compiled));
}

function outputNamed(outputs: { readonly [name: string]: Json | undefined }, name: string): Json {
  const [own = "", member] = name.split(/\.(.*)/s);
  const whole = outputs[own];
  const value = member !== undefined && isObject(whole) ? whole[member] : outputs[name];
  if (value !== undefined) return value;
  const near = nearest(name, Object.keys(outputs));
  throw new BeaconError("ResourceUnknown", `no output is called ${name}`, {
    next: near ? `did you mean ${near}?` : "beaconctl outputs lists them",
  });
}

function bare(value: Json): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
