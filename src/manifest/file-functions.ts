/** The functions that read files: macros, because only those see the context, which knows the folder. */

import { resolve } from "node:path";
import { type Ast, type DeclaredType, walk } from "./ast.ts";
import type { FilesRead } from "./files.ts";
import { type Checker, type Context, type Evaluator, entries, type MacroInput } from "./macros.ts";
import { fromCel } from "./values.ts";

/** The name under which a context carries the folder that relative paths start in; no expression can spell it. */
export const DIRECTORY = "#directory";
/** The name under which a context carries the {@link FilesRead}. */
export const FILES = "#files";

/** A file as an expression names it. */
export type FileAccess = { readonly name: string; readonly path: string; readonly files: FilesRead };

/** A function whose first argument is a path; `read` gives its value. */
export function fileMacro({ ast, args }: MacroInput, read: (file: FileAccess, values: unknown) => string): object {
  const [path, values] = args as readonly [Ast, Ast | undefined];
  return {
    ast,
    async: false,
    typeCheck(checker: Checker, _macro: unknown, context: Context): DeclaredType {
      const type = checker.check(path, context);
      if (type.kind !== "dyn" && type.name !== "string") throw checker.createError("no_matching_overload", "the path must be text", path);
      if (values) checker.check(values, context);
      return checker.getType("string");
    },
    evaluate(evaluator: Evaluator, _macro: unknown, context: Context): unknown {
      const name = String(evaluator.run(path, context));
      const given = values && evaluator.run(values, context);
      return read(accessTo(name, context), given);
    },
  };
}

function accessTo(name: string, context: Context): FileAccess {
  const path = name.startsWith("~/") ? name : resolve(context.getValue(DIRECTORY) as string, name);
  return { name, path, files: context.getValue(FILES) as FilesRead };
}

/** Expressions that read, by themselves, the files that an expression reads. */
export function fileReads(text: string, ast: Ast): readonly string[] {
  const found: string[] = [];
  walk(text, ast, (node) => {
    const [name, [path]] = node.op === "call" ? (node.args as [string, Ast[]]) : ["", []];
    if (path && FILE_FUNCTIONS.has(name)) found.push(`${name === "publicKey" ? name : "file"}(${text.slice(path.start, path.end)})`);
    return true;
  });
  return found;
}

const FILE_FUNCTIONS: ReadonlySet<string> = new Set(["file", "userData", "publicKey"]);

/** The text of a file. */
export function readFile({ name, path, files }: FileAccess): string {
  return toldByName(name, path, () => files.read(path));
}

/** The key in a public key file. */
export function readPublicKey({ name, path, files }: FileAccess): string {
  return publicKeyIn(
    toldByName(name, path, () => files.readPublicKey(path, name)),
    name,
  );
}

function toldByName(name: string, path: string, read: () => string): string {
  try {
    return read();
  } catch (error) {
    const { code = "unknown", path: tried = path } = error as NodeJS.ErrnoException;
    throw new Error(`the file ${name} cannot be read (${code}); looked for ${tried}`);
  }
}

// RFC 4253, section 6.6: the key's own bytes begin with the length and text of its type. EC2 imports these types.
const KEY_TYPES = ["ssh-rsa", "ssh-ed25519"];

function publicKeyIn(text: string, name: string): string {
  const [line = "", ...more] = text.trim().split(/\r?\n/);
  if (/PRIVATE KEY/.test(text)) throw new Error(`${name} holds a private key; the public one is in the file that ends with .pub`);
  const [type = "", body = ""] = line.split(/\s+/);
  const bytes = Buffer.from(body, "base64");
  const own = bytes.length > 4 ? bytes.subarray(4, 4 + bytes.readUInt32BE(0)).toString("latin1") : "";
  if (more.length === 0 && KEY_TYPES.includes(type) && own === type) return line;
  throw new Error(`${name} holds no OpenSSH public key: one line that begins with ${KEY_TYPES.join(" or ")}`);
}

/** Shell assignments after the first line, each value quoted so that the shell takes it as it is. */
export function assigned(text: string, values: unknown): string {
  const lines = entries(values ?? {}).map(([name, value]) => `${shellName(String(name))}='${shellText(value)}'\n`);
  const [shebang = ""] = /^#!.*(\r?\n|$)/.exec(text) ?? [];
  const first = shebang === "" || shebang.endsWith("\n") ? shebang : `${shebang}\n`;
  return `${first}${lines.join("")}${text.slice(shebang.length)}`;
}

function shellName(name: string): string {
  if (/^[A-Za-z_]\w*$/.test(name)) return name;
  throw new Error(`"${name}" is no name of a shell variable`);
}

function shellText(value: unknown): string {
  const json = fromCel(value) ?? "";
  return (typeof json === "object" ? JSON.stringify(json) : String(json)).replaceAll("'", "'\\''");
}
