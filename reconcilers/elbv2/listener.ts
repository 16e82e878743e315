import type { Listener, ModifyListenerCommandInput } from "@aws-sdk/client-elastic-load-balancing-v2";
import { z } from "zod";
import type { Reader } from "../../src/aws/service.ts";
import type { Tags } from "../../src/aws/tags.ts";
import type { FieldChange } from "../../src/core/diff.ts";
import { field, tags } from "../../src/core/field.ts";
import { canonical, type Json, type JsonObject } from "../../src/core/json.ts";
import { objectShape, shapeOf } from "../../src/core/shape.ts";
import { allTags, byParent, elbv2, elbv2Tags, listenersOf, NOT_FOUND, PAGE, referent, taggedArns, tagList } from "../../src/kind/elbv2.ts";
import { actionFindings, actionsField, actionsOf, actionsOut, clientSecretField } from "../../src/kind/elbv2-actions.ts";
import { listenerAttributes } from "../../src/kind/elbv2-attribute-schemas.ts";
import { attributesOf, attributesUpdater, initialAttributes } from "../../src/kind/elbv2-attributes.ts";
import { fromAws, toAws } from "../../src/kind/elbv2-words.ts";
import { type CheckFinding, defineKind, type Remote, type Scope, type StaticResource } from "../../src/kind/kind.ts";
import { defined, listInScope, unlessNamed } from "../../src/kind/listing.ts";

const certificate = z.strictObject({
  certificateArn: field(z.string().min(1), { doc: "The ARN of the certificate, of ACM or IAM." }),
});

const mutualAuthentication = z.strictObject({
  mode: field(z.enum(["off", "passthrough", "verify"]), { doc: "What becomes of clients' certificates." }),
  trustStoreArn: field(z.string().min(1).optional(), { doc: "With verify: the trust store." }),
  ignoreClientCertificateExpiry: field(z.boolean().optional(), {
    doc: "With verify: whether expired certificates are good.",
    unset: false,
  }),
  advertiseTrustStoreCaNames: field(z.enum(["on", "off"]).optional(), {
    doc: "With verify: whether clients are told which authorities are trusted.",
    unset: "off",
  }),
});

// What CreateListener gives a listener without a policy, "[HTTPS and TLS listeners]".
const SSL_POLICY = "ELBSecurityPolicy-2016-08";

const spec = z.strictObject({
  loadBalancerArn: field(z.string().min(1), {
    doc: "The load balancer it is a part of.",
    immutable: true,
    ref: "elbv2.aws/v1 LoadBalancer.loadBalancerArn",
  }),
  port: field(z.int().min(1).max(65_535), { doc: "Where it listens." }),
  protocol: field(z.enum(["HTTP", "HTTPS", "TCP", "TLS", "UDP", "TCP_UDP", "QUIC", "TCP_QUIC"]), { doc: "How clients speak to it." }),
  sslPolicy: field(z.string().min(1).optional(), {
    doc: "With HTTPS or TLS: which protocols and ciphers are spoken.",
    unset: SSL_POLICY,
  }),
  certificates: field(z.array(certificate).min(1).max(1).optional(), { doc: "With HTTPS or TLS: the default certificate." }),
  additionalCertificates: field(z.array(certificate).optional(), {
    doc: "With HTTPS or TLS: further certificates, chosen by the name that the client asks for (SNI).",
    compare: "set",
    unset: [],
  }),
  alpnPolicy: field(
    z
      .array(z.enum(["HTTP1Only", "HTTP2Only", "HTTP2Optional", "HTTP2Preferred", "None"]))
      .min(1)
      .max(1)
      .optional(),
    {
      doc: "With TLS: which version of HTTP is agreed on.",
      unset: ["None"],
    },
  ),
  mutualAuthentication: field(mutualAuthentication.optional(), {
    doc: "With HTTPS: certificates of clients.",
    unset: { mode: "off" },
  }),
  defaultActions: actionsField("What is done with requests that no rule is for, in this order."),
  clientSecret: clientSecretField(),
  attributes: field(listenerAttributes.optional(), { doc: "Its attributes: headers, and idle TCP connections.", unset: {} }),
  tags: tags(),
});

const status = z.strictObject({
  listenerArn: field(z.string(), { doc: "The ARN of the listener." }),
});

type Spec = z.infer<typeof spec>;

const ATTRIBUTES = objectShape(listenerAttributes);
const CERTIFICATES = shapeOf(spec.shape.certificates);
const MUTUAL = objectShape(mutualAuthentication);

