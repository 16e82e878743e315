/** Schemas that several kinds share. */

import { z } from "zod";
import { canonicalCidr, parseCidr } from "../core/cidr.ts";
import { type FieldMeta, field } from "../core/field.ts";

/** A canonical CIDR block of one IP version, its prefix length within limits. */
export function cidrBlock(version: 4 | 6, prefixMin: number, prefixMax: number): z.ZodString {
  return z.string().superRefine((text, context) => {
    const message = cidrMessage(text, version, prefixMin, prefixMax);
    if (message !== undefined) context.addIssue({ code: "custom", message });
  });
}

function cidrMessage(text: string, version: 4 | 6, prefixMin: number, prefixMax: number): string | undefined {
  const cidr = parseCidr(text);
  const meant = canonicalCidr(text);
  if (!cidr && meant !== undefined) return `"${text}" is not a canonical CIDR block: write ${meant}`;
  if (cidr?.version !== version)
    return `"${text}" is not an IPv${version} CIDR block, such as ${version === 4 ? "10.0.0.0/16" : "2001:db8::/64"}`;
  if (cidr.prefix >= prefixMin && cidr.prefix <= prefixMax) return undefined;
  return `the prefix length of ${text} must be between /${prefixMin} and /${prefixMax}`;
}

/** The ARN of an AWS service's resource. */
export function arn(service: string): z.ZodString {
  return z
    .string()
    .max(2048)
    .regex(new RegExp(`^arn:aws[a-z-]*:${service}:`), `must be the ARN of a ${service} resource`);
}

/** A field that may be absent. */
export function optional<S extends z.ZodType>(schema: S, doc: string, meta: Omit<FieldMeta, "doc"> = {}): z.ZodOptional<S> {
  return field(schema.optional(), { doc, ...meta });
}

/** A launch template's name: letters, digits and `().-/_`, 3 to 128 (EC2 API Reference, CreateLaunchTemplate). */
export function launchTemplateName(): z.ZodString {
  return z
    .string()
    .min(3)
    .max(128)
    .regex(/^[a-zA-Z0-9().\-/_]+$/);
}
