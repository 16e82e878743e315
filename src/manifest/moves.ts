/** `metadata.renamedFrom`: a resource that was declared under another key keeps its object. */

import { type ResourceKey, splitKey } from "../core/resource.ts";
import type { BlueprintInstance } from "./blueprint-instance.ts";
import { KEY } from "./envelope.ts";
import type { LazyInstance } from "./instances.ts";
import type { Surroundings } from "./lifecycle.ts";
import { member } from "./node.ts";
import { type Reading, staticOnly } from "./value-reader.ts";
import type { World } from "./world.ts";

/** A resource, and the key it had. */
export type Move = { readonly instance: LazyInstance; readonly from: ResourceKey };

/** The key it had before, as its document says. A group's members are renamed one by one, unless the text tells them apart. */
export function renamedFrom(documented: LazyInstance | BlueprintInstance): ResourceKey | undefined {
  const { declaration, expander, each } = documented;
  const { reader, links, problems } = expander;
  const node = member(member(declaration.document, "metadata"), "renamedFrom");
  if (!node) return undefined;
  const label = `\`renamedFrom\` of ${declaration.label}`;
  let tellsMembersApart = false;
  const refer: Reading["refer"] = (references) => {
    tellsMembersApart ||= references.some(({ reference }) => reference.root === "each");
    return links.refuse(references, "`renamedFrom`") ? [] : undefined;
  };
  const stay = staticOnly(problems, "`renamedFrom`");
  const text = reader.read(node, { type: "string", optional: true }, { ...documented.reading(), label, refer, stay });
  if (typeof text !== "string") return undefined;
  if (!KEY.test(text)) {
    problems.add(node.place, `${label} must be KIND/NAME, but is ${JSON.stringify(text)}`);
    return undefined;
  }
  return `${text}${each && !tellsMembersApart ? `-${String(each.key)}` : ""}` as ResourceKey;
}

/** The key a resource had before: that of a renamed instance around it, or else the one that its own document says. */
export function moveOf(instance: LazyInstance, around: readonly Surroundings[]): Move | undefined {
  const own = renamedFrom(instance);
  const renamed = around.find(({ formerName }) => formerName !== undefined);
  if (!renamed) return own && { instance, from: own };
  const { kind, name } = splitKey(instance.key);
  return { instance, from: `${kind}/${renamed.formerName}${name.slice(renamed.instance.name.length)}` };
}

/** Adds a problem for a former key that is still declared, and for one that two resources claim. */
export function checkMoves(moves: readonly Move[], world: World): void {
  const claimed = new Map<ResourceKey, LazyInstance>();
  for (const { instance, from } of moves) {
    const { declaration, expander, frame, key } = instance;
    const own = member(member(declaration.document, "metadata"), "renamedFrom");
    const place = own?.place ?? declaration.place;
    const first = claimed.get(from);
    if (world.instance(from)) {
      expander.problems.add(place, `${key} was renamed from ${from}, which is still declared`, "remove the old document");
    } else if (first) {
      const hint = frame.instance ? "write ${self.name} into it, so that each instance has a former key of its own" : undefined;
      expander.problems.add(place, `${first.key} and ${key} were both renamed from ${from}`, hint);
    } else claimed.set(from, instance);
  }
}
