/** The schemas of a WAF rule's statement: what a request must be for the rule to match. */

import { z } from "zod";
import { field } from "../core/field.ts";
import { optional } from "./schemas.ts";
import { ruleGroupMembers } from "./wafv2-groups.ts";
import { labelText, marker, resourceArn } from "./wafv2-parts.ts";

const componentName = (doc: string) =>
  field(
    z
      .string()
      .min(1)
      .max(64)
      .regex(/^.*\S.*$/),
    { doc },
  );

// WAF keeps these names in lower case, whatever case they were given in.
const lowerCaseName = (doc: string) =>
  field(
    z
      .string()
      .min(1)
      .max(64)
      .regex(/^.*\S.*$/)
      .regex(/^[^A-Z]*$/, "must be in lower case: WAF tells no cases apart"),
    { doc },
  );

const OVERSIZE = ["CONTINUE", "MATCH", "NO_MATCH"] as const;
const FALLBACK = ["MATCH", "NO_MATCH"] as const;

const oversize = (doc = "What to do with more than WAF can inspect.") => field(z.enum(OVERSIZE), { doc });
const oversizeOfBody = optional(z.enum(OVERSIZE), "What to do with a body that is larger than WAF can inspect.", { unset: "CONTINUE" });
const fallback = (doc: string) => field(z.enum(FALLBACK), { doc });
const matchScope = (doc: string) => field(z.enum(["ALL", "KEY", "VALUE"]), { doc });

const namesOf = (doc: string, maxLength: number) =>
  optional(
    z
      .array(
        z
          .string()
          .min(1)
          .max(maxLength)
          .regex(/^.*\S.*$/),
      )
      .min(1)
      .max(199),
    doc,
    { compare: "set" },
  );

const jsonBody = z.strictObject({
  matchPattern: field(
    z.strictObject({
      all: marker("Every element."),
      includedPaths: optional(
        z
          .array(
            z
              .string()
              .min(1)
              .max(512)
              .regex(/^(\/|(\/(([^~])|(~[01]))+))$/),
          )
          .min(1),
        "The elements at these JSON pointers.",
        { compare: "set" },
      ),
    }),
    { doc: "Which elements: one of these." },
  ),
  matchScope: matchScope("Whether keys, values or both are inspected."),
  invalidFallbackBehavior: optional(
    z.enum(["MATCH", "NO_MATCH", "EVALUATE_AS_STRING"]),
    "What to do with a body that is no JSON; when absent, it is inspected up to where it fails.",
  ),
  oversizeHandling: oversizeOfBody,
});

/** Which part of a request a statement looks at: one of these. */
const fieldToMatch = z.strictObject({
  singleHeader: optional(z.strictObject({ name: lowerCaseName("The header, in lower case.") }), "One header."),
  singleQueryArgument: optional(
    z.strictObject({ name: lowerCaseName("The argument, in lower case.") }),
    "One argument of the query string.",
  ),
  allQueryArguments: marker("Every argument of the query string."),
  uriPath: marker("The path of the URI."),
  queryString: marker("What follows the `?`."),
  body: optional(z.strictObject({ oversizeHandling: oversizeOfBody }), "The body as plain text."),
  method: marker("The HTTP method."),
  jsonBody: optional(jsonBody, "The body as JSON."),
  headers: optional(
    z.strictObject({
      matchPattern: field(
        z.strictObject({
          all: marker("Every header."),
          includedHeaders: namesOf("These headers.", 64),
          excludedHeaders: namesOf("All headers but these.", 64),
        }),
        { doc: "Which headers: one of these." },
      ),
      matchScope: matchScope("Whether names, values or both are inspected."),
      oversizeHandling: oversize(),
    }),
    "The headers.",
  ),
  cookies: optional(
    z.strictObject({
      matchPattern: field(
        z.strictObject({
          all: marker("Every cookie."),
          includedCookies: namesOf("These cookies.", 60),
          excludedCookies: namesOf("All cookies but these.", 60),
        }),
        { doc: "Which cookies: one of these." },
      ),
      matchScope: matchScope("Whether names, values or both are inspected."),
      oversizeHandling: oversize(),
    }),
    "The cookies.",
  ),
  headerOrder: optional(z.strictObject({ oversizeHandling: oversize() }), "The names of the headers in their order, joined by colons."),
  ja3Fingerprint: optional(
    z.strictObject({ fallbackBehavior: fallback("Whether a request without a fingerprint matches.") }),
    "The JA3 fingerprint of the TLS client.",
  ),
  ja4Fingerprint: optional(
    z.strictObject({ fallbackBehavior: fallback("Whether a request without a fingerprint matches.") }),
    "The JA4 fingerprint of the TLS client.",
  ),
  uriFragment: optional(
    z.strictObject({ fallbackBehavior: optional(z.enum(FALLBACK), "Whether a fragment that cannot be parsed matches.") }),
    "What follows the `#`.",
  ),
});

