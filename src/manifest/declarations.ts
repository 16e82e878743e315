/** What documents of resources, lookups and blueprints' instances declare, before `forEach`; their envelopes are checked here. */

import { suggestion } from "../core/suggest.ts";
import type { AnyKind, AnyLookup, Kinds } from "../kind/kind.ts";
import { MONITOR } from "../monitor/monitor.ts";
import type { Blueprint } from "./blueprints.ts";
import { BLUEPRINTS, namePlace, OWN, readName, refuseUnknown, valuePlace } from "./envelope.ts";
import { type MapNode, member, type Node, type Place, placeText } from "./node.ts";
import type { Problems } from "./problems.ts";

type Declared<Kind> = {
  readonly kind: Kind;
  readonly name: string;
  /** `Subnet/public`; inside a blueprint, as it is written there. */
  readonly label: string;
  readonly document: MapNode;
  readonly spec: Node | undefined;
  readonly place: Place;
};

/** A resource or lookup as its document declares it, before `forEach`. */
export type Declaration = Declared<AnyKind | AnyLookup> & {
  /** A plain `manage: false`: its spec says no more than how the object is found. */
  readonly readOnly: boolean;
};

/** An instance of a blueprint, likewise. */
export type Use = Declared<Blueprint>;

/** A Monitor, likewise. */
export type MonitorDeclaration = Declared<typeof MONITOR>;

/** What can be gone over with `forEach` and `includeWhen`. */
export type Expandable = Declaration | Use | MonitorDeclaration;

/** The resources, lookups and instances of one module: the project's, or those inside a blueprint. In their order. */
export type ModuleDocuments = readonly (Declaration | Use)[];

/** The kinds that documents may be of: AWS's, and those that blueprints make, by name. */
export type KnownKinds = {
  readonly kinds: Kinds;
  readonly blueprints: ReadonlyMap<string, Blueprint>;
  /** False where a Blueprint could not be read: an unknown kind may be its. */
  readonly whole: boolean;
};

const RESOURCE_MEMBERS = ["apiVersion", "kind", "metadata", "spec", "forEach", "includeWhen", "dependsOn", "readyWhen", "lifecycle"];
const LOOKUP_MEMBERS = ["apiVersion", "kind", "metadata", "spec", "forEach", "includeWhen"];
const MONITOR_MEMBERS = LOOKUP_MEMBERS;
const INSTANCE_MEMBERS = ["apiVersion", "kind", "metadata", "spec", "forEach", "includeWhen", "dependsOn", "lifecycle"];

/** True for an instance of a blueprint. */
export function isUse(declaration: Expandable): declaration is Use {
  return "declarations" in declaration.kind;
}

/** True for a Monitor. */
export function isMonitor(declaration: Expandable): declaration is MonitorDeclaration {
  return declaration.kind === MONITOR;
}

/** Reads a document whose kind is not BEACON's own; undefined when it has problems. */
export function readDeclaration(
  document: MapNode,
  { apiVersion, kind }: { readonly apiVersion: string; readonly kind: string },
  known: KnownKinds,
  problems: Problems,
): Declaration | Use | undefined {
  const blueprint = apiVersion === BLUEPRINTS ? known.blueprints.get(kind) : undefined;
  if (blueprint) return readDocument(document, blueprint, INSTANCE_MEMBERS, problems);
  const found = known.kinds.get(`${apiVersion} ${kind}`);
  if (!found) {
    unknownKind(document, apiVersion, kind, known, problems);
    return undefined;
  }
  const declared = readDocument(document, found, found.lookup ? LOOKUP_MEMBERS : RESOURCE_MEMBERS, problems);
  const manage = member(member(document, "lifecycle"), "manage");
  return declared && { ...declared, readOnly: manage?.type === "scalar" && manage.value === false };
}

/** Reads a Monitor's document, likewise. */
export function readMonitorDeclaration(document: MapNode, problems: Problems): MonitorDeclaration | undefined {
  return readDocument(document, MONITOR, MONITOR_MEMBERS, problems);
}

function readDocument<Kind extends Expandable["kind"]>(
  document: MapNode,
  kind: Kind,
  members: readonly string[],
  problems: Problems,
): Declared<Kind> | undefined {
  const name = readName(document, kind.name, problems);
  if (name === undefined) return undefined;
  const label = `${kind.name}/${name}`;
  refuseUnknown(document, members, label, problems);
  return { kind, name, label, document, spec: member(document, "spec"), place: namePlace(document) };
}

function unknownKind(document: MapNode, apiVersion: string, kind: string, known: KnownKinds, problems: Problems): void {
  const { kinds, blueprints, whole } = known;
  const place = valuePlace(document, "kind");
  if (apiVersion === BLUEPRINTS) {
    if (!whole) return;
    const made = [...blueprints.keys()];
    const hint = made.length === 0 ? "no manifest is a Blueprint" : suggestion(kind, made);
    problems.add(place, `no blueprint makes the kind \`${kind}\``, hint);
    return;
  }
  const elsewhere = blueprints.has(kind) ? BLUEPRINTS : [...kinds.values()].find((known) => known.name === kind)?.apiVersion;
  const versions = new Set([OWN, BLUEPRINTS, ...[...kinds.values()].map((known) => known.apiVersion)]);
  if (!versions.has(apiVersion)) {
    const hint = elsewhere === undefined ? suggestion(apiVersion, versions) : `${kind} is in ${elsewhere}`;
    problems.add(valuePlace(document, "apiVersion"), `unknown apiVersion \`${apiVersion}\``, hint);
    return;
  }
  const names = [...kinds.values()].filter((known) => known.apiVersion === apiVersion).map((known) => known.name);
  const hint = elsewhere === undefined ? suggestion(kind, names) : `${kind} is in ${elsewhere}`;
  problems.add(place, `unknown kind \`${kind}\` in ${apiVersion}`, hint);
}

/** The documents without those that declare a second thing of one name, which is a problem. */
export function unique<One extends Expandable>(documents: readonly One[], problems: Problems): readonly One[] {
  const seen = new Map<string, One>();
  for (const declaration of documents) {
    const first = seen.get(declaration.label);
    if (first) problems.add(declaration.place, `${declaration.label} is declared twice`, `the first is at ${placeText(first.place)}`);
    else seen.set(declaration.label, declaration);
  }
  return [...seen.values()];
}
