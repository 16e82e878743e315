/** What the documents declare: one project, its environments, and resources; every document's envelope is checked here. */

import { z } from "zod";
import { field } from "../core/field.ts";
import { suggestion } from "../core/suggest.ts";
import type { AnyKind, AnyLookup, Kinds } from "../kind/kind.ts";
import { MONITOR } from "../monitor/monitor.ts";
import { readPlain } from "./check-value.ts";
import { type MapNode, member, type Node, type Place, placeText, textOf } from "./node.ts";
import type { Problems } from "./problems.ts";
import type { SourceSet } from "./source.ts";

/** A resource or lookup as its document declares it, before `forEach`. */
export type Declaration = {
  readonly kind: AnyKind | AnyLookup;
  readonly name: string;
  /** `Subnet/public`. */
  readonly label: string;
  readonly document: MapNode;
  readonly spec: Node | undefined;
  readonly place: Place;
  /** A plain `manage: false`: its spec says no more than how the object is found. */
  readonly readOnly: boolean;
};

/** What a declaration needs to be gone over with `forEach` and `includeWhen`. */
export type Expandable = Pick<Declaration, "name" | "label" | "document" | "place"> & { readonly kind: Pick<AnyKind, "name" | "root"> };

/** A Monitor as its document declares it, before `forEach`. */
export type MonitorDeclaration = Expandable & { readonly spec: Node | undefined };

/** A document of BEACON's own: Project or Environment. */
export type OwnDocument = { readonly name: string; readonly spec: Node | undefined; readonly place: Place };

/** Everything that is declared. Problems found on the way are in the `Problems` given. */
export type Declarations = {
  readonly project: OwnDocument | undefined;
  readonly environments: ReadonlyMap<string, OwnDocument>;
  readonly resources: readonly Declaration[];
  readonly monitors: readonly MonitorDeclaration[];
};

const OWN = "beacon/v1";
const OWN_KINDS = ["Project", "Environment", "Blueprint", "Monitor"] as const;
// Kinds and versions of the language that a later version of beaconctl brings.
const LATER: ReadonlySet<string> = new Set(["Blueprint"]);

// Names stand in tags, keys and expressions. 128 characters leave a tag value (256) room for the kind and a forEach key.
const metadataSchema = z.strictObject({
  name: field(
    z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9_-]*$/, "may hold letters, digits, - and _")
      .max(128),
    { doc: "Unique among its kind." },
  ),
  renamedFrom: field(
    z
      .string()
      .regex(/^[A-Za-z0-9]+\/[A-Za-z0-9._-]+$/, "must be KIND/NAME")
      .optional(),
    { doc: "The key it had before." },
  ),
});

const RESOURCE_MEMBERS = ["apiVersion", "kind", "metadata", "spec", "forEach", "includeWhen", "dependsOn", "readyWhen", "lifecycle"];
const LOOKUP_MEMBERS = ["apiVersion", "kind", "metadata", "spec", "forEach", "includeWhen"];
const OWN_MEMBERS = ["apiVersion", "kind", "metadata", "spec"];
const MONITOR_MEMBERS = LOOKUP_MEMBERS;

/** Sorts the documents. */
export function readDeclarations(sources: SourceSet, kinds: Kinds, problems: Problems): Declarations {
  const environments = new Map<string, OwnDocument>();
  const projects: OwnDocument[] = [];
  const resources: Declaration[] = [];
  const monitors: MonitorDeclaration[] = [];
  for (const document of sources.documents) {
    const read = readDocument(document, kinds, problems);
    if (read?.type === "Project") projects.push(read.document);
    else if (read?.type === "Environment") addEnvironment(environments, read.document, problems);
    else if (read?.type === "resource") resources.push(read.declaration);
    else if (read?.type === "Monitor") monitors.push(read.declaration);
  }
  const [project, ...surplus] = projects;
  for (const { place } of surplus)
    problems.add(place, "there is more than one Project", project && `the first is at ${placeText(project.place)}`);
  if (!project && sources.problems.length === 0)
    problems.add(undefined, "no manifest is a Project", "write one document with apiVersion: beacon/v1, kind: Project");
  return { project, environments, resources: unique(resources, problems), monitors: unique(monitors, problems) };
}

type Read =
  | { readonly type: "Project" | "Environment"; readonly document: OwnDocument }
  | { readonly type: "resource"; readonly declaration: Declaration }
  | { readonly type: "Monitor"; readonly declaration: MonitorDeclaration };

function readDocument(document: Node, kinds: Kinds, problems: Problems): Read | undefined {
  if (document.type !== "map") {
    problems.add(document.place, "a manifest must be a map with apiVersion, kind and metadata");
    return undefined;
  }
  const [apiVersion, kind] = [requiredText(document, "apiVersion", problems), requiredText(document, "kind", problems)];
  if (apiVersion === undefined || kind === undefined) return undefined;
  if (apiVersion === OWN) return readOwn(document, kind, problems);
  const known = kinds.get(`${apiVersion} ${kind}`);
  if (!known) {
    unknownKind(document, apiVersion, kind, kinds, problems);
    return undefined;
  }
  return readResource(document, known, problems);
}