const TRANSFORMATIONS = [
  ...["NONE", "COMPRESS_WHITE_SPACE", "HTML_ENTITY_DECODE", "LOWERCASE", "CMD_LINE", "URL_DECODE", "BASE64_DECODE", "HEX_DECODE", "MD5"],
  ...["REPLACE_COMMENTS", "ESCAPE_SEQ_DECODE", "SQL_HEX_DECODE", "CSS_DECODE", "JS_DECODE", "NORMALIZE_PATH", "NORMALIZE_PATH_WIN"],
  ...["REMOVE_NULLS", "REPLACE_NULLS", "BASE64_DECODE_EXT", "URL_DECODE_UNI", "UTF8_TO_UNICODE", "REMOVE_WHITESPACE", "TRIM", "TRIM_LEFT"],
  ...["TRIM_RIGHT", "REMOVE_COMMENTS_CHAR", "UPPERCASE", "CMD_LINE_WIN", "CMD_LINE_UNIX", "JS_DECODE_EXT", "SHA256"],
];

const PRE_PARSE = [
  ...["NONE", "URL_DECODE", "URL_DECODE_UNI", "COMBINE_DUPLICATE_QUERY_ARGS_BY_COMMA", "REPLACE_SEMICOLONS_WITH_AMPERSANDS"],
] as const;

const priority = field(z.int().min(0), { doc: "The order of application, lowest first." });

const textTransformations = field(
  z.array(z.strictObject({ priority, type: field(z.enum(TRANSFORMATIONS), { doc: "What is done." }) })).min(1),
  { doc: "What is done to the text before it is inspected; NONE for nothing.", compare: { keyed: "priority" } },
);

const preParseTextTransformations = optional(
  z.array(z.strictObject({ priority, type: field(z.enum(PRE_PARSE), { doc: "What is done." }) })).max(10),
  "What is done to the query string before its arguments are told apart.",
  { compare: { keyed: "priority" }, unset: [] },
);

/** What every statement that inspects a part of the request has. */
const inspected = {
  fieldToMatch: field(fieldToMatch, { doc: "The part of the request that is inspected: one of these." }),
  textTransformations,
  preParseTextTransformations,
};

const headerName = field(
  z
    .string()
    .min(1)
    .max(255)
    .regex(/^[a-zA-Z0-9-]+$/),
  { doc: "The header, such as X-Forwarded-For." },
);
const fallbackOfAddress = fallback("Whether a request whose header holds no address matches.");
const forwardedIpConfig = optional(
  z.strictObject({ headerName, fallbackBehavior: fallbackOfAddress }),
  "The header that holds the address, where it is not the sender's own.",
);