export const listener = defineKind({
  apiVersion: "elbv2.aws/v1",
  kind: "Listener",
  doc: "A port of a load balancer, and what is done with the requests that come in there.",
  spec,
  status,
  id: "listenerArn",
  identity: { by: "name", key: ["loadBalancerArn", "port"], upsert: true },
  // AWS lets a target group be used by one load balancer at a time: on another one, the successor's has to be free.
  lifecycle: { replace: "deleteFirst" },
  deviations: [
    "`certificates` has the default certificate, as CreateListener does; further ones, calls of their own at AWS, are `additionalCertificates`. Without that field, nobody's are touched.",
    "`attributes`, a list of names and texts at AWS, is an object with typed members: `tcp.idle_timeout.seconds` is `tcp.idleTimeout.seconds`.",
    "Without `order`, actions are performed in the list's order.",
    "An action is taken as a whole: what it leaves out is AWS's default, as `#{host}`, `/#{path}` and `#{query}` of a redirect.",
    "The client secret of an authenticate-oidc action is the field `clientSecret`, so that it is kept secret.",
    "A replacement deletes the old listener first, because AWS lets a target group be used by one load balancer at a time.",
    "Listeners of Gateway Load Balancers are not supported.",
  ],
  errors: {
    notFound: ["ListenerNotFoundException"],
    exists: ["DuplicateListenerException"],
    wait: ["ResourceInUseException", "TargetGroupAssociationLimitException"],
    propagating: [
      "LoadBalancerNotFoundException",
      "TargetGroupNotFoundException",
      "CertificateNotFoundException",
      "TrustStoreNotReadyException",
    ],
  },
  list: {
    operations: [
      "tag:GetResources",
      "elasticloadbalancing:DescribeListeners",
      "elasticloadbalancing:DescribeTags",
      "elasticloadbalancing:DescribeListenerCertificates",
      "elasticloadbalancing:DescribeListenerAttributes",
    ],
    run: list,
  },
  create: {
    operations: ["elasticloadbalancing:CreateListener"],
    run: async (aws, desired) => {
      const answer = await aws.write(elbv2, "CreateListener", {
        LoadBalancerArn: desired.loadBalancerArn,
        Port: desired.port,
        Protocol: desired.protocol,
        SslPolicy: desired.sslPolicy,
        Certificates: desired.certificates && (toAws(desired.certificates) as object[]),
        AlpnPolicy: desired.alpnPolicy,
        MutualAuthentication: desired.mutualAuthentication && (toAws(desired.mutualAuthentication) as object),
        DefaultActions: actionsOut(desired.defaultActions, desired.clientSecret),
        Tags: tagList(desired.tags),
      });
      const created = answer.Listeners?.[0] ?? {};
      const attributes = initialAttributes(ATTRIBUTES, (path) => isFor(desired.protocol, path));
      const known = { additionalCertificates: [], attributes, tags: desired.tags ?? {} };
      return { id: String(created.ListenerArn), values: { ...valuesOf(created), ...known } };
    },
  },
  updates: [
    {
      fields: ["port", "protocol", "sslPolicy", "certificates", "alpnPolicy", "mutualAuthentication", "defaultActions", "clientSecret"],
      operations: ["elasticloadbalancing:ModifyListener"],
      run: async (aws, { id, desired, observed, changes }) => {
        const request = modification(desired, changes);
        const answer = await aws.write(elbv2, "ModifyListener", { ListenerArn: id, ...request });
        const now = valuesOf(answer.Listeners?.[0] ?? {});
        const additional = withoutDefault(observed.additionalCertificates, now.certificates);
        const forgotten = { additionalCertificates: additional, ...forgottenBy(desired.protocol) };
        return { values: { ...forgotten, ...now, ...secretSent(desired, changes) } };
      },
    },
    {
      // "You can specify one certificate per call" (AddListenerCertificates, RemoveListenerCertificates).
      fields: ["additionalCertificates"],
      operations: ["elasticloadbalancing:AddListenerCertificates", "elasticloadbalancing:RemoveListenerCertificates"],
      run: async (aws, { id, changes }) => {
        const { before, added, removed } = changes.additionalCertificates as FieldChange;
        const present = (Array.isArray(before) ? before : []) as readonly JsonObject[];
        const [first] = added;
        const [one] = (first === undefined ? removed : added) as readonly JsonObject[];
        const request = { ListenerArn: id, Certificates: toAws(one ? [one] : []) as object[] };
        if (first !== undefined) {
          await aws.write(elbv2, "AddListenerCertificates", request);
          return { values: { additionalCertificates: [...present, first] } };
        }
        await aws.write(elbv2, "RemoveListenerCertificates", request);
        return { values: { additionalCertificates: present.filter(({ certificateArn }) => certificateArn !== one?.certificateArn) } };
      },
    },
    attributesUpdater(ATTRIBUTES, "elasticloadbalancing:ModifyListenerAttributes", (aws, { id }, Attributes) =>
      aws.write(elbv2, "ModifyListenerAttributes", { ListenerArn: id, Attributes }),
    ),
    elbv2Tags(),
  ],
  delete: {
    operations: ["elasticloadbalancing:DeleteListener"],
    run: async (aws, { id }) => void (await aws.write(elbv2, "DeleteListener", { ListenerArn: id })),
  },
  check: (resources) => [...resources.flatMap((resource) => [...findings(resource)]), ...twins(resources)],
});

