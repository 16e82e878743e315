import type { StackRequest } from "../../core/record.ts";
import { type ResourceKey, stackName } from "../../core/resource.ts";
import { defineCommand } from "../command.ts";
import { type AwsOptions, awsOptions, type SourceOptions, sourceOptions } from "../options.ts";
import { ask, pausesAt, pauseText, targetNamed } from "../requests.ts";
import { type StackOptions, stackOption, withChange } from "../session.ts";

export default defineCommand<SourceOptions & AwsOptions & StackOptions>({
  description:
    "Ends a pause. Of the whole stack, also the hold that a rollback put on the watched manifests; resources that are paused by name stay so. A controller looks at once, and tries again what it had given up, what is contested among it.",
  arguments: [{ syntax: "[resource]", description: "only this, as KIND/NAME" }],
  options: [...sourceOptions, stackOption, ...awsOptions],
  examples: ["beaconctl resume --env prod", "beaconctl resume sg/alb --env prod"],
  async run(invocation) {
    const { io, args } = invocation;
    return withChange(invocation, { manifests: "optional" }, async (session) => {
      const { stack, store, runtime } = session.context;
      const state = await store.load(stack);
      const target = targetNamed(session, state, args[0]);
      const ended = state.requests.filter((request) => ends(request, target));
      await session.way.store.withdraw(stack, ended);
      if (state.lease?.controller) await ask(session, { type: "check", target, resumes: true });
      const name = target === "*" ? stackName(stack) : target;
      const lines = ended.map((request) =>
        request.type === "hold" ? "The watched manifests are no longer held." : `${name} is no longer paused.`,
      );
      io.out(lines.length > 0 ? lines.join("\n") : `${name} was not paused.`);
      const left = pausesAt(state.requests, runtime.now()).filter((pause) => !ended.includes(pause));
      for (const pause of left) io.err(`${pause.target === "*" ? "the stack" : pause.target} is still ${pauseText(pause)}`);
      return 0;
    });
  },
});

function ends(request: StackRequest, target: ResourceKey | "*"): boolean {
  if (request.type === "pause") return request.target === target;
  return request.type === "hold" && target === "*";
}
