/** The functions that read files: macros, because only those see the context, which knows the folder. */

import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { type Ast, type DeclaredType, walk } from "./ast.ts";
import { type Checker, type Context, type Evaluator, entries, type MacroInput } from "./macros.ts";
import { fromCel } from "./values.ts";

/** The name under which a context carries the folder that relative paths start in; no expression can spell it. */
export const DIRECTORY = "#directory";
/** The name of the map in which a context keeps the texts of the files it has read, by absolute path. */
export const FILES = "#files";
/** The name under which a context carries its {@link StandIns}. */
export const STAND_INS = "#standIns";

/** What stands in for files that are not there: nothing, except on the sandbox. */
export type StandIns = {
  /** A public key for the file of this path. */
  readonly publicKey?: (path: string) => string;
};

/** A file as an expression names it. */
export type FileAccess = { readonly name: string; readonly path: string; readonly files: Map<string, string>; readonly standIns: StandIns };

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
  const known = <T>(member: string, otherwise: T) => (context.getValue(member) ?? otherwise) as T;
  const path = resolve(known(DIRECTORY, "."), name.startsWith("~/") ? join(homedir(), name.slice(2)) : name);
  return { name, path, files: known(FILES, new Map<string, string>()), standIns: known<StandIns>(STAND_INS, {}) };
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

/** The text of a file, read at most once. */
export function readFile({ name, path, files }: FileAccess): string {
  const known = files.get(path);
  if (known !== undefined) return known;
  try {
    const text = readFileSync(path, "utf8");
    files.set(path, text);
    return text;
  } catch (error) {
    throw new Error(`the file ${name} cannot be read (${(error as NodeJS.ErrnoException).code ?? "unknown"}); looked for ${path}`);
  }
}

/** The key in a public key file; on the sandbox another stands in for a file that is not there. */
export function readPublicKey(file: FileAccess): string {
  const { name, path, files, standIns } = file;
  if (standIns.publicKey && !files.has(path) && !exists(path)) files.set(path, standIns.publicKey(name));
  return publicKeyIn(readFile(file), name);
}

function exists(path: string): boolean {
  try {
    readFileSync(path);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ENOENT";
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
