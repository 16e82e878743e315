/** Outputs, of the project and of blueprints, as they are declared. */

import { suggestion } from "../core/suggest.ts";
import { type MapNode, member, type Node, type Place, textOf } from "./node.ts";
import type { Problems } from "./problems.ts";

/** An output as declared. `live`: its value changes by itself (an autoscaler's addresses), which is no difference. `summary`: to be shown after an apply. */
export type Output = {
  readonly name: string;
  readonly value: Node;
  readonly description: string | undefined;
  readonly live: boolean;
  readonly summary: boolean;
  readonly place: Place;
};

const PROJECT_MEMBERS = ["value", "description", "live", "summary"];
const BLUEPRINT_MEMBERS = ["value", "description"];

/** The outputs of a Project: a map of names to `{value, description, live}`. */
export function projectOutputs(node: MapNode | undefined, problems: Problems): readonly Output[] {
  return [...(node?.entries ?? [])].flatMap(([name, { key, value }]) => {
    for (const [field, entry] of value.type === "map" ? value.entries : []) {
      if (!PROJECT_MEMBERS.includes(field))
        problems.add(entry.key, `unknown field \`${field}\` in output ${name}`, suggestion(field, PROJECT_MEMBERS));
    }
    const result = member(value, "value");
    if (!result) problems.add(key, `output \`${name}\` has no \`value\``, "write value: ${...}, and a description");
    const [live, summary] = (["live", "summary"] as const).map((word) =>
      isTrue(member(value, word), `\`${word}\` of output ${name}`, problems),
    );
    const description = textOf(member(value, "description"));
    return result ? [{ name, value: result, description, live: live === true, summary: summary === true, place: key }] : [];
  });
}

function isTrue(node: Node | undefined, label: string, problems: Problems): boolean {
  if (!node) return false;
  if (node.type === "scalar" && typeof node.value === "boolean") return node.value;
  problems.add(node.place, `${label} must be true or false`);
  return false;
}

/** The outputs of a Blueprint: a map of names to values, or to `{value, description}`. */
export function blueprintOutputs(node: MapNode | undefined): readonly Output[] {
  return [...(node?.entries ?? [])].map(([name, { key, value }]) => {
    const output = { name, live: false, summary: false, place: key };
    const long =
      value.type === "map" && value.entries.has("value") && [...value.entries.keys()].every((field) => BLUEPRINT_MEMBERS.includes(field));
    if (!long) return { ...output, value, description: undefined };
    return { ...output, value: member(value, "value") as Node, description: textOf(member(value, "description")) };
  });
}
