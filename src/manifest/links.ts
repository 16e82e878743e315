/**
 * References to resources: which resources an expression means in this environment, and whether it may.
 *
 * A local, a blueprint's parameter or an instance's output stands for the resources that its own value comes from.
 */

import type { ResourceKey } from "../core/resource.ts";
import { suggestion } from "../core/suggest.ts";
import type { BlueprintInstance } from "./blueprint-instance.ts";
import { type Entry, type Frame, NOTHING } from "./frame.ts";
import type { LocalReferences } from "./inference.ts";
import type { ExpressionScope } from "./names.ts";
import type { Place } from "./node.ts";
import type { Problems } from "./problems.ts";
import type { Member, Reference } from "./references.ts";
import type { PlacedReference, Text } from "./texts.ts";
import type { Instance } from "./world.ts";

/** Where references are resolved: what `each` and the loop variables are. */
export type Site = { readonly scope: ExpressionScope; readonly context: object | undefined };

/** The resources meant; undefined when a problem was reported. */
export type Resolved = readonly Instance[] | undefined;

/** Resolves the references of one frame's expressions. */
export class Links {
  readonly #frame: Frame;
  readonly #locals: LocalReferences;
  readonly #problems: Problems;

  constructor(frame: Frame, locals: LocalReferences, problems: Problems) {
    this.#frame = frame;
    this.#locals = locals;
    this.#problems = problems;
  }

  /** Every resource and lookup that the references mean. */
  resolve(references: readonly PlacedReference[], site: Site): Resolved {
    return together(references.map(({ reference, place }) => this.#resolve(reference, place, site)));
  }

  /** Reports references to resources, for places that are read before any resource exists. True when there are none. */
  refuse(references: readonly PlacedReference[], what: string): boolean {
    const remote = references.flatMap(({ reference, place }) => this.remote(reference).map((name) => ({ name, place })));
    for (const { name, place } of remote) {
      const message = `${what} must be known before any AWS call, but depends on \`${name}\``;
      this.#problems.add(place, message, "it may use params, env, project and local");
    }
    return remote.length === 0;
  }

  /** The resources and instances that a reference needs, as they are written where they are named. */
  remote({ root, name, attribute }: Reference): readonly string[] {
    const { instance, names, world } = this.#frame;
    if (root === "local") {
      const { links } = this.#atRoot();
      return (this.#locals.get(name ?? "") ?? []).flatMap((inner) => links.remote(inner));
    }
    if (root === "params") return instance?.parameterNeeds(name, attribute) ?? [];
    if (!world.language.roots(names).has(root)) return [];
    return [name === undefined ? root : `${root}.${name}`];
  }

  /** The one resource that the whole of a text refers to, through parameters and outputs whose whole values do; undefined for anything else. */
  target({ references }: Text, site: Site): Instance | undefined {
    const [first] = references;
    if (!first?.reference.whole) return undefined;
    const { root, name = "", attribute = "" } = first.reference;
    if (root === "params") return this.#frame.instance?.parameterTarget(name);
    const entry = this.#frame.entry(root, name);
    if (entry?.type === "one" && !("field" in entry.instance)) return entry.instance.outputTarget(attribute);
    const found = this.resolve([first], site) ?? [];
    return found.length === 1 ? found[0] : undefined;
  }

  #resolve(reference: Reference, place: Place, site: Site): Resolved {
    const { root, name, attribute } = reference;
    const { instance, names, world } = this.#frame;
    if (!this.#counts(reference, site)) return [];
    if (root === "local") return this.#local(name, place);
    if (root === "params") return instance ? instance.parameterLinks(name, attribute) : [];
    const type = world.language.roots(names).get(root);
    if (!type) return [];
    if (name === undefined) {
      this.#problems.add(place, `a ${type.what} must be named; an index can only choose a member of a group`, `write ${root}.NAME`);
      return undefined;
    }
    const entry = this.#frame.entry(root, name);
    // A name that is not declared at all is a fault of the expression, reported there.
    if (!entry) return [];
    const label = `${type.what}/${name}`;
    if (entry.type === "unread") return undefined;
    if (entry.type === "excluded") return this.#excluded(reference, entry.condition, label, place);
    const meant = entry.type === "one" ? [entry.instance] : this.#members(entry, reference.member, { label, place, site });
    return meant && linksOf(meant, attribute);
  }

  /** What a local refers to stands among the project's own names; the place stays that of the use. */
  #local(name: string | undefined, place: Place): Resolved {
    const references = (this.#locals.get(name ?? "") ?? []).map((reference) => ({ reference, place }));
    const { links, site } = this.#atRoot();
    return links.resolve(references, site);
  }

  #atRoot(): { readonly links: Links; readonly site: Site } {
    const { root } = this.#frame.world;
    return { links: new Links(root, this.#locals, this.#problems), site: { scope: root.names.scope, context: root.base(NOTHING) } };
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

  #members(
    entry: Extract<Entry, { type: "group" }>,
    member: Member | undefined,
    { label, place, site }: { readonly label: string; readonly place: Place; readonly site: Site },
  ): readonly (Instance | BlueprintInstance)[] | undefined {
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
    const { expression } = this.#frame.world.language.check(text, scope);
    if (!expression || !context) return undefined;
    try {
      return expression.evaluate(context);
    } catch {
      return undefined;
    }
  }
}

/** A resource is meant itself; of an instance, what the attribute comes from. */
function linksOf(meant: readonly (Instance | BlueprintInstance)[], attribute: string | undefined): Resolved {
  return together(meant.map((one) => ("field" in one ? [one] : one.attributeLinks(attribute))));
}

/** All that is meant; undefined where a problem was reported for one. */
export function together(found: readonly Resolved[]): Resolved {
  return found.includes(undefined) ? undefined : found.flatMap((instances) => instances ?? []);
}

/** The keys of managed resources among them; lookups are resolved before anything is created. */
export function managedKeys(instances: readonly Instance[]): readonly ResourceKey[] {
  return instances.filter(({ declaration }) => !declaration.kind.lookup).map(({ key }) => key);
}
