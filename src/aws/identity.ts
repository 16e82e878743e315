/** Whose account this is: asked before anything else, so that no environment is applied to the wrong one. */

import { BeaconError } from "../core/errors.ts";
import { explainAwsError } from "./classify.ts";
import { AwsError } from "./errors.ts";
import type { AwsSession, Caller } from "./handle.ts";
import { service } from "./service.ts";

const sts = service("sts", "STSClient", () => import("@aws-sdk/client-sts"));

export type Identity = { readonly accountId: string /** Of the calling user or role. */; readonly arn: string };

/**
 * Asks STS who calls. Throws `AccountMismatch` when that is another account than `accountId` (the sandbox is exempt: its
 * account is always 123456789012), and `CredentialsMissing` or `Unreachable` when there is no answer.
 */
export async function whoAmI(session: Pick<AwsSession, "caller" | "sandbox">, accountId?: string): Promise<Identity> {
  const identity = await ask(session.caller(["sts:GetCallerIdentity"]));
  if (accountId !== undefined && accountId !== identity.accountId && !session.sandbox) {
    throw new BeaconError("AccountMismatch", `the credentials are for account ${identity.accountId}, the environment wants ${accountId}`, {
      next: "use the environment's profile (--profile), or correct its accountId",
    });
  }
  return identity;
}

async function ask(aws: Caller): Promise<Identity> {
  try {
    const { Account = "", Arn = "" } = await aws.call(sts, "GetCallerIdentity", {});
    return { accountId: Account, arn: Arn };
  } catch (error) {
    throw error instanceof AwsError ? explainAwsError(error) : error;
  }
}
