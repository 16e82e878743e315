/** The functions expressions have beside CEL's own. */

import type { Environment } from "@marcbachmann/cel-js";
import { cidrSubnet } from "../core/cidr.ts";
import type { Ast, DeclaredType } from "./ast.ts";
import { assigned, fileMacro, readFile, readPublicKey } from "./file-functions.ts";
import { type Checker, type Context, type Evaluator, entries, type LoopContext, type MacroInput } from "./macros.ts";
import { fromCel } from "./values.ts";

/** For `docs/manifests.md`, `explain` and editors: every own function with one sentence. */
export const FUNCTIONS = Object.freeze({
  values: "values(map): the values of a map or a group, in their order; an empty list for an empty optional.",
  keys: "keys(map): the keys of a map or a group, in their order.",
  mapValues: "mapValues(map, x, expression): the map with each value x replaced by the expression's.",
  transformMap: "map.transformMap(key, value, condition, expression): the members that fit, each value made the expression's.",
  flatten: "flatten(list): a list of lists made one list.",
  replace: 'text.replace("from", "to"): the text with every occurrence replaced.',
  cidrSubnet: 'cidrSubnet("10.0.0.0/16", 8, 2): the third /24 of the range, as Terraform\'s cidrsubnet.',
  file: 'file("path"): the text of a file; the path is relative to the manifest.',
  publicKey: 'publicKey("~/.ssh/id_ed25519.pub"): the OpenSSH public key in a file.',
  json: "json(value): the value as JSON text.",
  userData: 'userData("path", {"NAME": value}): a script with quoted assignments put after its first line.',
});

/** Adds the functions to a CEL environment. */
export function registerFunctions(environment: Environment): void {
  const sync = { async: false };
  environment.registerFunction("values(map<K, V>): list<V>", (map: unknown) => entries(map).map(([, value]) => value), sync);
  environment.registerFunction("values(optional<map<K, V>>): list<V>", (map: unknown) => entries(map).map(([, value]) => value), sync);
  environment.registerFunction("keys(map<K, V>): list<K>", (map: unknown) => entries(map).map(([key]) => key), sync);
  environment.registerFunction("keys(optional<map<K, V>>): list<K>", (map: unknown) => entries(map).map(([key]) => key), sync);
  environment.registerFunction("flatten(list<list<V>>): list<V>", (list: unknown[][]) => list.flat(), sync);
  environment.registerFunction(
    "string.replace(string, string): string",
    (text: string, from: string, to: string) => text.replaceAll(from, () => to),
    sync,
  );
  environment.registerFunction(
    "cidrSubnet(string, int, int): string",
    (prefix: string, bits: bigint, number: bigint) => cidrSubnet(prefix, Number(bits), Number(number)),
    sync,
  );
  environment.registerFunction("json(dyn): string", (value: unknown) => JSON.stringify(fromCel(value) ?? null), sync);
  register(environment, "mapValues(ast, ast, ast): map", mapValues);
  register(environment, "map.transformMap(ast, ast, ast, ast): map", transformMap);
  register(environment, "file(ast): string", (input) => fileMacro(input, readFile));
  register(environment, "publicKey(ast): string", (input) => fileMacro(input, readPublicKey));
  register(environment, "userData(ast, ast): string", (input) => fileMacro(input, (file, values) => assigned(readFile(file), values)));
}

function register(environment: Environment, signature: string, macro: (input: MacroInput) => object): void {
  environment.registerFunction(signature, macro as unknown as (...args: unknown[]) => unknown);
}

function mapValues({ ast, args }: MacroInput): object {
  const [map, name, transform] = args as readonly [Ast, Ast, Ast];
  let loop: LoopContext | undefined;
  return {
    ast,
    async: false,
    typeCheck(checker: Checker, _macro: unknown, context: Context): DeclaredType {
      const type = checker.check(map, context);
      const inner = type.kind === "optional" ? type.valueType : type;
      if (name.op !== "id") throw checker.createError("invalid_macro_argument", "the second argument of mapValues must be a name", name);
      if (inner?.kind !== "map" && inner?.kind !== "dyn") {
        throw checker.createError("no_matching_overload", `mapValues takes a map, not '${type.name}'`, map);
      }
      loop = context.forkWithVariable(name.args as string, inner.valueType ?? checker.getType("dyn"));
      return checker.registry.getMapType(inner.keyType ?? checker.getType("string"), checker.check(transform, loop));
    },
    evaluate(evaluator: Evaluator, _macro: unknown, context: Context): unknown {
      const inner = (loop as LoopContext).reuse(context);
      const pairs = entries(evaluator.run(map, context));
      return new Map(pairs.map(([key, value]) => [key, evaluator.run(transform, inner.setIterValue(value, evaluator))]));
    },
  };
}

/** As in CEL's extension for two variables, with the condition always given. */
function transformMap({ ast, args, receiver }: MacroInput): object {
  const [keyName, valueName, condition, transform] = args as readonly [Ast, Ast, Ast, Ast];
  let outer: LoopContext | undefined;
  let inner: LoopContext | undefined;
  return {
    ast,
    async: false,
    typeCheck(checker: Checker, _macro: unknown, context: Context): DeclaredType {
      const type = checker.check(receiver as Ast, context);
      if (keyName.op !== "id" || valueName.op !== "id") {
        throw checker.createError("invalid_macro_argument", "the first two arguments of transformMap must be names", ast);
      }
      if (type.kind !== "map" && type.kind !== "dyn")
        throw checker.createError("no_matching_overload", `transformMap needs a map, not '${type.name}'`, ast);
      outer = context.forkWithVariable(keyName.args as string, checker.getType("string"));
      inner = outer.forkWithVariable(valueName.args as string, type.valueType ?? checker.getType("dyn"));
      const fits = checker.check(condition, inner);
      if (fits.name !== "bool" && fits.kind !== "dyn")
        throw checker.createError("no_matching_overload", "the condition of transformMap must be true or false", condition);
      return checker.registry.getMapType(checker.getType("string"), checker.check(transform, inner));
    },
    evaluate(evaluator: Evaluator, _macro: unknown, context: Context): unknown {
      const keyContext = (outer as LoopContext).reuse(context);
      const valueContext = (inner as LoopContext).reuse(keyContext);
      const result = new Map<unknown, unknown>();
      for (const [key, value] of entries(evaluator.run(receiver as Ast, context))) {
        const both = valueContext.setIterValue(value, evaluator);
        keyContext.setIterValue(key, evaluator);
        if (evaluator.run(condition, both) === true) result.set(key, evaluator.run(transform, both));
      }
      return result;
    },
  };
}
