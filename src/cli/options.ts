/** The options commands share, each declared once. */

/** One option in commander's syntax. */
export type OptionDefinition = {
  /** `-f, --file <path>`. */
  readonly flags: string;
  readonly description: string;
  /** May be given several times; the values are collected. */
  readonly repeatable?: true;
  readonly choices?: readonly string[];
  readonly default?: string;
};

/** Which manifests, which environment, which parameters. */
export type SourceOptions = {
  readonly file?: readonly string[];
  readonly env?: string;
  readonly param?: readonly string[];
  readonly params?: readonly string[];
};

/** Of every command that can read manifests. */
export const sourceOptions: readonly OptionDefinition[] = [
  {
    flags: "-f, --file <path>",
    description: "manifest file or folder, or - for stdin (default: manifests, where it exists)",
    repeatable: true,
  },
  { flags: "-e, --env <name>", description: "environment (default: BEACON_ENV, else the one marked default: true)" },
  { flags: "--param <name=value>", description: "set a parameter; the value is YAML", repeatable: true },
  { flags: "--params <file>", description: "set parameters from a YAML or JSON file", repeatable: true },
];

/** Whether it is the local AWS. */
export type SandboxOptions = { readonly sandbox?: true; readonly sandboxDir?: string };

/** Which AWS. */
export type AwsOptions = SandboxOptions & { readonly region?: string; readonly profile?: string; readonly endpoint?: string };

/** Shared by `--sandbox` and the command `sandbox`. */
export const sandboxDirOption: OptionDefinition = {
  flags: "--sandbox-dir <path>",
  description: "folder that names the sandbox (default: BEACON_SANDBOX_DIR, else one per user)",
};

/** Of every command that compiles manifests. */
export const sandboxOptions: readonly OptionDefinition[] = [
  { flags: "--sandbox", description: "use the local AWS, started when it is not running; offline: check as for it" },
  sandboxDirOption,
];

/** Of every command that goes to AWS. */
export const awsOptions: readonly OptionDefinition[] = [
  { flags: "--region <name>", description: "AWS region (default: the environment's, else AWS_REGION, else the profile's)" },
  { flags: "--profile <name>", description: "credentials profile (default: AWS_PROFILE, else the SDK's chain)" },
  { flags: "--endpoint <url>", description: "any AWS-compatible endpoint (default: AWS_ENDPOINT_URL, else AWS)" },
  ...sandboxOptions,
];

/** How the command speaks. Every command has these. */
export type CommonOptions = {
  readonly color: boolean;
  readonly verbose?: true;
  readonly output?: string;
  readonly logLevel?: string;
  readonly logFormat?: string;
};

/** Added to every command by program.ts. */
export const commonOptions: readonly OptionDefinition[] = [
  { flags: "-v, --verbose", description: "show more: every field of a create, the stack of an unexpected error" },
  { flags: "--no-color", description: "no colour, as NO_COLOR does" },
  {
    flags: "--log-level <level>",
    description: "log to stderr (default: BEACON_LOG_LEVEL, else nothing)",
    choices: ["trace", "debug", "info", "warn", "error"],
  },
  { flags: "--log-format <format>", description: "shape of the log", choices: ["text", "json"], default: "text" },
];

/** `-o`, with the formats this command can give. */
export function outputOption(...formats: readonly string[]): OptionDefinition {
  return { flags: "-o, --output <format>", description: "output format", choices: formats };
}

/** Flags as they stand on a command line, and whether they take a value: `{ "-f": true, "--file": true, "--sandbox": false }`. */
export function flagArity(definitions: readonly OptionDefinition[]): ReadonlyMap<string, boolean> {
  return new Map(
    definitions.flatMap(({ flags }) => {
      const names = flags.split(/[ ,]+/).filter((part) => part.startsWith("-"));
      return names.map((name): [string, boolean] => [name, /[<[]/.test(flags)]);
    }),
  );
}

/**
 * Moves shared options that stand before the command behind it, as kubectl allows (`beaconctl --env prod diff`).
 * Stops at the first argument that is not one of them.
 */
export function hoistOptions(args: readonly string[], arity: ReadonlyMap<string, boolean>): string[] {
  let at = 0;
  while (at < args.length) {
    const takesValue = arity.get((args[at] as string).split("=")[0] as string);
    if (takesValue === undefined) break;
    at += takesValue && !(args[at] as string).includes("=") ? 2 : 1;
  }
  if (at === 0 || at >= args.length) return [...args];
  return [...args.slice(at, at + 1), ...args.slice(0, at), ...args.slice(at + 1)];
}
