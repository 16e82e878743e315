/** Three synthetic kinds, one per identity class, over the simulated cloud. They differ in their identity alone. */

import { z } from "zod";
import { service, type Writer } from "../../src/aws/service.ts";
import { TAG_STACK, type Tags } from "../../src/aws/tags.ts";
import { field, tags } from "../../src/core/field.ts";
import type { Json, JsonObject } from "../../src/core/json.ts";
import { type AnyKind, defineKind, type Identity, type Kinds, type Remote, type Scope, type Updater } from "../../src/kind/kind.ts";
import type { ObjectType, Seen } from "./cloud.ts";

type Command<In, Out> = abstract new (input: In) => { resolveMiddleware(): (args: never) => Promise<{ output: Out }> };

/** The simulated SDK: what its commands take and give. */
export type SimSdk = {
  SimClient: unknown;
  DescribeObjectsCommand: Command<{ type: ObjectType }, { Objects: readonly Seen[] }>;
  CreateObjectCommand: Command<{ type: ObjectType; values: JsonObject; tags: Tags; token: string }, Seen>;
  UpdateObjectCommand: Command<{ id: string; values: JsonObject }, object>;
  TagObjectCommand: Command<{ id: string; set: Tags; drop: readonly string[] }, object>;
  DeleteObjectCommand: Command<{ id: string }, object>;
};

const sim = service<SimSdk>("sim", "SimClient", () => Promise.reject(new Error("the simulated SDK is never loaded")));

/** How long a read may be stale: what the engine is told, and more than the cloud's longest lag. */
export const WINDOW_MS = 5_000;

function spec() {
  return z.strictObject({
    name: field(z.string().optional(), { doc: "The name.", immutable: true }),
    mode: field(z.string(), { doc: "Cannot be changed.", immutable: true }),
    parent: field(z.string().optional(), { doc: "An object this one lives in.", immutable: true }),
    size: field(z.int(), { doc: "Can be changed." }),
    note: field(z.string().optional(), { doc: "The create cannot carry it.", unset: null }),
    links: field(z.array(z.string()).optional(), { doc: "Objects this one uses.", compare: "set", unset: [] }),
    peers: field(z.array(z.string()).optional(), { doc: "Objects that may use this one, too.", compare: "set", late: true, unset: [] }),
    tags: tags(),
  });
}

const status = z.strictObject({ objectId: z.string(), state: z.string() });

type Spec = z.infer<ReturnType<typeof spec>>;

function simKind(type: ObjectType, kind: string, identity: Identity): AnyKind {
  return defineKind({
    apiVersion: "sim.aws/v1",
    kind,
    doc: `Synthetic, found again by ${identity.by}.`,
    spec: spec(),
    status,
    id: "objectId",
    identity,
    errors: {
      notFound: ["ObjectNotFound"],
      // A token that was used with other parameters says that its object exists.
      exists: ["AlreadyExists", "ParameterMismatch"],
      wait: ["InUse"],
      propagating: ["ReferenceNotFound"],
    },
    list: {
      operations: ["sim:DescribeObjects"],
      run: async (aws, scope) => {
        const { Objects } = await aws.read(sim, "DescribeObjects", { type });
        return Objects.filter((seen) => wanted(scope, seen)).map(remoteOf);
      },
    },
    create: {
      operations: ["sim:CreateObject"],
      run: async (aws, desired, { token }) => {
        const { tags: wantedTags = {}, note: _note, peers: _peers, ...values } = desired;
        const made = await aws.write(sim, "CreateObject", { type, values, tags: wantedTags, token });
        return { id: made.id, values: { ...made.values, objectId: made.id, state: made.state } };
      },
    },
    updates: [fieldUpdate("size"), fieldUpdate("note"), fieldUpdate("links"), fieldUpdate("peers"), tagUpdate],
    delete: { operations: ["sim:DeleteObject"], run: async (aws, { id }) => void (await aws.write(sim, "DeleteObject", { id })) },
    ready: ({ state }) => {
      if (state === "pending") return { state: "waiting", why: "pending" };
      if (state === "failed" || state === "gone") return { state: "failed", why: state, recreate: true };
      return { state: "ready" };
    },
  });
}

function fieldUpdate(name: "size" | "note" | "links" | "peers"): Updater<Spec> {
  return {
    fields: [name],
    operations: ["sim:UpdateObject"],
    run: async (aws: Writer, { id, changes }) => {
      const values = { [name]: changes[name]?.after ?? null };
      await aws.write(sim, "UpdateObject", { id, values });
      return { values: { [name]: values[name] ?? undefined } };
    },
  };
}

const tagUpdate: Updater<Spec> = {
  fields: ["tags"],
  operations: ["sim:TagObject"],
  run: async (aws, { id, changes }) => {
    const change = changes.tags;
    const [set, drop] = [(change?.set ?? {}) as Tags, change?.drop ?? []];
    await aws.write(sim, "TagObject", { id, set, drop });
    const after = { ...((change?.before ?? {}) as Tags), ...set };
    return { values: { tags: Object.fromEntries(Object.entries(after).filter(([key]) => !drop.includes(key))) } };
  },
};

function remoteOf({ id, values, tags: objectTags, state }: Seen): Remote {
  const shown = { ...readable(values), objectId: id, state };
  return { id, values: shown, tags: objectTags, ...(state === "deleting" ? { deleting: true } : {}) };
}

// The cloud's null is the manifest's "not there".
function readable(values: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(values).filter((entry): entry is [string, Json] => entry[1] !== null && entry[1] !== undefined));
}

function wanted(scope: Scope, { id, values, tags: objectTags }: Seen): boolean {
  if (scope.stack !== undefined && objectTags[TAG_STACK] === scope.stack) return true;
  return scope.ids.includes(id) || scope.names.some(({ name }) => name !== undefined && name === values.name);
}

/** The kinds by id. */
export const KINDS: Kinds = new Map(
  [
    simKind("named", "Named", { by: "name", key: ["name"], name: { field: "name", maxLength: 40 } }),
    simKind("token", "Token", { by: "token", consistencyMs: WINDOW_MS }),
    simKind("tagged", "Tagged", { by: "tag", consistencyMs: WINDOW_MS, surplusIsSafe: true }),
  ].map((kind) => [kind.id, kind]),
);
