/**
 * The attributes that load balancers, target groups and listeners have.
 *
 * Sources: Elastic Load Balancing API Reference, LoadBalancerAttribute, TargetGroupAttribute and ListenerAttribute. Where AWS's
 * default depends on something else, an attribute has no unset value: it stays as it is when it leaves the manifest.
 */

import { z } from "zod";
import { attribute, count, group, oneOf, onOff, text } from "./elbv2-attributes.ts";

const WEEK_SECONDS = 604_800;

const enabled = (doc: string, unset?: boolean) => ({ enabled: onOff(doc, unset) });

/** Logs in a bucket: with a new bucket or prefix AWS checks whether it may write there. */
const logs = (what: string) =>
  group(
    {
      s3: group(
        {
          enabled: onOff(`Whether ${what} are written to a bucket.`, false),
          bucket: text(63, "The bucket, in the same region, whose policy lets Elastic Load Balancing write to it."),
          prefix: text(1024, "Where in the bucket.", ""),
        },
        `The bucket of the ${what}.`,
      ),
    },
    `Logs of ${what}.`,
  );

/** Attributes of load balancers. */
export const loadBalancerAttributes = z.strictObject({
  deletionProtection: group(enabled("Whether AWS refuses to delete the load balancer.", false), "Protection against deletion."),
  accessLogs: logs("requests"),
  ipv6: group(
    { denyAllIgwTraffic: onOff("Whether nothing reaches it through an internet gateway; AWS's default is true for internal ones.") },
    "IPv6.",
  ),
  zonalShift: group(
    { config: group(enabled("Whether traffic may be shifted away from a zone.", false), "Its configuration.") },
    "Shifts away from a zone.",
  ),
  loadBalancing: group(
    { crossZone: group(enabled("Whether each node serves the targets of all zones.", false), "Balancing across zones, of network ones.") },
    "How requests are balanced.",
  ),
  idleTimeout: group({ timeoutSeconds: count(1, 4000, "How long a connection may be idle.", 60) }, "Idle connections."),
  clientKeepAlive: group({ seconds: count(60, WEEK_SECONDS, "How long a client's connection is kept.", 3600) }, "Connections of clients."),
  connectionLogs: logs("connections"),
  healthCheckLogs: logs("health checks"),
  routing: group(
    {
      http: group(
        {
          desyncMitigationMode: oneOf(["monitor", "defensive", "strictest"], "How requests that may be attacks are handled.", "defensive"),
          dropInvalidHeaderFields: group(enabled("Whether invalid headers are removed.", false), "Invalid headers."),
          preserveHostHeader: group(enabled("Whether targets get the Host header as the client sent it.", false), "The Host header."),
          xAmznTlsVersionAndCipherSuite: group(
            enabled("Whether targets are told TLS version and cipher.", false),
            "The x-amzn-tls headers.",
          ),
          xffClientPort: group(enabled("Whether X-Forwarded-For has the client's port.", false), "The client's port."),
          xffHeaderProcessing: group(
            { mode: oneOf(["append", "preserve", "remove"], "What becomes of X-Forwarded-For.", "append") },
            "The X-Forwarded-For header.",
          ),
        },
        "Headers.",
      ),
      http2: group(enabled("Whether clients may use HTTP/2.", true), "HTTP/2."),
    },
    "How requests are routed.",
  ),
  waf: group(
    { failOpen: group(enabled("Whether requests are let through while AWS WAF cannot be asked.", false), "When AWS WAF cannot be asked.") },
    "AWS WAF.",
  ),
  dnsRecord: group(
    {
      clientRoutingPolicy: oneOf(
        ["availability_zone_affinity", "partial_availability_zone_affinity", "any_availability_zone"],
        "Whether clients are led to their own zone.",
        "any_availability_zone",
      ),
    },
    "Its DNS record.",
  ),
  secondaryIps: group(
    {
      autoAssigned: group(
        { perSubnet: count(0, 7, "Secondary addresses of each node; AWS never lowers it.") },
        "Addresses that AWS chooses.",
      ),
    },
    "Secondary addresses.",
  ),
});

/** Which type of load balancer has the attributes, where not every one has. */
export const TYPE_OF_ATTRIBUTES: Readonly<Record<string, "application" | "network">> = {
  idleTimeout: "application",
  clientKeepAlive: "application",
  connectionLogs: "application",
  healthCheckLogs: "application",
  routing: "application",
  waf: "application",
  // Application Load Balancers always balance across zones; AWS lets nobody change it.
  loadBalancing: "network",
  dnsRecord: "network",
  secondaryIps: "network",
};

const orOff = (least: number, most: number | undefined, doc: string, unset: number | "off") =>
  attribute(z.union([most === undefined ? z.int().min(least) : z.int().min(least).max(most), z.literal("off")]).optional(), doc, unset);

const minimumHealthy = (doc: string, mayBeOff: boolean) =>
  group(
    {
      minimumHealthyTargets: group(
        {
          count: mayBeOff ? orOff(1, undefined, "How many; `off` for any.", 1) : count(1, 1_000_000, "How many.", 1),
          percentage: orOff(1, 100, "How many of a hundred; `off` for any.", "off"),
        },
        "What must be healthy.",
      ),
    },
    doc,
  );

const cookie = (doc: string, own: z.ZodRawShape) =>
  group({ ...own, durationSeconds: count(1, WEEK_SECONDS, "How long it sticks.", 86_400) }, doc);