// ISO 3166-1 alpha-2, as WAF knows it (WAFV2 API Reference, CountryCode).
const COUNTRIES = `
  AF AX AL DZ AS AD AO AI AQ AG AR AM AW AU AT AZ BS BH BD BB BY BE BZ BJ BM BT BO BQ BA BW BV BR IO BN BG BF BI KH CM CA CV KY CF TD CL CN
  CX CC CO KM CG CD CK CR CI HR CU CW CY CZ DK DJ DM DO EC EG SV GQ ER EE ET FK FO FJ FI FR GF PF TF GA GM GE DE GH GI GR GL GD GP GU GT GG
  GN GW GY HT HM VA HN HK HU IS IN ID IR IQ IE IM IL IT JM JP JE JO KZ KE KI KP KR KW KG LA LV LB LS LR LY LI LT LU MO MK MG MW MY MV ML MT
  MH MQ MR MU YT MX FM MD MC MN ME MS MA MZ MM NA NR NP NL NC NZ NI NE NG NU NF MP NO OM PK PW PS PA PG PY PE PH PN PL PT PR QA RE RO RU RW
  BL SH KN LC MF PM VC WS SM ST SA SN RS SC SL SG SX SK SI SB SO ZA GS SS ES LK SD SR SJ SZ SE CH SY TW TJ TZ TH TL TG TK TO TT TN TR TM TC
  TV UG UA AE GB US UM UY UZ VU VE VN VG VI WF EH YE ZM ZW XK`
  .trim()
  .split(/\s+/);

// "The maximum length of the value is 200 bytes" (WAFV2 API Reference, ByteMatchStatement).
const SEARCH_BYTES_MAX = 200;

const searchString = z
  .string()
  .min(1)
  .refine((text) => Buffer.byteLength(text) <= SEARCH_BYTES_MAX, `must have at most ${SEARCH_BYTES_MAX} bytes in UTF-8`);

const regexString = field(z.string().min(1).max(512).regex(/^.*$/), { doc: "The regular expression." });

/** Statements that hold no other. */
const simpleMembers = {
  byteMatchStatement: optional(
    z.strictObject({
      searchString: field(searchString, { doc: "What is searched for." }),
      ...inspected,
      positionalConstraint: field(z.enum(["EXACTLY", "STARTS_WITH", "ENDS_WITH", "CONTAINS", "CONTAINS_WORD"]), {
        doc: "Where it must be.",
      }),
    }),
    "Text in a part of the request.",
  ),
  sqliMatchStatement: optional(
    z.strictObject({
      ...inspected,
      sensitivityLevel: optional(z.enum(["LOW", "HIGH"]), "How much counts as an attack.", { unset: "LOW" }),
    }),
    "SQL in a part of the request.",
  ),
  xssMatchStatement: optional(z.strictObject(inspected), "Cross-site scripting in a part of the request."),
  sizeConstraintStatement: optional(
    z.strictObject({
      ...inspected,
      comparisonOperator: field(z.enum(["EQ", "NE", "LE", "LT", "GE", "GT"]), { doc: "How the size is compared." }),
      size: field(z.int().min(0).max(21_474_836_480), { doc: "The size in bytes." }),
    }),
    "The size of a part of the request.",
  ),
  geoMatchStatement: optional(
    z.strictObject({
      countryCodes: optional(z.array(z.enum(COUNTRIES)).min(1), "The countries; without any, requests are only labelled by theirs.", {
        compare: "set",
      }),
      forwardedIpConfig,
    }),
    "The country it comes from.",
  ),
  ipSetReferenceStatement: optional(
    z.strictObject({
      arn: field(resourceArn(), { doc: "The ARN of the IP set." }),
      ipSetForwardedIpConfig: optional(
        z.strictObject({
          headerName,
          fallbackBehavior: fallbackOfAddress,
          position: field(z.enum(["FIRST", "LAST", "ANY"]), { doc: "Which of several addresses counts." }),
        }),
        "The header that holds the address, where it is not the sender's own.",
      ),
    }),
    "An address of an IP set.",
  ),
  regexPatternSetReferenceStatement: optional(
    z.strictObject({ arn: field(resourceArn(), { doc: "The ARN of the regex pattern set." }), ...inspected }),
    "A pattern of a regex pattern set in a part of the request.",
  ),
  labelMatchStatement: optional(
    z.strictObject({
      scope: field(z.enum(["LABEL", "NAMESPACE"]), { doc: "Whether the key is a label or a namespace." }),
      key: field(labelText(), { doc: "The label, or the namespace." }),
    }),
    "A label that an earlier rule has put on the request.",
  ),
  regexMatchStatement: optional(z.strictObject({ regexString, ...inspected }), "A regular expression in a part of the request."),
  asnMatchStatement: optional(
    z.strictObject({
      asnList: field(z.array(z.int().min(0).max(4_294_967_295)).min(1).max(100), { doc: "The numbers.", compare: "set" }),
      forwardedIpConfig,
    }),
    "The autonomous system it comes from, by number.",
  ),
};

