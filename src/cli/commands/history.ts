import { BeaconError } from "../../core/errors.ts";
import type { Grants, Revision, StackStatus } from "../../core/record.ts";
import { stackName } from "../../core/resource.ts";
import { NO_GRANTS } from "../../engine/revision.ts";
import { defineCommand } from "../command.ts";
import { type AwsOptions, awsOptions, outputOption, type SourceOptions, sourceOptions } from "../options.ts";
import { renderDocument } from "../render/document-output.ts";
import { renderTable } from "../render/table.ts";
import { type StackOptions, stackOption, withLook } from "../session.ts";

type Options = SourceOptions & AwsOptions & StackOptions & { readonly limit: string };

// Git's own short form.
const COMMIT_CHARACTERS = 7;

/** One revision as it is listed. Its JSON is what `-o json` prints. */
type Listed = {
  readonly number: number;
  readonly acceptedAt: string;
  readonly acceptedBy: string;
  readonly digest: string;
  readonly commit?: string;
  readonly message?: string;
  readonly rollbackOf?: number;
  readonly resources: number;
  /** Against the revision before; absent where that is not kept. */
  readonly declared?: { readonly added: number; readonly removed: number };
  /** Approved, and not used yet. */
  readonly grants: Grants;
  readonly accepted: boolean;
  /** The newest that a controller has wholly brought about. */
  readonly converged: boolean;
};

export default defineCommand<Options>({
  description:
    "Lists a stack's revisions, newest first: when, by whom, from which commit, and why. Fifty are kept. The accepted one is marked, and the one that a controller has last brought about.",
  options: [
    ...sourceOptions,
    stackOption,
    ...awsOptions,
    { flags: "--limit <number>", description: "so many", default: "20" },
    outputOption("json", "yaml"),
  ],
  examples: ["beaconctl history --env prod", "beaconctl history --stack beacon/prod -o json"],
  async run(invocation) {
    const { io, options } = invocation;
    const limit = Number(options.limit);
    if (!(Number.isInteger(limit) && limit > 0)) throw new BeaconError("UsageInvalid", `--limit does not take "${options.limit}"`);
    return withLook(invocation, { manifests: "optional" }, async ({ context }) => {
      const { store, stack } = context;
      // One more, to tell what the last of them changed.
      const [revisions, { status }] = await Promise.all([store.history(stack, { limit: limit + 1 }), store.news(stack)]);
      const listed = listedOf(revisions, status).slice(0, limit);
      if (options.output === "json" || options.output === "yaml") io.out(await renderDocument(listed, options.output));
      else if (listed.length === 0) io.err(io.errStyle.dim(`${stackName(stack)} has no revision yet.`));
      else io.out(table(listed));
      return 0;
    });
  },
});

function listedOf(revisions: readonly Revision[], status: StackStatus | undefined): readonly Listed[] {
  return revisions.map((revision, index) => {
    const { number, acceptedAt, acceptedBy, digest, commit, message, rollbackOf, resources, grants } = revision;
    const before = revisions[index + 1];
    return {
      ...{ number, acceptedAt, acceptedBy, digest },
      ...(commit === undefined ? {} : { commit }),
      ...(message === undefined ? {} : { message }),
      ...(rollbackOf === undefined ? {} : { rollbackOf }),
      resources: resources.length,
      ...(before ? { declared: comparedWith(before, revision) } : {}),
      grants: grants ?? NO_GRANTS,
      accepted: index === 0,
      converged: number === status?.converged,
    };
  });
}

function comparedWith(before: Revision, after: Revision): NonNullable<Listed["declared"]> {
  const missingIn = (one: Revision, other: Revision) => one.resources.filter((key) => !other.resources.includes(key)).length;
  return { added: missingIn(after, before), removed: missingIn(before, after) };
}

function table(listed: readonly Listed[]): string {
  const rows = listed.map((revision) => [
    `${revision.accepted ? "*" : " "} ${revision.number}`,
    revision.acceptedAt.slice(0, 19).replace("T", " "),
    revision.acceptedBy,
    revision.commit?.slice(0, COMMIT_CHARACTERS) ?? "",
    `${revision.resources}${changeText(revision)}`,
    [...marks(revision), revision.message ?? ""].filter(Boolean).join(", "),
  ]);
  return renderTable(["  REVISION", "ACCEPTED (UTC)", "BY", "COMMIT", "RESOURCES", "MESSAGE"], rows);
}

function changeText({ declared }: Listed): string {
  const parts = [...(declared?.added ? [`+${declared.added}`] : []), ...(declared?.removed ? [`-${declared.removed}`] : [])];
  return parts.length === 0 ? "" : ` (${parts.join(" ")})`;
}

function marks({ rollbackOf, converged }: Listed): readonly string[] {
  return [...(converged ? ["converged"] : []), ...(rollbackOf === undefined ? [] : [`rollback of ${rollbackOf}`])];
}
