/** Every command: its name and summary, and its file, loaded only when it is called. */

import type { AnyCommand } from "../command.ts";

/** One line of `beaconctl --help`. */
export type CommandEntry = { readonly name: string; readonly summary: string; readonly load: () => Promise<AnyCommand> };

export const COMMANDS: readonly CommandEntry[] = [
  {
    name: "validate",
    summary: "check the manifests for every environment, offline",
    load: async () => (await import("./validate.ts")).default,
  },
  {
    name: "render",
    summary: "show the manifests with everything expanded, offline",
    load: async () => (await import("./render.ts")).default,
  },
  { name: "eval", summary: "evaluate one expression, offline", load: async () => (await import("./eval.ts")).default },
  {
    name: "diff",
    summary: "show what an apply would change, and why; writes nothing",
    load: async () => (await import("./diff.ts")).default,
  },
  { name: "apply", summary: "bring AWS to what the manifests say", load: async () => (await import("./apply.ts")).default },
  {
    name: "controller",
    summary: "keep every stack equal to its accepted revision, continuously",
    load: async () => (await import("./controller.ts")).default,
  },
  { name: "delete", summary: "delete a stack, or single resources", load: async () => (await import("./delete.ts")).default },
  {
    name: "rollback",
    summary: "bring a stack back to an earlier revision",
    load: async () => (await import("./rollback.ts")).default,
  },
  { name: "history", summary: "list a stack's revisions", load: async () => (await import("./history.ts")).default },
  { name: "approve", summary: "approve what a controller asks for", load: async () => (await import("./approve.ts")).default },
  {
    name: "pause",
    summary: "have a controller leave a stack or a resource as it is",
    load: async () => (await import("./pause.ts")).default,
  },
  { name: "resume", summary: "end a pause", load: async () => (await import("./resume.ts")).default },
  { name: "check", summary: "have a controller look now, and tell what it finds", load: async () => (await import("./check.ts")).default },
  { name: "unprotect", summary: "allow the deletion of a protected resource", load: async () => (await import("./unprotect.ts")).default },
  { name: "get", summary: "list resources, orphans or stacks", load: async () => (await import("./get.ts")).default },
  {
    name: "describe",
    summary: "show one resource: state, history, what differs and why",
    load: async () => (await import("./describe.ts")).default,
  },
  {
    name: "health",
    summary: "run every Monitor now: targets, tables, endpoints, alarms",
    load: async () => (await import("./health.ts")).default,
  },
  { name: "outputs", summary: "print the stack's outputs", load: async () => (await import("./outputs.ts")).default },
  { name: "events", summary: "list what happened to a stack, or follow it", load: async () => (await import("./events.ts")).default },
  { name: "explain", summary: "document a kind or one of its fields", load: async () => (await import("./explain.ts")).default },
  {
    name: "schema",
    summary: "print the JSON Schema of the manifests, for editors",
    load: async () => (await import("./schema.ts")).default,
  },
  { name: "graph", summary: "print the dependency graph", load: async () => (await import("./graph.ts")).default },
  {
    name: "iam-policy",
    summary: "print the IAM policy that the manifests need",
    load: async () => (await import("./iam-policy.ts")).default,
  },
  { name: "doctor", summary: "look whether an apply could work here", load: async () => (await import("./doctor.ts")).default },
  { name: "bootstrap", summary: "create the state table", load: async () => (await import("./bootstrap.ts")).default },
  { name: "unlock", summary: "free a stack's lease, whoever holds it", load: async () => (await import("./unlock.ts")).default },
  { name: "sandbox", summary: "start, stop, reset or look at the local AWS", load: async () => (await import("./sandbox.ts")).default },
  { name: "completion", summary: "print a shell's completion script", load: async () => (await import("./completion.ts")).default },
  { name: "version", summary: "print the version", load: async () => (await import("./version.ts")).default },
];
