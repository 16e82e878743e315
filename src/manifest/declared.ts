/** Documents as they stand in the manifests, for what is to be written back into them. */

import type { CompiledStack } from "../core/compiled.ts";
import { isObject, type JsonObject } from "../core/json.ts";
import type { ResourceKey } from "../core/resource.ts";
import { plainJson } from "./node.ts";
import { partsOf } from "./result.ts";

/** `document`: expressions left as they are written. `isAlone`: it declares this resource and no other, in the project itself. */
export type DeclaredDocument = { readonly document: JsonObject; readonly isAlone: boolean };

/** The document that declares a resource; undefined for one that the stack does not have. */
export function declaredDocument(stack: CompiledStack, key: ResourceKey): DeclaredDocument | undefined {
  const { world } = partsOf(stack);
  const instance = world.instance(key);
  if (!instance) return undefined;
  const document = plainJson(instance.declaration.document);
  if (!isObject(document)) return undefined;
  return { document, isAlone: instance.frame === world.root && document.forEach === undefined };
}
