/** References to resources: which resources an expression means in this environment, and whether it may. */

import type { ResourceKey } from "../core/resource.ts";
import { suggestion } from "../core/suggest.ts";
import type { ExpressionScope } from "./language.ts";
import type { Place } from "./node.ts";
import type { Problems } from "./problems.ts";
import type { Member, Reference } from "./references.ts";
import type { PlacedReference } from "./texts.ts";
import type { Entry, Instance, World } from "./world.ts";

/** The references that each local makes, those of the locals it uses included. */
export type LocalReferences = ReadonlyMap<string, readonly Reference[]>;

/** Where references are resolved: what `each` and the loop variables are. */
export type Site = { readonly scope: ExpressionScope; readonly context: object | undefined };

/** The resources meant; undefined when a problem was reported. */
export type Resolved = readonly Instance[] | undefined;

/** Resolves references in one environment. */
export class Links {
  readonly #world: World;
  readonly #locals: LocalReferences;
  readonly #problems: Problems;

  constructor(world: World, locals: LocalReferences, problems: Problems) {
    this.#world = world;
    this.#locals = locals;
    this.#problems = problems;
  }

  /** Every resource and lookup that the references mean. */
  resolve(references: readonly PlacedReference[], site: Site): Resolved {
    const found = this.#expanded(references).map(({ reference, place }) => this.#resolve(reference, place, site));
    return found.includes(undefined) ? undefined : found.flatMap((instances) => instances ?? []);
  }

  /** Reports references to resources, for places that are read before any resource exists. True when there are none. */
  refuse(references: readonly PlacedReference[], what: string): boolean {
    const remote = this.#expanded(references).filter(({ reference }) => this.#world.language.rootTypes.has(reference.root));
    for (const { reference, place } of remote) {
      const name = reference.name === undefined ? reference.root : `${reference.root}.${reference.name}`;
      this.#problems.add(
        place,
        `${what} must be known before any AWS call, but depends on \`${name}\``,
        "it may use params, env, project and local",
      );
    }
    return remote.length === 0;
  }

  /** Adds what locals refer to; the place stays that of the use. */
  #expanded(references: readonly PlacedReference[]): readonly PlacedReference[] {
    return references.flatMap(({ reference, place }) => {
      if (reference.root !== "local" || reference.name === undefined) return [{ reference, place }];
      return (this.#locals.get(reference.name) ?? []).map((inner) => ({ reference: { ...inner, whole: false }, place }));
    });
  }

  #resolve(reference: Reference, place: Place, site: Site): Resolved {
    const { root, name } = reference;
    const kind = this.#world.language.kinds.get(root);
    if (!kind || !this.#world.language.rootTypes.has(root)) return [];
    if (!this.#counts(reference, site)) return [];
    if (name === undefined) {
      this.#problems.add(place, `a ${kind.name} must be named; an index can only choose a member of a group`, `write ${root}.NAME`);
      return undefined;
    }
    const entry = this.#world.entry(root, name);
    // A name that is not declared at all is a fault of the expression, reported there.
    if (!entry) return [];
    if (entry.type === "excluded") return this.#excluded(reference, entry.condition, `${kind.name}/${name}`, place);
    if (entry.type === "one") return [entry.instance];
    return this.#members(entry, reference.member, `${kind.name}/${name}`, place, site);
  }

  /** Whether the part of the expression with this reference can be evaluated at all: its conditions may say no already. */
  #counts({ conditions }: Reference, site: Site): boolean {
    return conditions.every(({ text, wanted }) => {
      const value = this.#evaluate(text, site);
      return typeof value !== "boolean" || value === wanted;
    });
  }

  #excluded({ guarded, root, name }: Reference, condition: string, label: string, place: Place): Resolved {
    if (guarded) return [];
    this.#problems.add(place, `${label} is excluded by \`${condition}\``, `write ${root}.?${name} to allow for that`);
    return undefined;
  }

  #members(entry: Extract<Entry, { type: "group" }>, member: Member | undefined, label: string, place: Place, site: Site): Resolved {
    if (!member) return [...entry.members.values()];
    const name = "name" in member ? member.name : this.#evaluate(member.index, site);
    // An index that is not known yet may turn out to be any member.
    if (typeof name !== "string") return [...entry.members.values()];
    const instance = entry.members.get(name);
    if (instance) return [instance];
    this.#problems.add(place, `${label} has no member "${name}"`, suggestion(name, entry.members.keys()));
    return undefined;
  }

  #evaluate(text: string, { scope, context }: Site): unknown {
    const { expression } = this.#world.language.check(text, scope);
    if (!expression || !context) return undefined;
    try {
      return expression.evaluate(context);
    } catch {
      return undefined;
    }
  }
}

/** The keys of managed resources among them; lookups are resolved before anything is created. */
export function managedKeys(instances: readonly Instance[]): readonly ResourceKey[] {
  return instances.filter(({ declaration }) => !declaration.kind.lookup).map(({ key }) => key);
}