/** Attributes of target groups. */
export const targetGroupAttributes = z.strictObject({
  deregistrationDelay: group(
    {
      timeoutSeconds: count(0, 3600, "How long a target that leaves may finish its requests.", 300),
      connectionTermination: group(
        enabled("Whether its connections are then closed."),
        "What follows, in groups of network load balancers.",
      ),
    },
    "Targets that leave.",
  ),
  stickiness: group(
    {
      enabled: onOff("Whether a client keeps its target.", false),
      type: oneOf(["lb_cookie", "app_cookie", "source_ip"], "By what a client is known; AWS's default goes by the protocol."),
      appCookie: cookie("The application's cookie.", { cookieName: text(4096, "Its name.") }),
      lbCookie: cookie("The load balancer's own cookie.", {}),
    },
    "Clients that keep their target.",
  ),
  loadBalancing: group(
    {
      crossZone: group(
        {
          enabled: attribute(
            z.union([z.boolean(), z.literal("use_load_balancer_configuration")]).optional(),
            "Whether targets of all zones are used.",
            "use_load_balancer_configuration",
          ),
        },
        "Balancing across zones.",
      ),
      algorithm: group(
        {
          type: oneOf(["round_robin", "least_outstanding_requests", "weighted_random"], "How a target is chosen.", "round_robin"),
          anomalyMitigation: oneOf(["on", "off"], "Whether anomalous targets get less, with weighted_random.", "off"),
        },
        "How a target is chosen.",
      ),
    },
    "How requests are balanced.",
  ),
  slowStart: group(
    {
      durationSeconds: attribute(
        z
          .int()
          .min(0)
          .max(900)
          .refine((value) => value === 0 || value >= 30, "must be at least 30, or 0 to switch it off")
          .optional(),
        "How long a new target's share grows; 0 for none.",
        0,
      ),
    },
    "New targets.",
  ),
  targetGroupHealth: group(
    {
      dnsFailover: minimumHealthy("Below this, DNS no longer names the zone.", true),
      unhealthyStateRouting: minimumHealthy("Below this, unhealthy targets are used, too.", false),
    },
    "When the group counts as unhealthy.",
  ),
  lambda: group({ multiValueHeaders: group(enabled("Whether headers are lists.", false), "Headers.") }, "Groups of a Lambda function."),
  preserveClientIp: group(
    enabled("Whether targets see the client's address; AWS's default goes by type and protocol."),
    "The client's address.",
  ),
  proxyProtocolV2: group(enabled("Whether the PROXY header, version 2, is sent.", false), "The PROXY header."),
  targetHealthState: group(
    {
      unhealthy: group(
        {
          connectionTermination: group(enabled("Whether connections to unhealthy targets are closed.", true), "Its connections."),
          drainingIntervalSeconds: count(0, 360_000, "How long they may go on, where they are not closed.", 0),
        },
        "Unhealthy targets.",
      ),
    },
    "Targets of network load balancers.",
  ),
});

const requestHeader = (name: string) => group({ headerName: text(1024, "What the header is called.", name) }, `The ${name} header.`);
const responseHeader = (name: string) =>
  group({ headerValue: text(1024, "Its value, in every response; none when empty.", "") }, `The ${name} header.`);

/** Attributes of listeners. */
export const listenerAttributes = z.strictObject({
  tcp: group(
    { idleTimeout: group({ seconds: count(60, 6000, "How long a connection may be idle.", 350) }, "Idle connections.") },
    "TCP listeners.",
  ),
  routing: group(
    {
      http: group(
        {
          request: group(
            {
              xAmznMtlsClientcertSerialNumber: requestHeader("X-Amzn-Mtls-Clientcert-Serial-Number"),
              xAmznMtlsClientcertIssuer: requestHeader("X-Amzn-Mtls-Clientcert-Issuer"),
              xAmznMtlsClientcertSubject: requestHeader("X-Amzn-Mtls-Clientcert-Subject"),
              xAmznMtlsClientcertValidity: requestHeader("X-Amzn-Mtls-Clientcert-Validity"),
              xAmznMtlsClientcertLeaf: requestHeader("X-Amzn-Mtls-Clientcert-Leaf"),
              xAmznMtlsClientcert: requestHeader("X-Amzn-Mtls-Clientcert"),
              xAmznTlsVersion: requestHeader("X-Amzn-Tls-Version"),
              xAmznTlsCipherSuite: requestHeader("X-Amzn-Tls-Cipher-Suite"),
            },
            "Headers that targets get.",
          ),
          response: group(
            {
              server: group(enabled("Whether responses have it.", true), "The Server header."),
              strictTransportSecurity: responseHeader("Strict-Transport-Security"),
              accessControlAllowOrigin: responseHeader("Access-Control-Allow-Origin"),
              accessControlAllowMethods: responseHeader("Access-Control-Allow-Methods"),
              accessControlAllowHeaders: responseHeader("Access-Control-Allow-Headers"),
              accessControlAllowCredentials: responseHeader("Access-Control-Allow-Credentials"),
              accessControlExposeHeaders: responseHeader("Access-Control-Expose-Headers"),
              accessControlMaxAge: responseHeader("Access-Control-Max-Age"),
              contentSecurityPolicy: responseHeader("Content-Security-Policy"),
              xContentTypeOptions: responseHeader("X-Content-Type-Options"),
              xFrameOptions: responseHeader("X-Frame-Options"),
            },
            "Headers that clients get.",
          ),
        },
        "Headers.",
      ),
    },
    "HTTP listeners.",
  ),
});