function requiredText(document: MapNode, name: string, problems: Problems): string | undefined {
  const node = member(document, name);
  const text = textOf(node);
  if (text === undefined)
    problems.add(node?.place ?? firstLine(document), node ? `\`${name}\` must be text` : `\`${name}\` is missing in this document`);
  return text;
}

function firstLine(document: MapNode): Place {
  return [...document.entries.values()][0]?.key ?? document.place;
}

function readOwn(document: MapNode, kind: string, problems: Problems): Read | undefined {
  const place = valuePlace(document, "kind");
  if (LATER.has(kind)) {
    problems.add(place, `${kind} is not supported by this version of beaconctl`);
    return undefined;
  }
  if (kind === "Monitor") return readMonitorDocument(document, problems);
  if (kind !== "Project" && kind !== "Environment") {
    problems.add(place, `unknown kind \`${kind}\` in ${OWN}`, suggestion(kind, OWN_KINDS));
    return undefined;
  }
  refuseUnknown(document, OWN_MEMBERS, kind, problems);
  const metadata = readMetadata(document, kind, problems);
  if (!metadata) return undefined;
  return { type: kind, document: { name: metadata.name, spec: member(document, "spec"), place: namePlace(document) } };
}

function readMonitorDocument(document: MapNode, problems: Problems): Read | undefined {
  const metadata = readMetadata(document, MONITOR.name, problems);
  if (!metadata) return undefined;
  const { name } = metadata;
  const label = `${MONITOR.name}/${name}`;
  refuseUnknown(document, MONITOR_MEMBERS, label, problems);
  const declaration = { kind: MONITOR, name, label, document, spec: member(document, "spec"), place: namePlace(document) };
  return { type: "Monitor", declaration };
}

function readResource(document: MapNode, kind: AnyKind | AnyLookup, problems: Problems): Read | undefined {
  const metadata = readMetadata(document, kind.name, problems);
  if (!metadata) return undefined;
  const label = `${kind.name}/${metadata.name}`;
  refuseUnknown(document, kind.lookup ? LOOKUP_MEMBERS : RESOURCE_MEMBERS, label, problems);
  const manage = member(member(document, "lifecycle"), "manage");
  const declaration = {
    kind,
    name: metadata.name,
    label,
    document,
    spec: member(document, "spec"),
    place: namePlace(document),
    readOnly: manage?.type === "scalar" && manage.value === false,
  };
  return { type: "resource", declaration };
}

function readMetadata(document: MapNode, label: string, problems: Problems): z.infer<typeof metadataSchema> | undefined {
  const node = member(document, "metadata");
  if (!node) {
    problems.add(firstLine(document), `\`metadata\` is missing in this ${label}`, "write metadata: {name: ...}");
    return undefined;
  }
  return readPlain(metadataSchema, { node, label: `the metadata of this ${label}`, problems });
}

function refuseUnknown(document: MapNode, known: readonly string[], label: string, problems: Problems): void {
  for (const [name, entry] of document.entries) {
    if (!known.includes(name)) problems.add(entry.key, `unknown field \`${name}\` in ${label}`, suggestion(name, known));
  }
}

function unknownKind(document: MapNode, apiVersion: string, kind: string, kinds: Kinds, problems: Problems): void {
  if (apiVersion === "blueprint.beacon/v1") {
    problems.add(valuePlace(document, "apiVersion"), "blueprints are not supported by this version of beaconctl");
    return;
  }
  const versions = new Set([OWN, ...[...kinds.values()].map((known) => known.apiVersion)]);
  if (!versions.has(apiVersion)) {
    const home = [...kinds.values()].find((known) => known.name === kind);
    const hint = home ? `${kind} is in ${home.apiVersion}` : suggestion(apiVersion, versions);
    problems.add(valuePlace(document, "apiVersion"), `unknown apiVersion \`${apiVersion}\``, hint);
    return;
  }
  const elsewhere = [...kinds.values()].find((known) => known.name === kind);
  const names = [...kinds.values()].filter((known) => known.apiVersion === apiVersion).map((known) => known.name);
  const hint = elsewhere ? `${kind} is in ${elsewhere.apiVersion}` : suggestion(kind, names);
  problems.add(valuePlace(document, "kind"), `unknown kind \`${kind}\` in ${apiVersion}`, hint);
}

function valuePlace(document: MapNode, name: string): Place {
  return member(document, name)?.place ?? document.place;
}

function namePlace(document: MapNode): Place {
  return member(member(document, "metadata"), "name")?.place ?? firstLine(document);
}

function addEnvironment(environments: Map<string, OwnDocument>, document: OwnDocument, problems: Problems): void {
  const first = environments.get(document.name);
  if (first) problems.add(document.place, `Environment/${document.name} is declared twice`, `the first is at ${placeText(first.place)}`);
  else environments.set(document.name, document);
}

function unique<Declared extends Expandable>(declarations: readonly Declared[], problems: Problems): readonly Declared[] {
  const seen = new Map<string, Declared>();
  for (const declaration of declarations) {
    const first = seen.get(declaration.label);
    if (first) problems.add(declaration.place, `${declaration.label} is declared twice`, `the first is at ${placeText(first.place)}`);
    else seen.set(declaration.label, declaration);
  }
  return [...seen.values()];
}
