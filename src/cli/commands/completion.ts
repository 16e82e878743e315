import { BeaconError } from "../../core/errors.ts";
import { defineCommand } from "../command.ts";
import { awsOptions, commonOptions, flagArity, sourceOptions } from "../options.ts";
import { COMMANDS } from "./index.ts";

const SHELLS = ["bash", "zsh", "fish"] as const;

export default defineCommand({
  description: "Prints a completion script for commands and shared options.",
  arguments: [{ syntax: "<shell>", description: SHELLS.join(", ") }],
  options: [],
  examples: ["source <(beaconctl completion bash)", "beaconctl completion fish > ~/.config/fish/completions/beaconctl.fish"],
  async run({ io, args }) {
    const shell = SHELLS.find((candidate) => candidate === args[0]);
    if (shell === undefined)
      throw new BeaconError("UsageInvalid", `no completion for "${args[0]}"`, { next: `choose one of ${SHELLS.join(", ")}` });
    io.out(script(shell));
    return 0;
  },
});

function script(shell: (typeof SHELLS)[number]): string {
  const commands = COMMANDS.map(({ name }) => name).join(" ");
  const flags = [...flagArity([...sourceOptions, ...awsOptions, ...commonOptions]).keys()].join(" ");
  switch (shell) {
    case "bash":
    case "zsh":
      return [
        ...(shell === "zsh" ? ["autoload -U +X bashcompinit && bashcompinit"] : []),
        "_beaconctl() {",
        '  local word="${COMP_WORDS[COMP_CWORD]}"',
        `  if [ "$COMP_CWORD" -eq 1 ]; then COMPREPLY=($(compgen -W "${commands}" -- "$word"));`,
        `  elif [ "\${word#-}" != "$word" ]; then COMPREPLY=($(compgen -W "${flags}" -- "$word"));`,
        '  else COMPREPLY=($(compgen -f -- "$word")); fi',
        "}",
        "complete -F _beaconctl beaconctl",
      ].join("\n");
    case "fish":
      return COMMANDS.map(
        ({ name, summary }) => `complete -c beaconctl -n __fish_use_subcommand -f -a ${name} -d ${JSON.stringify(summary)}`,
      ).join("\n");
  }
}
