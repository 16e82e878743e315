/** What a manifest set declares: one project, its environments, blueprints, and the documents of resources. */

import { suggestion } from "../core/suggest.ts";
import type { Kinds } from "../kind/kind.ts";
import { type Blueprint, readBlueprints } from "./blueprints.ts";
import {
  type KnownKinds,
  type ModuleDocuments,
  type MonitorDeclaration,
  readDeclaration,
  readMonitorDeclaration,
  unique,
} from "./declarations.ts";
import { namePlace, OWN, readName, refuseUnknown, requiredText, valuePlace } from "./envelope.ts";
import { type MapNode, member, type Node, type Place, placeText } from "./node.ts";
import type { Problems } from "./problems.ts";
import type { SourceSet } from "./source.ts";

/** A Project or an Environment. */
export type OwnDocument = { readonly name: string; readonly spec: Node | undefined; readonly place: Place };

/** Everything that is declared. Problems found on the way are in the `Problems` given. */
export type Documents = {
  readonly project: OwnDocument | undefined;
  readonly environments: ReadonlyMap<string, OwnDocument>;
  /** By the kind they make. */
  readonly blueprints: ReadonlyMap<string, Blueprint>;
  /** The project's own resources, lookups and instances. */
  readonly declarations: ModuleDocuments;
  readonly monitors: readonly MonitorDeclaration[];
};

const OWN_KINDS = ["Project", "Environment", "Blueprint", "Monitor"] as const;
const OWN_MEMBERS = ["apiVersion", "kind", "metadata", "spec"];

/** Sorts the documents. */
export function readDocuments(sources: SourceSet, kinds: Kinds, problems: Problems): Documents {
  const sorted = sort(sources.documents, problems);
  const { blueprints, whole } = readBlueprints(sorted.blueprints, kinds, problems);
  const known = { kinds, blueprints, whole: whole && sources.problems.length === 0 };
  const others = sorted.rest.flatMap((document) => readOther(document, known, problems));
  const monitors = sorted.monitors.flatMap((document) => readMonitorDeclaration(document, problems) ?? []);
  return {
    project: theProject(sorted.projects, sources, problems),
    environments: environments(sorted.environments, problems),
    blueprints,
    declarations: unique(others, problems),
    monitors: unique(monitors, problems),
  };
}

type Typed = { readonly document: MapNode; readonly apiVersion: string; readonly kind: string };
type Sorted = { projects: OwnDocument[]; environments: OwnDocument[]; blueprints: MapNode[]; monitors: MapNode[]; rest: Typed[] };

function sort(documents: readonly Node[], problems: Problems): Sorted {
  const sorted: Sorted = { projects: [], environments: [], blueprints: [], monitors: [], rest: [] };
  for (const document of documents) {
    const typed = typedDocument(document, problems);
    if (!typed) continue;
    if (typed.apiVersion !== OWN) sorted.rest.push(typed);
    else if (typed.kind === "Blueprint") sorted.blueprints.push(typed.document);
    else if (typed.kind === "Monitor") sorted.monitors.push(typed.document);
    else if (typed.kind === "Project") sorted.projects.push(...readOwn(typed, problems));
    else if (typed.kind === "Environment") sorted.environments.push(...readOwn(typed, problems));
    else problems.add(valuePlace(typed.document, "kind"), `unknown kind \`${typed.kind}\` in ${OWN}`, suggestion(typed.kind, OWN_KINDS));
  }
  return sorted;
}

function typedDocument(document: Node, problems: Problems): Typed | undefined {
  if (document.type !== "map") {
    problems.add(document.place, "a manifest must be a map with apiVersion, kind and metadata");
    return undefined;
  }
  const [apiVersion, kind] = [requiredText(document, "apiVersion", problems), requiredText(document, "kind", problems)];
  return apiVersion === undefined || kind === undefined ? undefined : { document, apiVersion, kind };
}

function readOwn({ document, kind }: Typed, problems: Problems): readonly OwnDocument[] {
  refuseUnknown(document, OWN_MEMBERS, kind, problems);
  const name = readName(document, kind, problems);
  return name === undefined ? [] : [{ name, spec: member(document, "spec"), place: namePlace(document) }];
}

function readOther({ document, ...typed }: Typed, known: KnownKinds, problems: Problems): ModuleDocuments {
  const declaration = readDeclaration(document, typed, known, problems);
  return declaration ? [declaration] : [];
}

function theProject([project, ...surplus]: readonly OwnDocument[], sources: SourceSet, problems: Problems): OwnDocument | undefined {
  for (const { place } of surplus)
    problems.add(place, "there is more than one Project", project && `the first is at ${placeText(project.place)}`);
  if (!project && sources.problems.length === 0)
    problems.add(undefined, "no manifest is a Project", "write one document with apiVersion: beacon/v1, kind: Project");
  return project;
}

function environments(documents: readonly OwnDocument[], problems: Problems): ReadonlyMap<string, OwnDocument> {
  const found = new Map<string, OwnDocument>();
  for (const document of documents) {
    const first = found.get(document.name);
    if (first) problems.add(document.place, `Environment/${document.name} is declared twice`, `the first is at ${placeText(first.place)}`);
    else found.set(document.name, document);
  }
  return found;
}
