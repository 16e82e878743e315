/**
 * Blueprints: reusable groups of resources with typed parameters. Each makes a kind, whose spec is its parameters and whose
 * status is its outputs.
 */

import type { z } from "zod";
import { order } from "../core/graph.ts";
import type { KindId } from "../core/resource.ts";
import { type ObjectShape, objectShape } from "../core/shape.ts";
import { type Kinds, rootName } from "../kind/kind.ts";
import {
  type Declaration,
  type Expandable,
  isMonitor,
  isUse,
  type KnownKinds,
  type ModuleDocuments,
  type MonitorDeclaration,
  readDeclaration,
  readMonitorDeclaration,
  type Use,
  unique,
} from "./declarations.ts";
import { BLUEPRINTS, mapMember, namePlace, OWN, readName, refuseUnknown, requiredText, valuePlace } from "./envelope.ts";
import { isFreeRoot } from "./language.ts";
import { type MapNode, member, type Node, type Place, placeText, textOf } from "./node.ts";
import { blueprintOutputs, type Output } from "./outputs.ts";
import { type Parameter, parametersSchema, readParameters } from "./parameter-schema.ts";
import { checkDefault } from "./parameters.ts";
import type { Problems } from "./problems.ts";

/** A blueprint, and the kind it makes: its members are called as those of a kind are. */
export type Blueprint = {
  readonly id: KindId;
  readonly apiVersion: string;
  /** `WebService`: the kind. */
  readonly name: string;
  /** `webService`: the root expressions use. */
  readonly root: string;
  readonly doc: string;
  readonly shortNames: readonly string[];
  readonly specSchema: z.ZodObject;
  /** Its parameters. */
  readonly spec: ObjectShape;
  /** `Blueprint/web-service`. */
  readonly label: string;
  readonly place: Place;
  readonly parameters: readonly Parameter[];
  readonly outputs: readonly Output[];
  /** What is inside. */
  readonly declarations: ModuleDocuments;
  readonly monitors: readonly MonitorDeclaration[];
};

const DOCUMENT_MEMBERS = ["apiVersion", "kind", "metadata", "spec"];
const SPEC_MEMBERS = ["kind", "description", "parameters", "resources", "outputs"];

/** A blueprint whose resources are not read yet: they may be instances of blueprints that come later. */
type Draft = {
  readonly blueprint: Blueprint;
  readonly resources: Node | undefined;
  readonly declarations: (Declaration | Use)[];
  readonly monitors: MonitorDeclaration[];
};

/** Reads the Blueprint documents. `whole` is false where one of them makes no kind because of its problems. */
export function readBlueprints(
  documents: readonly MapNode[],
  kinds: Kinds,
  problems: Problems,
): { readonly blueprints: ReadonlyMap<string, Blueprint>; readonly whole: boolean } {
  const drafts: Draft[] = [];
  for (const document of documents) {
    const draft = readDraft(document, kinds, problems);
    if (draft && isNew(draft.blueprint, drafts, problems)) drafts.push(draft);
  }
  const blueprints = new Map(drafts.map(({ blueprint }) => [blueprint.name, blueprint]));
  const whole = drafts.length === documents.length;
  for (const draft of drafts) {
    const inside = readResources(draft, { kinds, blueprints, whole }, problems);
    for (const one of inside) {
      if (isMonitor(one)) draft.monitors.push(one);
      else draft.declarations.push(one);
    }
  }
  refuseCircle(drafts, problems);
  return { blueprints, whole };
}

function readDraft(document: MapNode, kinds: Kinds, problems: Problems): Draft | undefined {
  const name = readName(document, "Blueprint", problems);
  if (name === undefined) return undefined;
  const label = `Blueprint/${name}`;
  refuseUnknown(document, DOCUMENT_MEMBERS, label, problems);
  const spec = member(document, "spec");
  if (spec?.type !== "map") {
    problems.add(spec?.place ?? namePlace(document), `the spec of ${label} must be a map`, `with ${SPEC_MEMBERS.join(", ")}`);
    return undefined;
  }
  refuseUnknown(spec, SPEC_MEMBERS, label, problems);
  const kind = readKind(member(spec, "kind"), { label, home: namePlace(document), kinds, problems });
  if (kind === undefined) return undefined;
  const parameters = readParameters(member(spec, "parameters"), { kinds, problems });
  for (const parameter of parameters) checkDefault(parameter, label, problems);
  const specSchema = parametersSchema(parameters);
  const [declarations, monitors]: [(Declaration | Use)[], MonitorDeclaration[]] = [[], []];
  const blueprint = {
    id: `${BLUEPRINTS} ${kind}` as const,
    apiVersion: BLUEPRINTS,
    name: kind,
    root: rootName(kind),
    doc: textOf(member(spec, "description")) ?? `An instance of ${label}.`,
    shortNames: [],
    specSchema,
    spec: objectShape(specSchema),
    label,
    place: namePlace(document),
    parameters,
    outputs: blueprintOutputs(mapMember(spec, "outputs", problems)),
    declarations,
    monitors,
  };
  return { blueprint, resources: member(spec, "resources"), declarations, monitors };
}

