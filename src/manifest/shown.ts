/**
 * Expressions that stay, as people are told of them: inside an instance `params.vpcId` says less than the `vpc.main.vpcId`
 * it stands for, and `targetGroup.main` might be another instance's.
 */

import { isObject, type Json } from "../core/json.ts";
import type { Frame } from "./frame.ts";
import type { Expression } from "./language.ts";
import type { Reference } from "./references.ts";
import { isExpression } from "./values.ts";

/** The text of an expression of the frame, in words that mean the same everywhere. */
export function shownText({ text, references }: Expression, frame: Frame): string {
  if (!frame.instance) return text;
  // From the end, so that the offsets of what stands before stay true.
  const uses = references.toSorted((a, b) => b.start - a.start);
  return uses.reduce((result, use) => {
    const chain = result.slice(use.start, use.end);
    return result.slice(0, use.start) + shownChain(chain, use, frame) + result.slice(use.end);
  }, text);
}

function shownChain(chain: string, { root, name }: Reference, frame: Frame): string {
  const { instance } = frame;
  if (!instance || name === undefined) return chain;
  if (root === "params") return shownParameter(chain, name, frame) ?? chain;
  return frame.entry(root, name) ? chain.replace(/^\w+/, `${root}.${instance.name}`) : chain;
}

// `.name`, `.?name`, `[0]`, `[?"name"]`.
const STEP = /^(?:\.\??(\w+)|\[\??(?:(\d+)|"((?:[^"\\]|\\.)*)")\])/;

/** What a parameter, or the member of it that the chain names, is made from; undefined where that is no single expression. */
function shownParameter(chain: string, name: string, { instance }: Frame): string | undefined {
  let rest = chain.slice("params".length).replace(STEP, "");
  let value: Json | undefined = instance?.spec()[name];
  while (value !== undefined && !isExpression(value)) {
    const [step, member, index, key] = STEP.exec(rest) ?? [];
    if (step === undefined) return undefined;
    value = Array.isArray(value) ? (value as readonly Json[])[Number(index)] : isObject(value) ? value[member ?? key ?? ""] : undefined;
    rest = rest.slice(step.length);
  }
  if (!instance || value === undefined) return undefined;
  const outer = instance.expander.frame;
  const { expression } = outer.world.language.check(value.$expr, instance.scope);
  if (!expression) return undefined;
  const shown = shownText(expression, outer);
  return rest === "" || /^[\w.]+$/.test(shown) ? `${shown}${rest}` : `(${shown})${rest}`;
}
