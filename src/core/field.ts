/**
 * Field metadata: what BEACON must know of a spec field beyond its type.
 *
 * Metadata is attached with {@link field}, which must be the outermost call (`field(z.string().optional(), {...})`):
 * zod keeps metadata per schema instance, so a later `.optional()` would drop it. `shapeOf` asserts this at load.
 */

import { z } from "zod";
import type { Json, JsonObject } from "./json.ts";

// zod would compile a function for every schema that is used: 40 ms of a look at production, in which most are used once.
z.config({ jitless: true });

/** How two values of a field are compared. `dns-name`: whatever its case, final dot and escapes. `{ keyed }`: a list of objects, told apart by that member. */
export type Compare = "exact" | "set" | "iam-policy" | "json" | "dns-name" | { readonly keyed: string };

/**
 * One member of a set or keyed list as a person reads it: `tcp 22 from 0.0.0.0/0`. A value that AWS has yet to choose
 * comes as `<vpc.main.vpcId>`.
 */
export type MemberText = (member: JsonObject) => string;

/** What the engine, the diff and the docs must know of a field. Every member is optional; absent means no. */
export type FieldMeta = {
  /** One sentence for `explain`, the docs page and editors. */
  readonly doc: string;
  /** AWS cannot change it: a new value needs a new object. */
  readonly immutable?: true;
  /** Somebody else owns it after the create (an autoscaler): written at create, and once when the manifest's own value changes. */
  readonly createOnly?: true;
  /** Sent by an update after the create; makes no create-order edge; withdrawn first on delete. */
  readonly late?: true;
  /** Never stored, logged or shown; compared by hash. */
  readonly secret?: true;
  /**
   * The value AWS has when the field is not set, sent when the field leaves the manifest; `null`: AWS then has none. In the elements of
   * a list, what is not declared is wanted at this value.
   */
  readonly unset?: Json;
  /** Default: `exact`. */
  readonly compare?: Compare;
  /** With `compare: set`: while that other field has that value, members nobody declared are left alone. */
  readonly additiveWhen?: { readonly field: string; readonly is: Json };
  /**
   * The field, or each member of a keyed list, is ours as a whole: what the manifest does not say of it, at any depth, AWS must
   * not have, or only as that member's `unset` says. Without it, members that nobody declared are left alone.
   */
  readonly whole?: true;
  /** One object at a time can have a value (an Elastic IP): a successor that keeps it is created after its predecessor is gone. */
  readonly exclusive?: true;
  /** It says how BEACON treats the object (`rules: additive`), or what follows from another field and AWS never tells: it never differs. */
  readonly setting?: true;
  /** Of a boolean setting: while it is true, an existing object of the resource's name is taken over, whoever made it. */
  readonly overwrites?: true;
  /** The status attribute this field takes: `ec2.aws/v1 VPC.vpcId`. Documentation and `explain`; any string is accepted. */
  readonly ref?: `${string} ${string}.${string}`;
  /**
   * Its observed value tells of objects that these other fields refer to: where one of those changes ({@link renewedBy}), this field
   * does too, and the object is looked at again before it is decided on.
   */
  readonly follows?: readonly string[];
  /** Of a status field: an update of one of these spec fields gives it a new value, which only the update's answer tells. */
  readonly renewedBy?: readonly string[];
  /** Of a list of objects: how plans and `describe` write a member. Default: `name: value` for each of its fields. */
  readonly text?: MemberText;
  /** The map of AWS tags. Set by `tags()` alone. */
  readonly tags?: true;
};

const registry = new WeakMap<z.ZodType, FieldMeta>();
const read = new WeakSet<z.ZodType>();

/**
 * Attaches metadata to a field's schema. Must be the outermost call, and come before anybody reads the schema's shape, which is
 * kept. Throws when it comes too late.
 */
export function field<S extends z.ZodType>(schema: S, meta: FieldMeta): S {
  if (read.has(schema)) throw new Error(`field() came after the schema's shape was read: give "${meta.doc}" a schema of its own`);
  registry.set(schema, Object.freeze(meta));
  return schema;
}

/** The metadata `field` attached, if any. */
export function fieldMeta(schema: z.ZodType): FieldMeta | undefined {
  read.add(schema);
  return registry.get(schema);
}

// "Letters, numbers, spaces representable in UTF-8, and _ . : / = + - @" (AWS General Reference, tag naming limits): what
// the Tag shapes of all services but EC2's say.
const TAG_TEXT = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;

/**
 * AWS tags: a map, compared key by key; keys nobody declared are left alone. `anyCharacter`: the service takes characters
 * that others refuse.
 */
export function tags(options: { readonly anyCharacter?: boolean } = {}): z.ZodOptional<z.ZodRecord<z.ZodString, z.ZodString>> {
  return field(tagMap(options).optional(), { doc: "Tags, over the project's default tags.", tags: true });
}

/** A map of tags that are not the object's own: those of what it launches. */
export function tagMap({ anyCharacter = false }: { readonly anyCharacter?: boolean } = {}): z.ZodRecord<z.ZodString, z.ZodString> {
  // 128 and 256 characters: the limits of every AWS service's Tag shape.
  return z.record(z.string(), z.string().max(256)).superRefine((value, context) => {
    for (const [key, text] of Object.entries(value)) {
      const message = tagMessage(key, text, anyCharacter);
      if (message !== undefined) context.addIssue({ code: "custom", path: [key], message });
    }
  });
}

function tagMessage(key: string, text: string, anyCharacter: boolean): string | undefined {
  if (key === "" || key.length > 128) return "must have a name of 1 to 128 characters";
  if (/^aws:/i.test(key)) return "is AWS's own: names of tags must not begin with aws:";
  if (anyCharacter || (TAG_TEXT.test(key) && TAG_TEXT.test(text))) return undefined;
  return "may hold letters, digits, spaces and _ . : / = + - @ only, in its name and in its value";
}