// AWS has some of them for some protocols only (ListenerAttribute).
function isFor(protocol: string, [top, , direction]: readonly string[]): boolean {
  if (!protocol.startsWith("HTTP")) return top === "tcp" && protocol === "TCP";
  return top === "routing" && (direction !== "request" || protocol === "HTTPS");
}

type Changes = Readonly<Record<string, FieldChange>>;

/** What a listener no longer has once it speaks this protocol. */
function forgottenBy(protocol: Spec["protocol"]): JsonObject {
  if (protocol === "HTTPS") return { alpnPolicy: undefined };
  const others = { mutualAuthentication: undefined };
  if (protocol === "TLS") return others;
  return { ...others, sslPolicy: undefined, certificates: undefined, additionalCertificates: [], alpnPolicy: undefined };
}

function isSecure({ protocol }: Pick<Spec, "protocol">): boolean {
  return protocol === "HTTPS" || protocol === "TLS";
}

/** What ModifyListener is sent: what changes, and with a protocol what belongs to it, as AWS forgets that with the old one. */
function modification(desired: Spec, changes: Changes): Omit<ModifyListenerCommandInput, "ListenerArn"> {
  const after = <Name extends keyof Spec>(name: Name) => (changes[name]?.after ?? desired[name]) as Spec[Name];
  const sends = (name: keyof Spec) => changes[name] !== undefined || (changes.protocol !== undefined && desired[name] !== undefined);
  const { protocol } = desired;
  return {
    ...(changes.port ? { Port: desired.port } : {}),
    ...(changes.protocol ? { Protocol: protocol } : {}),
    ...(isSecure(desired) && sends("sslPolicy") ? { SslPolicy: after("sslPolicy") } : {}),
    ...(isSecure(desired) && sends("certificates") ? { Certificates: toAws(after("certificates")) as object[] } : {}),
    ...(protocol === "TLS" && sends("alpnPolicy") ? { AlpnPolicy: after("alpnPolicy") } : {}),
    ...(protocol === "HTTPS" && sends("mutualAuthentication")
      ? { MutualAuthentication: toAws(after("mutualAuthentication")) as object }
      : {}),
    ...(changes.defaultActions || changes.clientSecret
      ? { DefaultActions: actionsOut(desired.defaultActions, desired.clientSecret, true) }
      : {}),
  };
}

// AWS never tells it: it is what was sent.
function secretSent({ clientSecret }: Pick<Spec, "clientSecret">, changes: Changes): JsonObject {
  return changes.defaultActions || changes.clientSecret ? { clientSecret } : {};
}

async function list(aws: Reader, scope: Scope): Promise<Remote[]> {
  const known = new Map<string, Tags>();
  const { at, byArns } = byParent(
    (parent) => listenersOf(aws, parent),
    (object) => object.ListenerArn,
  );
  const found = await listInScope<Listener>(scope, {
    id: (object) => object.ListenerArn,
    byTags: async (wanted) => byArns(await taggedArns(aws, "listener", wanted, known)),
    byIds: byArns,
    byNames: (names) => at(names.map(({ loadBalancerArn }) => String(loadBalancerArn))),
    matches: (object, name) => object.LoadBalancerArn === name.loadBalancerArn && object.Port === name.port,
  });
  const [own, parts] = await Promise.all([
    allTags(
      aws,
      found.map(({ ListenerArn }) => String(ListenerArn)),
      known,
    ),
    Promise.all(found.map((object) => partsOf(aws, object, scope.fields))),
  ]);
  return found.map((object, index) => {
    const id = String(object.ListenerArn);
    const labels = own.get(id) ?? {};
    return { id, values: { ...valuesOf(object), ...parts[index], tags: labels }, tags: labels };
  });
}

