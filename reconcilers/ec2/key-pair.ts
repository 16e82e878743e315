import type { Filter, KeyPairInfo } from "@aws-sdk/client-ec2";
import { z } from "zod";
import { fromTagList } from "../../src/aws/tags.ts";
import { field, tags } from "../../src/core/field.ts";
import type { JsonObject } from "../../src/core/json.ts";
import { ec2, ec2Finders, ec2Tags, filter, inChunks, tagSpecifications } from "../../src/kind/ec2.ts";
import { defineKind } from "../../src/kind/kind.ts";
import { defined, listInScope } from "../../src/kind/listing.ts";
import { parsePublicKey } from "../../src/kind/public-key.ts";

const spec = z.strictObject({
  keyName: field(
    z
      .string()
      .min(1)
      .max(255)
      // EC2 API Reference, CreateKeyPair: "Up to 255 ASCII characters"; ImportKeyPair cuts spaces off at both ends.
      .regex(/^[!-~]([ -~]*[!-~])?$/, "may hold ASCII characters only, without spaces at its ends")
      .optional(),
    { doc: "Unique in the region; derived when absent.", immutable: true },
  ),
  publicKeyMaterial: field(
    z.string().superRefine((text, context) => {
      const message = "must be a public key: RSA (1024, 2048 or 4096 bits) or ED25519, in OpenSSH, PEM or RFC 4716 format";
      if (!parsePublicKey(text)) context.addIssue({ code: "custom", message });
    }),
    { doc: "The public key, such as the content of `~/.ssh/id_ed25519.pub`; its comment does not count.", immutable: true },
  ),
  tags: tags({ anyCharacter: true }),
});

const status = z.strictObject({
  keyPairId: field(z.string(), { doc: "The ID of the key pair." }),
  keyName: field(z.string().optional(), { doc: "The name, also where it was derived." }),
  keyFingerprint: field(z.string().optional(), { doc: "AWS's fingerprint: MD5 of an RSA key's DER, SHA-256 of an ED25519 key." }),
  keyType: field(z.string().optional(), { doc: "rsa or ed25519." }),
});

export const keyPair = defineKind({
  apiVersion: "ec2.aws/v1",
  kind: "KeyPair",
  doc: "A public key that instances let in by SSH. The private key is never AWS's, nor BEACON's.",
  shortNames: ["kp"],
  spec,
  status,
  id: "keyPairId",
  identity: { by: "name", key: ["keyName"], name: { field: "keyName", maxLength: 255 } },
  deviations: [
    "Keys are imported, never made by AWS: CreateKeyPair gives the private key away once, and a lost answer loses it.",
    "Two texts of the same key (another comment, another format) are the same `publicKeyMaterial`.",
  ],
  errors: {
    notFound: ["InvalidKeyPair.NotFound"],
    exists: ["InvalidKeyPair.Duplicate"],
  },
  list: {
    operations: ["ec2:DescribeKeyPairs"],
    run: async (aws, scope) => {
      const IncludePublicKey = scope.fields.has("publicKeyMaterial");
      // DescribeKeyPairs has no pages.
      const describe = async (Filters: Filter[]) => (await aws.read(ec2, "DescribeKeyPairs", { Filters, IncludePublicKey })).KeyPairs ?? [];
      const found = await listInScope<KeyPairInfo>(scope, {
        ...ec2Finders<KeyPairInfo>(describe, "key-pair-id", (object) => object.KeyPairId),
        byNames: (names) =>
          inChunks(
            names.map(({ keyName }) => String(keyName)),
            NAMES_MAX,
            (some) => describe([filter("key-name", some)]),
          ),
        matches: (object, { keyName }) => object.KeyName === keyName,
      });
      return found.map((object) => ({ id: String(object.KeyPairId), values: valuesOf(object), tags: fromTagList(object.Tags) }));
    },
  },
  create: {
    operations: ["ec2:ImportKeyPair"],
    run: async (aws, { keyName, publicKeyMaterial, tags: own }) => {
      const answer = await aws.write(ec2, "ImportKeyPair", {
        KeyName: keyName as string,
        PublicKeyMaterial: Buffer.from(publicKeyMaterial),
        TagSpecifications: tagSpecifications("key-pair", own),
      });
      const known = defined({ keyPairId: answer.KeyPairId, keyFingerprint: answer.KeyFingerprint, keyName: answer.KeyName ?? keyName });
      const keyType = parsePublicKey(publicKeyMaterial)?.keyType;
      return { id: String(answer.KeyPairId), values: { ...known, keyType, publicKeyMaterial, tags: own ?? {} } };
    },
  },
  updates: [ec2Tags()],
  delete: {
    operations: ["ec2:DeleteKeyPair"],
    run: async (aws, { id }) => void (await aws.write(ec2, "DeleteKeyPair", { KeyPairId: id })),
  },
  comparable: (observed, { publicKeyMaterial: wanted }) =>
    typeof wanted === "string" && isSameKey(observed, wanted) ? { ...observed, publicKeyMaterial: wanted } : observed,
});

const NAMES_MAX = 200;

/** By the key itself; AWS tells the fingerprint alone where nobody asked for more. */
function isSameKey({ publicKeyMaterial, keyFingerprint }: JsonObject, text: string): boolean {
  const [wanted, present] = [parsePublicKey(text), parsePublicKey(String(publicKeyMaterial))];
  if (!wanted) return publicKeyMaterial === text;
  return present ? present.line === wanted.line : unpadded(keyFingerprint) === unpadded(wanted.fingerprint);
}

// OpenSSH writes Base64 without the padding.
function unpadded(fingerprint: unknown): string {
  return String(fingerprint).replace(/=+$/, "");
}

function valuesOf(object: KeyPairInfo): JsonObject {
  return defined({
    keyPairId: object.KeyPairId,
    keyName: object.KeyName,
    keyFingerprint: object.KeyFingerprint,
    keyType: object.KeyType,
    publicKeyMaterial: object.PublicKey?.trim(),
    tags: fromTagList(object.Tags),
  });
}
