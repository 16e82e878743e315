/** The Project, and the parameters that a command gives it. */

import { dirname, resolve } from "node:path";
import { suggestion } from "../core/suggest.ts";
import type { Kinds } from "../kind/kind.ts";
import type { OwnDocument } from "./documents.ts";
import { listMember, mapMember } from "./envelope.ts";
import type { FileSource } from "./files.ts";
import { type ListNode, type MapNode, makeSource, member, type Node, type Source, textOf } from "./node.ts";
import { type Output, projectOutputs } from "./outputs.ts";
import { type Parameter, readParameters } from "./parameter-schema.ts";
import type { Layer } from "./parameters.ts";
import type { Problems } from "./problems.ts";
import { parseSource } from "./source.ts";

/** A Project with its parts apart; expressions in them are not read yet. */
export type Project = {
  readonly name: string;
  readonly id: string | undefined;
  readonly defaultTags: MapNode | undefined;
  readonly locals: MapNode | undefined;
  readonly parameters: readonly Parameter[];
  readonly outputs: readonly Output[];
  /** A list of texts, or of maps with a `text`. */
  readonly nextSteps: ListNode | undefined;
};

const PROJECT_MEMBERS = ["id", "defaultTags", "locals", "parameters", "outputs", "nextSteps"];

/** Reads the Project; without one, an empty one stands in so that the rest can still be checked. */
export function readProject(document: OwnDocument | undefined, kinds: Kinds, problems: Problems): Project {
  const spec = document?.spec;
  if (spec && spec.type !== "map") problems.add(spec.place, "`spec` must be a map");
  for (const [name, entry] of spec?.type === "map" ? spec.entries : []) {
    if (!PROJECT_MEMBERS.includes(name))
      problems.add(entry.key, `unknown field \`${name}\` in Project/${document?.name}`, suggestion(name, PROJECT_MEMBERS));
  }
  return {
    name: document?.name ?? "unnamed",
    id: textOf(member(spec, "id")),
    defaultTags: mapMember(spec, "defaultTags", problems),
    locals: mapMember(spec, "locals", problems),
    parameters: readParameters(member(spec, "parameters"), { kinds, problems }),
    outputs: projectOutputs(mapMember(spec, "outputs", problems), problems),
    nextSteps: listMember(spec, "nextSteps", problems),
  };
}

/** The texts of `--params FILE`. */
export function readParamsFiles(names: readonly string[], files: FileSource, problems: Problems): readonly Source[] {
  return names.flatMap((file) => {
    try {
      return [makeSource(file, dirname(resolve(file)), files.read(file))];
    } catch {
      problems.add(undefined, `the parameter file ${file} cannot be read`);
      return [];
    }
  });
}

/** The layers that `--params FILE` and `--param k=v` give, in that order. */
export function commandLayers(
  options: { readonly params: readonly string[]; readonly paramsFiles: readonly Source[] },
  parameters: readonly Parameter[],
  problems: Problems,
): readonly Layer[] {
  const files = options.paramsFiles.flatMap((source) => fileLayer(source, problems));
  return [...files, ...options.params.flatMap((text) => flagLayer(text, parameters, problems))];
}

function fileLayer(source: Source, problems: Problems): readonly Layer[] {
  const [values] = parseSource(source, problems);
  if (!values) return [];
  if (values.type === "map") return [{ values }];
  problems.add(values.place, "a parameter file must be a map of names to values");
  return [];
}

function flagLayer(text: string, parameters: readonly Parameter[], problems: Problems): readonly Layer[] {
  const [, name, value] = /^([^=]+)=([\s\S]*)$/.exec(text) ?? [];
  if (name === undefined || value === undefined) {
    problems.add(undefined, `--param ${text} is not understood`, "write --param name=value");
    return [];
  }
  const schema = parameters.find((parameter) => parameter.name === name)?.schema;
  const isText = schema === undefined || schema.type === "string";
  const node = flagValue(name, value, isText, problems);
  return node ? [{ values: { type: "map", entries: new Map([[name, { key: node.place, value: node }]]), place: node.place } }] : [];
}

/** Text stays text for a text parameter; for every other type the value is read as YAML. */
function flagValue(name: string, text: string, isText: boolean, problems: Problems): Node | undefined {
  const source = makeSource(`--param ${name}=${text}`, process.cwd(), text);
  const place = { source, start: 0, end: text.length };
  if (isText || text.trim() === "") return { type: "scalar", value: text, style: "quoted", place };
  return parseSource(source, problems)[0];
}