/** Statements that combine others, each of which is an `inner`. */
function logicalMembers(inner: z.ZodType) {
  const statements = field(z.array(inner).min(2), { doc: "Two statements or more, each of them one of these." });
  return {
    andStatement: optional(z.strictObject({ statements }), "All of these."),
    orStatement: optional(z.strictObject({ statements }), "At least one of these."),
    notStatement: optional(z.strictObject({ statement: field(inner, { doc: "One of these." }) }), "Not this."),
  };
}

// AWS nests without a limit. Three levels hold every condition there is, as an OR of ANDs of NOTs, and keep the schema finite.
const simple = z.strictObject(simpleMembers);
const nestedOnce = z.strictObject({ ...simpleMembers, ...logicalMembers(simple) });
const nestedTwice = z.strictObject({ ...simpleMembers, ...logicalMembers(nestedOnce) });

const scopeDownStatement = optional(
  z.strictObject({ ...simpleMembers, ...logicalMembers(nestedTwice) }),
  "Only requests that match this are looked at: one of these.",
);

const keyName = { name: componentName("Its name."), textTransformations };
const aggregateKey = z.strictObject({
  header: optional(z.strictObject(keyName), "A header."),
  cookie: optional(z.strictObject(keyName), "A cookie."),
  queryArgument: optional(z.strictObject(keyName), "An argument of the query string."),
  queryString: optional(z.strictObject({ textTransformations }), "The query string."),
  httpMethod: marker("The HTTP method."),
  forwardedIp: marker("The address in the header of `forwardedIpConfig`."),
  ip: marker("The sender's address."),
  labelNamespace: optional(
    z.strictObject({
      namespace: field(
        z
          .string()
          .min(1)
          .max(1024)
          .regex(/^[0-9A-Za-z_\-:]+:$/),
        { doc: "The namespace, with its colon." },
      ),
    }),
    "The labels of a namespace.",
  ),
  uriPath: optional(z.strictObject({ textTransformations }), "The path of the URI."),
  ja3Fingerprint: optional(z.strictObject({ fallbackBehavior: fallback("Whether a request without one counts.") }), "The JA3 fingerprint."),
  ja4Fingerprint: optional(z.strictObject({ fallbackBehavior: fallback("Whether a request without one counts.") }), "The JA4 fingerprint."),
  asn: marker("The number of the autonomous system."),
});

const rateBasedStatement = z.strictObject({
  limit: field(z.int().min(10).max(2_000_000_000), { doc: "How many requests may come within the window." }),
  evaluationWindowSec: optional(z.literal([60, 120, 300, 600]), "The window that is looked back over, in seconds.", { unset: 300 }),
  aggregateKeyType: field(z.enum(["IP", "FORWARDED_IP", "CUSTOM_KEYS", "CONSTANT"]), { doc: "What requests are counted by." }),
  customKeys: optional(z.array(aggregateKey).max(5), "With CUSTOM_KEYS: what requests are counted by, together.", { unset: [] }),
  forwardedIpConfig,
  scopeDownStatement,
});

/** The statement of a rule: one of these. Those that count, or that are rule groups, cannot stand in another. */
export const ruleStatement = z.strictObject({
  ...simpleMembers,
  ...logicalMembers(nestedTwice),
  rateBasedStatement: optional(rateBasedStatement, "More requests than a limit."),
  ...ruleGroupMembers(scopeDownStatement),
});
