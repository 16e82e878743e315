/** Whose account this is: asked before anything else, so that no environment is applied to the wrong one. */

import { BeaconError } from "../core/errors.ts";
import { explainAwsError } from "./classify.ts";
import { AwsError } from "./errors.ts";
import type { AwsSession } from "./handle.ts";
import { service } from "./service.ts";

const sts = service("sts", "STSClient", () => import("@aws-sdk/client-sts"));

/** Who the credentials belong to; `arn` is the calling user's or role's. */
export type Identity = { readonly accountId: string; readonly arn: string };

/** Asks STS who calls. Throws `CredentialsMissing` or `Unreachable` when there is no answer. */
export async function whoAmI(session: Pick<AwsSession, "caller">): Promise<Identity> {
  try {
    const { Account = "", Arn = "" } = await session.caller(["sts:GetCallerIdentity"]).call(sts, "GetCallerIdentity", {});
    return { accountId: Account, arn: Arn };
  } catch (error) {
    throw error instanceof AwsError ? explainAwsError(error) : error;
  }
}

/** Throws `AccountMismatch` unless the caller belongs to `accountId`; the sandbox, whose account is made up, is exempt. */
export function requireAccount({ accountId, caller, sandbox }: AccountOf, wanted: string | undefined): void {
  if (sandbox || wanted === undefined || accountId === wanted) return;
  throw new BeaconError("AccountMismatch", `the credentials belong to account ${accountId} (${caller}), not to ${wanted}`, {
    next: "choose other credentials with --profile, or correct the environment's accountId",
  });
}

/** Whose way to AWS it is. `caller`: the ARN of the user or role. */
type AccountOf = { readonly accountId: string; readonly caller: string; readonly sandbox: boolean };