// AWS may have the default one in the list, too, where it was before it became the default.
function withoutDefault(additional: Json | undefined, certificates: Json | undefined): Json | undefined {
  const defaults = new Set((Array.isArray(certificates) ? certificates : []).map((one) => canonical(one)));
  return Array.isArray(additional) ? additional.filter((one) => !defaults.has(canonical(one))) : undefined;
}

async function partsOf(aws: Reader, { ListenerArn, Certificates }: Listener, fields: Scope["fields"]): Promise<JsonObject> {
  const [more, own] = await Promise.all([
    fields.has("additionalCertificates") && Certificates
      ? unlessNamed(NOT_FOUND, aws.pages(elbv2, "DescribeListenerCertificates", { ListenerArn, PageSize: PAGE }, "Certificates"))
      : undefined,
    fields.has("attributes") ? unlessNamed(NOT_FOUND, aws.read(elbv2, "DescribeListenerAttributes", { ListenerArn })) : undefined,
  ]);
  const listed = more?.filter(({ IsDefault }) => !IsDefault) ?? [];
  const additional = withoutDefault(fromAws(listed, CERTIFICATES), fromAws(Certificates, CERTIFICATES));
  return {
    ...(fields.has("additionalCertificates") ? { additionalCertificates: additional } : {}),
    ...(own ? { attributes: attributesOf(ATTRIBUTES, own.Attributes) } : {}),
  };
}

function valuesOf(object: Listener): JsonObject {
  return defined({
    listenerArn: object.ListenerArn,
    loadBalancerArn: object.LoadBalancerArn,
    port: object.Port,
    protocol: object.Protocol,
    sslPolicy: object.SslPolicy,
    certificates: fromAws(object.Certificates, CERTIFICATES),
    alpnPolicy: object.AlpnPolicy?.length ? (object.AlpnPolicy as Json) : undefined,
    mutualAuthentication: fromAws(object.MutualAuthentication, MUTUAL),
    defaultActions: actionsOf(object.DefaultActions),
  });
}

const SECURE_ONLY = ["sslPolicy", "certificates", "additionalCertificates", "alpnPolicy", "mutualAuthentication"];

function* findings(resource: StaticResource): Generator<CheckFinding> {
  const { key, spec: declared } = resource;
  for (const found of actionFindings(resource, "defaultActions")) yield { resource: key, ...found };
  const { protocol, mutualAuthentication: mutual } = declared;
  if (typeof protocol !== "string") return;
  const secure = protocol === "HTTPS" || protocol === "TLS";
  const only: Readonly<Record<string, string>> = { alpnPolicy: "TLS", mutualAuthentication: "HTTPS" };
  for (const name of SECURE_ONLY) {
    if (declared[name] === undefined || (secure && (only[name] ?? protocol) === protocol)) continue;
    yield { resource: key, field: name, message: `${key} speaks ${protocol}, and takes no \`${name}\`` };
  }
  const [first] = Array.isArray(declared.certificates) ? declared.certificates : [];
  const more = Array.isArray(declared.additionalCertificates) ? declared.additionalCertificates : [];
  if (first !== undefined && more.some((one) => canonical(one) === canonical(first)))
    yield { resource: key, field: "additionalCertificates", message: `${key} has its default certificate among the additional ones` };
  if (secure && declared.certificates === undefined)
    yield { resource: key, field: "", message: `${key} speaks ${protocol}, and needs a certificate`, hint: "set `certificates`" };
  const { mode, ...rest } = (mutual ?? {}) as JsonObject;
  if (typeof mode !== "string" || (mode === "verify") === (rest.trustStoreArn !== undefined)) return;
  const message =
    mode === "verify" ? `${key} verifies clients' certificates, and needs a trust store` : `${key} uses its trust store with verify only`;
  yield { resource: key, field: "mutualAuthentication", message };
}

function* twins(resources: readonly StaticResource[]): Generator<CheckFinding> {
  const seen = new Map<string, StaticResource>();
  for (const resource of resources) {
    const { port } = resource.spec;
    if (typeof port !== "number") continue;
    const place = `${referent(resource, "loadBalancerArn")} ${port}`;
    const twin = seen.get(place);
    if (twin)
      yield {
        resource: resource.key,
        field: "port",
        message: `${resource.key} and ${twin.key} listen on port ${port} of one load balancer`,
      };
    seen.set(place, resource);
  }
}
