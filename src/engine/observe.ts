/**
 * Observe: one look at the world. List and join: a paged list per kind, never a read per resource.
 *
 * Writes nothing, by the types of what it is given.
 */

import { forOneLook } from "../aws/look.ts";
import type { CompiledStack } from "../core/compiled.ts";
import { BeaconError } from "../core/errors.ts";
import { digest, equal, type JsonObject } from "../core/json.ts";
import type { Pin } from "../core/record.ts";
import { type KindId, type Resource, type ResourceKey, stackName } from "../core/resource.ts";
import type { StackState } from "../core/store.ts";
import { type AnyKind, naturalKey, type Remote, type Scope, scopeNames } from "../kind/kind.ts";
import { ownerOf } from "./identify.ts";
import { Indexes, managedKind, recordOf, sweep } from "./sweep.ts";
import type { Context, World } from "./types.ts";

/** A natural key can depend on an id that is itself found by a natural key; no real chain is this deep. */
const NAME_ROUNDS_MAX = 8;

/** Loads the state, answers the lookups, and lists every kind the stack uses. Throws `ReadFailed` when any of it cannot be read. */
export async function observe(context: Context, compiled: CompiledStack | undefined, options: ObserveOptions = {}): Promise<World> {
  return observeWith(context, compiled, await context.store.load(context.stack), options);
}

/** Lookups to ask again, and kinds to list though nothing uses them. */
type ObserveOptions = { readonly refresh?: readonly ResourceKey[]; readonly kinds?: readonly KindId[] };

/** As {@link observe}, of a state that is loaded already, or of a part of it. */
export async function observeWith(
  given: Context,
  compiled: CompiledStack | undefined,
  state: StackState,
  options: ObserveOptions = {},
): Promise<World> {
  const context = { ...given, reader: forOneLook(given.reader) };
  const [{ pins, newer }, remotes] = await Promise.all([
    resolveLookups(context, compiled, state, new Set(options.refresh)),
    listAll(context, compiled, state, options.kinds ?? []),
  ]);
  if (compiled) await findByName(context, compiled, state, pins, remotes);
  return { ...(compiled ? { compiled } : {}), state, pins, newer, remotes, orphans: orphansIn(context, compiled, state, remotes) };
}

/** What a look again is told: the state as it is by now, and the kinds to list; of the others, what was seen holds. */
export type Again = { readonly state: StackState; readonly kinds: ReadonlySet<KindId> };

/** What a look again has seen. `unread`: kinds that could not be listed, and why; of them, what was seen before stands. */
export type SeenAgain = { readonly world: World; readonly unread: ReadonlyMap<KindId, BeaconError> };

/** A look that lists some kinds anew and keeps what an earlier look saw of the rest. Lookups stay as they were pinned. */
export async function lookAgain(given: Context, world: World, { state, kinds }: Again): Promise<SeenAgain> {
  const context = { ...given, reader: forOneLook(given.reader) };
  const { compiled } = world;
  const remotes: Remotes = new Map(world.remotes as Remotes);
  const unread = new Map<KindId, BeaconError>();
  const list = async (id: KindId) => {
    const kind = managedKind(context.kinds, id);
    try {
      remotes.set(id, await look(context, kind, scopeOf(context, kind, compiled, state)));
    } catch (error) {
      if (!(error instanceof BeaconError && error.code === "ReadFailed")) throw error;
      unread.set(id, error);
    }
  };
  await Promise.all([...kinds].map(list));
  const unbound = compiled?.resources.some((resource) => recordOf(state.records, resource)?.id === undefined);
  if (compiled && unbound) await findByName(context, compiled, state, world.pins, remotes);
  return { world: { ...world, state, remotes, orphans: orphansIn(context, compiled, state, remotes) }, unread };
}

type Remotes = Map<KindId, readonly Remote[]>;

