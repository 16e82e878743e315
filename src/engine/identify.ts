/**
 * Identification: which of the remote objects is a resource's (docs/architecture.md, "Exactly once").
 *
 * Bound ids come first, then ownership tags, then the natural key. Nothing is ever taken that does not prove to be
 * ours, and of two that do, none is chosen by guess.
 */

import { type Ownership, parseOwnership } from "../aws/tags.ts";
import type { Reason } from "../core/condition.ts";
import type { ResourceRecord, Retiring } from "../core/record.ts";
import { isDeletable, type Lifecycle, type ResourceKey } from "../core/resource.ts";
import { type AnyKind, naturalKey, type Remote } from "../kind/kind.ts";

/** The remote objects of one kind, found by id, by uid, by resource key or by natural key without a scan. */
export class RemoteIndex {
  readonly #byId = new Map<string, Remote>();
  readonly #byUid = new Map<string, Remote[]>();
  readonly #byKey = new Map<string, Remote[]>();
  readonly #byName = new Map<string, Remote>();

  constructor(kind: AnyKind, stack: string, remotes: readonly Remote[]) {
    for (const remote of remotes) {
      this.#byId.set(remote.id, remote);
      const name = naturalKey(kind, remote.values);
      if (name !== undefined && !remote.deleting) this.#byName.set(name, remote);
      const owner = ownerOf(remote);
      if (owner?.stack !== stack) continue;
      push(this.#byUid, owner.uid, remote);
      push(this.#byKey, owner.resource, remote);
    }
  }

  byId(id: string): Remote | undefined {
    return this.#byId.get(id);
  }
  byUid(uid: string): readonly Remote[] {
    return this.#byUid.get(uid) ?? [];
  }
  /** Objects of this stack whose tags name the resource. */
  byKey(key: ResourceKey): readonly Remote[] {
    return this.#byKey.get(key) ?? [];
  }
  byName(name: string): Remote | undefined {
    return this.#byName.get(name);
  }
  /** Objects with all of these tags; none for no tags. */
  byTags(tags: Readonly<Record<string, string>>): readonly Remote[] {
    const wanted = Object.entries(tags);
    if (wanted.length === 0) return [];
    return [...this.#byId.values()].filter((remote) => !remote.deleting && wanted.every(([key, value]) => remote.tags?.[key] === value));
  }
}

/** Whose object it is, by its tags, else by what else says so. */
export function ownerOf(remote: Remote): Ownership | undefined {
  return (remote.tags && parseOwnership(remote.tags)) ?? remote.owner;
}

function push(map: Map<string, Remote[]>, key: string, remote: Remote): void {
  const present = map.get(key);
  if (present) present.push(remote);
  else map.set(key, [remote]);
}

/** The resource that asks which object is its own. */
export type Claim = {
  readonly kind: AnyKind;
  readonly stack: string;
  readonly key: ResourceKey;
  /** The key it had before a rename. */
  readonly formerKey?: ResourceKey;
  readonly record: ResourceRecord | undefined;
  readonly lifecycle: Lifecycle;
  /** The natural key under which it is or would be created; absent while not known. */
  readonly name: string | undefined;
  /** What its manifest says of its tags: how an object that is not managed may be found. */
  readonly tags: Readonly<Record<string, string>>;
  /** Its manifest takes over whatever has its name. */
  readonly overwrites: boolean;
  /** It is a part of another resource of the stack. */
  readonly isPart: boolean;
  /** Whether an object has everything the manifest declares. */
  readonly isAsDeclared: (remote: Remote) => boolean;
};

/** The answer. At most one of `current`, `vanished` and `problem` is there; none: nothing was created yet. */
export type Identified = {
  readonly current?: Remote;
  /** `adopt`: by consent, without proof. The rest are proofs, `likeness` where nothing would change: no tag can say whose it is. */
  readonly via?: "binding" | "tags" | "intent" | "part" | "likeness" | "adopt";
  /** From the record, else from the tags. */
  readonly uid?: string;
  readonly generation: number;
  /** The bound id that is no longer there. */
  readonly vanished?: string;
  /** Objects of earlier generations, still there. */
  readonly retiring: readonly Retiring[];
  /** Further objects of this very generation: left by creates whose answers were lost. */
  readonly surplus: readonly Remote[];
  readonly problem?: { readonly reason: Extract<Reason, "NotOwned" | "Conflict">; readonly message: string };
};

/** Pure. See the file's header. */
export function identify(given: Claim, index: RemoteIndex): Identified {
  if (!given.lifecycle.manage) return { generation: given.record?.generation ?? 1, retiring: [], surplus: [], ...unmanaged(given, index) };
  const claim = isOutdated(given, index) ? { ...given, record: undefined } : given;
  const owned = ownedBy(claim, index);
  const uid = claim.record?.uid ?? owned[0]?.owner.uid;
  const generation = Math.max(claim.record?.generation ?? 1, ...owned.map(({ owner }) => owner.generation));
  const base = { generation, ...(uid === undefined ? {} : { uid }), surplus: [], retiring: retiringOf(claim, index, owned, generation) };
  if (new Set(owned.map(({ owner }) => owner.uid)).size > 1)
    return {
      ...base,
      ...conflict(
        claim,
        owned.map(({ remote }) => remote),
      ),
    };
  const peers = owned.filter(({ owner }) => owner.generation === generation).map(({ remote }) => remote);
  const boundId = claim.record?.generation === generation ? claim.record.id : undefined;
  const found = boundId === undefined ? undefined : index.byId(boundId);
  // Ours is gone, and somebody else has taken its name.
  const bound = found?.foreign === undefined ? found : undefined;
  if (bound) return { ...base, ...fromBinding(claim, bound, peers) };
  if (peers.length > 1) return { ...base, ...unboundPeers(claim, peers) };
  if (peers[0]) return { ...base, current: peers[0], via: "tags" };
  const named = fromName(claim, index);
  if (named.current || named.problem || boundId === undefined) return { ...base, ...named };
  return { ...base, vanished: boundId };
}

// The state is an older copy: the record's object is gone, nothing is open, and AWS has another that was made for the resource since.
function isOutdated({ key, record }: Claim, index: RemoteIndex): boolean {
  if (record?.id === undefined || record.intent || record.deleting) return false;
  const remains = index.byId(record.id) !== undefined || index.byUid(record.uid).length > 0;
  return !remains && index.byKey(key).some((remote) => !remote.deleting);
}

// Two creates of one intent took effect, one of them sent late: either will do, for nothing uses them yet, and AWS would not
// delete one in use. Without the intent nothing says so, and a person decides.
function unboundPeers(claim: Claim, peers: readonly Remote[]): Partial<Identified> {
  const { identity } = claim.kind;
  const safe = identity.by === "tag" && identity.surplusIsSafe === true && claim.record?.intent !== undefined;
  const [current, ...surplus] = [...peers].sort((left, right) => (left.id < right.id ? -1 : 1));
  return safe && current ? { current, via: "tags", surplus } : conflict(claim, peers);
}

type Owned = { readonly remote: Remote; readonly owner: Ownership };

function ownedBy(claim: Claim, index: RemoteIndex): readonly Owned[] {
  const remotes = claim.record
    ? index.byUid(claim.record.uid)
    : [...index.byKey(claim.key), ...(claim.formerKey ? index.byKey(claim.formerKey) : [])];
  return remotes.flatMap((remote) => {
    const owner = ownerOf(remote);
    return owner && !remote.deleting && remote.foreign === undefined ? [{ remote, owner }] : [];
  });
}

function retiringOf(claim: Claim, index: RemoteIndex, owned: readonly Owned[], generation: number): readonly Retiring[] {
  const recorded = (claim.record?.retiring ?? []).filter((old) => isPredecessor(claim, index, old));
  const tagged = owned
    .filter(({ owner, remote }) => owner.generation < generation && !recorded.some(({ id }) => id === remote.id))
    .map(({ owner, remote }) => ({ generation: owner.generation, id: remote.id }));
  return mayClearUp(claim) ? [...recorded, ...tagged] : recorded;
}

// Where the name is the id, the successor has its predecessor's: only generation and binding tell them apart.
function isPredecessor({ record }: Claim, index: RemoteIndex, { id, generation }: Retiring): boolean {
  const remote = index.byId(id);
  if (!remote || remote.foreign !== undefined || record?.id === id) return false;
  const owner = ownerOf(remote);
  return owner === undefined || owner.uid !== record?.uid || owner.generation === generation;
}

// An earlier object that no record knows came of a create whose answer was lost; it is removed where that cannot cost anything.
function mayClearUp({ kind, lifecycle }: Claim): boolean {
  const safe = kind.identity.by === "tag" && kind.identity.surplusIsSafe === true;
  return !kind.stateful && (safe || isDeletable(lifecycle));
}

function fromBinding(claim: Claim, bound: Remote, peers: readonly Remote[]): Partial<Identified> {
  const owner = ownerOf(bound);
  if (owner && isAnothers(claim, owner)) {
    const message = `${bound.id} is bound to ${claim.key}, but its tags name ${owner.resource} of ${owner.stack}: restore its beacon:* tags, or delete ${claim.key} with lifecycle.deletion: retain`;
    return { problem: { reason: "Conflict", message } };
  }
  return { current: bound, via: "binding", surplus: peers.filter((peer) => peer.id !== bound.id) };
}

// A strange uid beside the resource's own name came of a hand, or of a record older than the object: the bound id outranks it.
function isAnothers({ stack, key, formerKey, record }: Claim, owner: Ownership): boolean {
  if (owner.stack !== stack) return true;
  return owner.uid !== record?.uid && ![key, formerKey, record?.key].includes(owner.resource);
}

function fromName(claim: Claim, index: RemoteIndex): Partial<Identified> {
  const { adopt } = claim.lifecycle;
  const chosen = typeof adopt === "string" ? index.byId(adopt) : undefined;
  const named = chosen ?? (claim.name === undefined ? undefined : index.byName(claim.name));
  if (!named) return {};
  if (named.foreign !== undefined) {
    return { problem: { reason: "NotOwned", message: `${named.id} ${named.foreign}: choose another name` } };
  }
  if (chosen) return { current: chosen, via: "adopt" };
  const owner = ownerOf(named);
  if (owner && owner.uid === claim.record?.uid) return {}; // A predecessor, on its way out.
  const mayMove = claim.kind.identity.by === "name" && claim.kind.identity.movable === true;
  if (owner?.stack === claim.stack && mayMove) return {};
  if (owner) return { problem: takenBy(claim, named, owner) };
  const proof = untaggedProof(claim, named);
  if (proof) return { current: named, via: proof };
  if (adopt === true || claim.overwrites) return { current: named, via: "adopt" };
  const message = `${named.id} exists and does not belong to this stack: set lifecycle.adopt: true (or its id) to take it over, or choose another name`;
  return { problem: { reason: "NotOwned", message } };
}

/** What says that an object without tags is ours, where tags cannot say it. */
function untaggedProof({ kind, record, isPart, isAsDeclared }: Claim, named: Remote): Identified["via"] {
  const tagsFollow = kind.identity.by === "name" && kind.identity.tagsFollow === true;
  if ((!kind.taggable || tagsFollow) && record?.intent) return "intent";
  if (kind.taggable) return undefined;
  if (isPart) return "part";
  return isAsDeclared(named) ? "likeness" : undefined;
}

/** What is read and never written may be anybody's: the one with its id, of its name, or with its tags. */
function unmanaged(claim: Claim, index: RemoteIndex): Partial<Identified> {
  const found = soughtBy(claim, index);
  if (found.length <= 1) return found[0] ? { current: found[0], via: "adopt" } : {};
  const ids = found.map(({ id }) => id).join(", ");
  return { problem: { reason: "Conflict", message: `${ids} all have these tags: give more of them, or the id in lifecycle.adopt` } };
}

function soughtBy({ lifecycle, name, tags }: Claim, index: RemoteIndex): readonly Remote[] {
  const one = typeof lifecycle.adopt === "string" ? index.byId(lifecycle.adopt) : name === undefined ? undefined : index.byName(name);
  return one || typeof lifecycle.adopt === "string" ? (one ? [one] : []) : index.byTags(tags);
}

function takenBy(claim: Claim, named: Remote, owner: Ownership): NonNullable<Identified["problem"]> {
  if (owner.stack !== claim.stack) {
    return { reason: "NotOwned", message: `${named.id} belongs to ${owner.resource} of the stack ${owner.stack}: choose another name` };
  }
  const message = `${named.id} is ${owner.resource} of this stack: name it in metadata.renamedFrom to move it here, or choose another name`;
  return { reason: "Conflict", message };
}

function conflict(claim: Claim, remotes: readonly Remote[]): Partial<Identified> {
  const ids = remotes.map((remote) => remote.id).join(", ");
  return {
    problem: { reason: "Conflict", message: `${ids} all claim to be ${claim.key}: delete all but one, or remove their beacon:* tags` },
  };
}

/** Every object of the index that could matter to the claim: what an actor carries from one look to the next. */
export function candidates(claim: Claim, index: RemoteIndex): readonly Remote[] {
  const { record, lifecycle } = claim;
  const ids = [
    record?.id,
    ...(record?.retiring ?? []).map(({ id }) => id),
    typeof lifecycle.adopt === "string" ? lifecycle.adopt : undefined,
  ];
  const found = [
    ...ids.map((id) => (id === undefined ? undefined : index.byId(id))),
    ...(record ? index.byUid(record.uid) : []),
    ...index.byKey(claim.key),
    ...(claim.formerKey ? index.byKey(claim.formerKey) : []),
    claim.name === undefined ? undefined : index.byName(claim.name),
    ...(lifecycle.manage ? [] : index.byTags(claim.tags)),
  ];
  return [...new Set(found.filter((remote) => remote !== undefined))];
}