type KindSubject = { readonly label: string; readonly home: Place; readonly kinds: Kinds; readonly problems: Problems };

function readKind(node: Node | undefined, { label, home, kinds, problems }: KindSubject): string | undefined {
  const kind = textOf(node);
  if (kind === undefined) {
    problems.add(
      node?.place ?? home,
      `\`kind\` ${node ? "must be text" : "is missing"} in ${label}`,
      "name the kind it makes: kind: WebService",
    );
    return undefined;
  }
  const root = rootName(kind);
  const taken = [...kinds.values()].find((known) => known.root === root);
  const wrong = !/^[A-Z][A-Za-z0-9]*$/.test(kind)
    ? "must be in capitals and small letters, such as WebService"
    : taken
      ? `cannot be \`${kind}\`: in expressions \`${root}\` is ${taken.apiVersion} ${taken.name}`
      : isFreeRoot(root)
        ? undefined
        : `cannot be \`${kind}\`: in expressions \`${root}\` is a word of the language`;
  if (wrong !== undefined) problems.add(node?.place, `the kind of ${label} ${wrong}`);
  return wrong === undefined ? kind : undefined;
}

function isNew({ label, name, root, place }: Blueprint, drafts: readonly Draft[], problems: Problems): boolean {
  const known = drafts.map(({ blueprint }) => blueprint);
  const twin = known.find((other) => other.label === label);
  const rival = known.find((other) => other.root === root);
  if (twin) problems.add(place, `${label} is declared twice`, `the first is at ${placeText(twin.place)}`);
  else if (rival)
    problems.add(place, `${rival.label} and ${label} both make the kind \`${name}\``, `the first is at ${placeText(rival.place)}`);
  return !twin && !rival;
}

function readResources({ blueprint, resources }: Draft, known: KnownKinds, problems: Problems): readonly Expandable[] {
  const { label, place } = blueprint;
  if (resources?.type !== "list" || resources.items.length === 0) {
    problems.add(resources?.place ?? place, `\`resources\` of ${label} must be a list of documents`);
    return [];
  }
  const read = resources.items.flatMap((item) => {
    if (item.type !== "map") {
      problems.add(item.place, `a resource of ${label} must be a map with apiVersion, kind and metadata`);
      return [];
    }
    return readResource(item, label, known, problems) ?? [];
  });
  return unique(read, problems);
}

function readResource(document: MapNode, label: string, known: KnownKinds, problems: Problems): Expandable | undefined {
  const [apiVersion, kind] = [requiredText(document, "apiVersion", problems), requiredText(document, "kind", problems)];
  if (apiVersion === undefined || kind === undefined) return undefined;
  if (apiVersion !== OWN) return readDeclaration(document, { apiVersion, kind }, known, problems);
  if (kind === "Monitor") return readMonitorDeclaration(document, problems);
  problems.add(valuePlace(document, "kind"), `${label} may hold resources, lookups, Monitors and instances of blueprints, and no ${kind}`);
  return undefined;
}

/** A blueprint that needs itself has no end: the instance that closes the circle is a problem, and is left out. */
function refuseCircle(drafts: readonly Draft[], problems: Problems): void {
  const uses = (draft: Draft) => draft.declarations.filter(isUse);
  for (;;) {
    const result = order(new Map(drafts.map((draft) => [draft.blueprint.name, uses(draft).map(({ kind }) => kind.name)])));
    if (!("cycle" in result)) return;
    const [first, second] = result.cycle;
    const draft = drafts.find(({ blueprint }) => blueprint.name === first) as Draft;
    const closing = uses(draft).find(({ kind }) => kind.name === second) as Use;
    problems.add(closing.place, `blueprints hold each other in a circle: ${result.cycle.join(" → ")}`);
    draft.declarations.splice(draft.declarations.indexOf(closing), 1);
  }
}