async function listAll(
  context: Context,
  compiled: CompiledStack | undefined,
  state: StackState,
  extra: readonly KindId[],
): Promise<Remotes> {
  const used = new Set([
    ...extra,
    ...(compiled?.resources ?? []).map(({ kind }) => kind),
    ...[...state.records.values()].map(({ kind }) => kind),
  ]);
  const found = await Promise.all(
    [...used].map(async (id): Promise<[KindId, readonly Remote[]]> => {
      const kind = managedKind(context.kinds, id);
      return [id, await look(context, kind, scopeOf(context, kind, compiled, state))];
    }),
  );
  return new Map(found);
}

/** One list call of a kind; its failure names the kind. */
export async function look(context: Pick<Context, "reader">, kind: AnyKind, scope: Scope): Promise<readonly Remote[]> {
  try {
    return await kind.list.run(context.reader, scope);
  } catch (cause) {
    if (cause instanceof BeaconError) throw cause;
    const reason = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
    throw new BeaconError("ReadFailed", `${kind.name} objects could not be read: ${reason}`, {
      cause,
      next: "nothing was changed; check the permission and the connection, then run the command again",
    });
  }
}

/** Everything one list of a kind is asked for: own objects by tag, bound ones by id, unbound ones by natural key. */
function scopeOf(context: Context, kind: AnyKind, compiled: CompiledStack | undefined, state: StackState): Scope {
  const records = [...state.records.values()].filter((record) => record.kind === kind.id);
  const resources = (compiled?.resources ?? []).filter((resource) => resource.kind === kind.id);
  const unmanaged = resources.filter(({ lifecycle }) => !lifecycle.manage);
  return {
    stack: stackName(context.stack),
    ids: [
      ...new Set([...records.flatMap((record) => [record.id, ...record.retiring.map(({ id }) => id)]), ...resources.map(adoptId)]),
    ].filter((id) => id !== undefined),
    // Only names that need no other resource; the rest follow in rounds once those are found.
    names: resources
      .filter((resource) => recordOf(state.records, resource)?.id === undefined)
      .flatMap(({ spec }) => scopeNames(kind, spec)),
    tagged: unmanaged.filter((resource) => typeof resource.lifecycle.adopt !== "string").flatMap(staticTags),
    fields: fieldsOf(
      resources.map(({ spec }) => spec),
      records.map(({ applied }) => applied),
    ),
  };
}

function adoptId(resource: Resource): string | undefined {
  return typeof resource.lifecycle.adopt === "string" ? resource.lifecycle.adopt : undefined;
}

function staticTags(resource: Resource): Record<string, string>[] {
  const tags = Object.entries((resource.spec.tags ?? {}) as JsonObject).filter(
    (entry): entry is [string, string] => typeof entry[1] === "string",
  );
  return tags.length > 0 ? [Object.fromEntries(tags)] : [];
}

function fieldsOf(declared: readonly JsonObject[], applied: readonly JsonObject[]): ReadonlySet<string> {
  return new Set([...declared, ...applied].flatMap((spec) => Object.keys(spec)));
}

// Asks AWS for objects by natural keys that became known only through other objects' ids, until nothing new is learnt.
async function findByName(
  context: Context,
  compiled: CompiledStack,
  state: StackState,
  pins: World["pins"],
  remotes: Remotes,
): Promise<void> {
  const asked = new Set<string>();
  for (let round = 0; round < NAME_ROUNDS_MAX; round++) {
    const indexes = new Indexes(stackName(context.stack), remotes);
    const input = {
      kinds: context.kinds,
      stack: context.stack,
      compiled,
      records: state.records,
      indexes,
      pins,
      replace: new Set<ResourceKey>(),
    };
    const wanted = namesToAsk(context, compiled, sweep(input).decisions, asked);
    if (wanted.size === 0) return;
    const found = await Promise.all(
      [...wanted].map(async ([kind, names]) => {
        const fields = fieldsOf(
          compiled.resources.filter((resource) => resource.kind === kind.id).map(({ spec }) => spec),
          [],
        );
        return [kind.id, await look(context, kind, { ids: [], names, fields })] as const;
      }),
    );
    for (const [id, added] of found) remotes.set(id, merge(remotes.get(id) ?? [], added));
  }
}

