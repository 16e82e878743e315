/**
 * The types of what manifests name without saying its type: locals, and the outputs of blueprints. Each is checked after
 * those it uses, in whatever order they are written.
 */

import { order } from "../core/graph.ts";
import type { Blueprint } from "./blueprints.ts";
import type { Language } from "./language.ts";
import type { Names } from "./names.ts";
import type { MapNode, Node, Place } from "./node.ts";
import { expressionsIn, scalarsOf, typeOfNode } from "./node-values.ts";
import type { Problems } from "./problems.ts";
import type { Reference } from "./references.ts";
import type { Texts } from "./texts.ts";
import { DYN, type Type } from "./types.ts";

/** The references that each local makes; those to other locals stand for theirs. */
export type LocalReferences = ReadonlyMap<string, readonly Reference[]>;

/** What is inferred, and from what. */
export type Inferred = {
  readonly language: Language;
  readonly texts: Texts;
  readonly problems: Problems;
  readonly locals: MapNode | undefined;
  readonly blueprints: ReadonlyMap<string, Blueprint>;
};

/** Something whose type follows from expressions. `id` is how a circle is told. */
type Unit = {
  readonly id: string;
  readonly place: Place | undefined;
  readonly uses: readonly string[];
  readonly infer: (known: boolean) => void;
};

/** Tells the language the types; answers what each local refers to. */
export function inferTypes(inferred: Inferred): LocalReferences {
  const references = new Map<string, readonly Reference[]>();
  const units = new Map([...localUnits(inferred, references), ...blueprintUnits(inferred)].map((unit) => [unit.id, unit]));
  const circular = new Set<string>();
  const uses = ({ uses: ids }: Unit) => ids.filter((id) => units.has(id) && !circular.has(id));
  for (;;) {
    const result = order(new Map([...units].map(([id, unit]) => [id, circular.has(id) ? [] : uses(unit)])));
    if ("order" in result) {
      // In a circle nothing is known of any type, which must not make further problems.
      for (const id of circular) units.get(id)?.infer(false);
      for (const id of result.order) if (!circular.has(id)) units.get(id)?.infer(true);
      return references;
    }
    for (const id of result.cycle) circular.add(id);
    inferred.problems.add(units.get(result.cycle[0] as string)?.place, circleText(result.cycle));
  }
}

function circleText(cycle: readonly string[]): string {
  const locals = cycle.every((id) => id.startsWith("local."));
  const path = cycle.map((id) => (locals ? id.slice("local.".length) : id)).join(" → ");
  return `${locals ? "locals" : "locals and outputs"} refer to each other in a circle: ${path}`;
}

function localUnits({ language, texts, locals }: Inferred, references: Map<string, readonly Reference[]>): readonly Unit[] {
  const types = new Map<string, Type>();
  const { scope } = language.names;
  language.defineLocals(types);
  return [...(locals?.entries ?? [])].map(([name, { key, value }]) => ({
    id: `local.${name}`,
    place: key,
    uses: usesOf([value], language.names, language),
    infer: (known) => {
      types.set(name, known ? typeOfNode(value, { texts, scope }) : DYN);
      if (known) references.set(name, referencesOf(value, texts, language.names));
      language.defineLocals(new Map(types));
    },
  }));
}

function blueprintUnits({ language, texts, blueprints }: Inferred): readonly Unit[] {
  return [...blueprints.values()].map(({ name, place, outputs }) => {
    const names = language.inside.get(name) as Names;
    return {
      id: name,
      place: outputs[0]?.place ?? place,
      uses: usesOf(
        outputs.map(({ value }) => value),
        names,
        language,
      ),
      infer: (known) => {
        const types = outputs.map(
          (output) => [output.name, known ? typeOfNode(output.value, { texts, scope: names.scope }) : DYN] as const,
        );
        language.defineInstances(name, new Map([...names.params.fields, ...types]));
      },
    };
  });
}

/** The ids of the units that the trees' expressions use. */
function usesOf(nodes: readonly Node[], names: Names, language: Language): readonly string[] {
  const texts = nodes.flatMap(scalarsOf).flatMap(expressionsIn);
  const references = texts.flatMap((text) => language.parse(text, names) ?? []);
  return references.flatMap(({ root, name }) => {
    if (root === "local") return name === undefined ? [] : [`local.${name}`];
    const kind = language.blueprintKind(root);
    return kind === undefined ? [] : [kind];
  });
}

function referencesOf(node: Node, texts: Texts, { scope }: Names): readonly Reference[] {
  return scalarsOf(node).flatMap((scalar) => {
    const read = texts.read(scalar, scope);
    return "text" in read ? read.text.references.map(({ reference }) => reference) : [];
  });
}
