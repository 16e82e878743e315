/**
 * Every failure of a call, turned into an {@link AwsError} whose verdict says what it means for what was sent.
 *
 * The code decides before the status (docs/architecture.md, "Exactly once"): AWS throttles with 400 and 503 alike, and a 500 may have been
 * executed. A failure before the request was handed to the socket, which the caller knows for certain, is never ambiguous.
 */

import { BeaconError } from "../core/errors.ts";
import { AwsError, type Verdict } from "./errors.ts";

/** What the caller knows about the call that failed. */
export type Sending = {
  /** `ec2:CreateVpc`. */
  readonly operation: string;
  /** False when the failure came before the request was handed to the connection. */
  readonly sent: boolean;
  /** The local AWS answers calls it does not implement with 5xx and no AWS error in the body. */
  readonly sandbox: boolean;
};

// What the SDK itself treats as throttling (@smithy/service-error-classification), less LimitExceededException, which is
// a quota, and plus the data plane's own. None of them was executed.
const THROTTLING = new Set([
  "BandwidthLimitExceeded",
  "EC2ThrottledException",
  "PriorRequestNotComplete",
  "ProvisionedThroughputExceededException",
  "RequestLimitExceeded",
  "RequestThrottled",
  "RequestThrottledException",
  "SlowDown",
  "ThrottledException",
  "Throttling",
  "ThrottlingException",
  "TooManyRequestsException",
  "TransactionConflictException",
  "TransactionInProgressException",
  "WAFThrottlingException",
]);

// A timeout that AWS reports with a 4xx: it does not say whether it had begun.
const TIMEOUTS = new Set(["RequestTimeout", "RequestTimeoutException"]);

const UNSENT = new Set(["ENOTFOUND", "EAI_AGAIN", "EAI_FAIL", "ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH", "EADDRNOTAVAIL"]);
const CERTIFICATE = /^(CERT_|ERR_TLS_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|HOSTNAME_MISMATCH)/;

/** The failure as an {@link AwsError}. An AwsError comes back as it is. */
export function classify(thrown: unknown, sending: Sending): AwsError {
  if (thrown instanceof AwsError) return thrown;
  const seen = facts(thrown);
  const verdict = verdictOf(seen, sending);
  const unimplemented = verdict === "refused" && !seen.code && (seen.status ?? 0) >= 500;
  const name = unimplemented ? "NotImplemented" : (seen.code ?? seen.network ?? seen.name);
  const message = unimplemented ? `${sending.operation} is not implemented here (HTTP ${seen.status})` : seen.message;
  return new AwsError(name, message, {
    operation: sending.operation,
    verdict,
    ...(seen.status === undefined ? {} : { status: seen.status }),
    cause: thrown,
  });
}

type Facts = {
  readonly name: string;
  readonly message: string;
  /** AWS's error code; absent when the answer could not be read as an AWS error. */
  readonly code: string | undefined;
  /** Node's code of a connection failure. */
  readonly network: string | undefined;
  readonly status: number | undefined;
};

function facts(thrown: unknown): Facts {
  const error = (thrown ?? {}) as {
    name?: string;
    message?: string;
    code?: unknown;
    $fault?: unknown;
    $metadata?: { httpStatusCode?: number };
  };
  const name = error.name ?? "Error";
  // The SDK sets `$fault` on what it could read as an AWS error, and calls it Unknown when the body had no code.
  const code = error.$fault !== undefined && name !== "Unknown" ? name : undefined;
  return {
    name,
    message: withoutRequestId((error.message ?? String(thrown)).split("\n")[0] ?? ""),
    code,
    network: code === undefined && typeof error.code === "string" ? error.code : undefined,
    status: error.$metadata?.httpStatusCode,
  };
}

// What one service says of another's answer ends like this: "(Service: AmazonEC2; Status Code: 400; Request ID: 4e5b…)". Each try has
// another id, and a condition whose message changes with each try would be news each time.
function withoutRequestId(message: string): string {
  return message.replaceAll(/[;,]? *\brequest ?id:? *[0-9a-z][0-9a-z-]{7,}/gi, "").replace(" ()", "");
}

function verdictOf(seen: Facts, sending: Sending): Verdict {
  if (seen.network !== undefined) return networkVerdict(seen.network);
  if (seen.message.includes("did not establish a connection")) return "unsent";
  if (!sending.sent) return "refused";
  if (seen.code !== undefined && THROTTLING.has(seen.code)) return "throttled";
  if (seen.code !== undefined && TIMEOUTS.has(seen.code)) return "ambiguous";
  return statusVerdict(seen, sending.sandbox);
}

function networkVerdict(code: string): Verdict {
  return UNSENT.has(code) || CERTIFICATE.test(code) ? "unsent" : "ambiguous";
}

function statusVerdict({ status, code }: Facts, sandbox: boolean): Verdict {
  // S3's answer where a bucket is in another region: it did nothing here.
  if (status === 301) return "refused";
  if (status === undefined || status < 400 || status === 408) return "ambiguous";
  if (status === 429) return "throttled";
  if (status < 500 || status === 501) return "refused";
  return sandbox && code === undefined ? "refused" : "ambiguous";
}

const CREDENTIALS =
  /^(CredentialsProviderError|TokenProviderError|ExpiredToken(Exception)?|RequestExpired|InvalidClientTokenId|UnrecognizedClientException|AuthFailure|InvalidAccessKeyId|SignatureDoesNotMatch|InvalidSignatureException|MissingAuthenticationToken)$/;

/** A failed call as a person should read it: missing or expired credentials, no connection, or AWS's own words. */
export function explainAwsError(error: AwsError): BeaconError {
  if (CREDENTIALS.test(error.name)) {
    return new BeaconError("CredentialsMissing", credentialsMessage(error), {
      next: "sign in (aws sso login), name a profile with --profile, or set AWS_ACCESS_KEY_ID; --sandbox needs none",
      cause: error,
    });
  }
  if (error.status === undefined && error.verdict !== "refused") {
    return new BeaconError("Unreachable", `AWS could not be reached: ${error.message} (${error.operation})`, {
      next: "check the network, the region and --endpoint",
      cause: error,
    });
  }
  return new BeaconError("AwsRefused", `${error.operation}: ${error.message} (${error.name})`, { cause: error });
}

function credentialsMessage(error: AwsError): string {
  if (/^(ExpiredToken|RequestExpired)/.test(error.name)) return "the AWS credentials have expired";
  if (/ProviderError$/.test(error.name)) return `no AWS credentials were found: ${error.message}`;
  return `AWS does not accept the credentials: ${error.message}`;
}