function namesToAsk(
  context: Context,
  compiled: CompiledStack,
  decisions: ReturnType<typeof sweep>["decisions"],
  asked: Set<string>,
): Map<AnyKind, JsonObject[]> {
  const wanted = new Map<AnyKind, JsonObject[]>();
  for (const resource of compiled.resources) {
    const kind = managedKind(context.kinds, resource.kind);
    const decision = decisions.get(resource.key);
    if (decision?.action !== "create") continue;
    const name = naturalKey(kind, decision.desired);
    const question = `${kind.id} ${name}`;
    if (name === undefined || asked.has(question)) continue;
    asked.add(question);
    if (naturalKey(kind, resource.spec) === name) continue; // The first list asked for it.
    wanted.set(kind, [...(wanted.get(kind) ?? []), ...scopeNames(kind, decision.desired)]);
  }
  return wanted;
}

/** The union by id; later answers win. */
export function merge(earlier: readonly Remote[], later: readonly Remote[]): readonly Remote[] {
  return [...new Map([...earlier, ...later].map((remote) => [remote.id, remote])).values()];
}

async function resolveLookups(
  context: Context,
  compiled: CompiledStack | undefined,
  state: StackState,
  refresh: ReadonlySet<ResourceKey>,
): Promise<Pick<World, "pins" | "newer">> {
  const answers = await Promise.all(
    (compiled?.lookups ?? []).map(async (request) => {
      const specDigest = digest(request.spec, 16);
      const pinned = state.revision?.pins[request.key];
      const values = await answer(context, request.kind, request.key, request.spec);
      const keep = pinned?.specDigest === specDigest && !refresh.has(request.key);
      const pin: Pin = keep ? pinned : { specDigest, values, at: new Date(context.runtime.now()).toISOString() };
      return { key: request.key, pin, newer: keep && !equal(pinned.values, values) };
    }),
  );
  const message = (key: ResourceKey) => `AWS has a newer answer; take it with: beaconctl apply --refresh ${key}`;
  return {
    pins: Object.fromEntries(answers.map(({ key, pin }) => [key, pin])),
    newer: answers.filter(({ newer }) => newer).map(({ key }) => ({ key, message: message(key) })),
  };
}

async function answer(context: Context, id: KindId, key: ResourceKey, spec: JsonObject): Promise<JsonObject> {
  const kind = context.kinds.get(id);
  if (!kind?.lookup) throw new Error(`${id} is not a lookup`);
  try {
    return await kind.resolve.run(context.reader, spec);
  } catch (cause) {
    if (cause instanceof BeaconError) throw cause;
    throw new BeaconError(
      "ReadFailed",
      `the lookup ${key} could not be answered: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    );
  }
}

function orphansIn(context: Context, compiled: CompiledStack | undefined, state: StackState, remotes: Remotes): World["orphans"] {
  const uids = new Set([...state.records.values()].map(({ uid }) => uid));
  const keys = new Set((compiled?.resources ?? []).flatMap(({ key, renamedFrom }) => [key, ...(renamedFrom ? [renamedFrom] : [])]));
  const recorded = new Set(state.records.keys());
  return [...remotes].flatMap(([kind, objects]) =>
    objects.flatMap((remote) => {
      const owner = ownerOf(remote);
      if (owner?.stack !== stackName(context.stack) || remote.deleting || uids.has(owner.uid)) return [];
      const claimed = keys.has(owner.resource) && !recorded.has(owner.resource);
      return claimed ? [] : [{ kind, remote, key: owner.resource }];
    }),
  );
}
