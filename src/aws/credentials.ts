/** Who calls AWS: the SDK's default chain or a profile, and from there the environment's role. */

type Provider = ReturnType<typeof import("@aws-sdk/credential-providers")["fromNodeProviderChain"]>;
/** Keys, and when they expire. */
export type Credentials = Awaited<ReturnType<Provider>>;

/** Whose credentials: a profile's, or the default chain's, and then the role's. */
export type CredentialOptions = {
  readonly region: string;
  readonly endpoint?: string;
  readonly profile?: string;
  readonly roleArn?: string;
  /** The local AWS takes any key, and a real one must never be sent to it. */
  readonly sandbox?: boolean;
};

// The SDK's own margin: a key that ends sooner is renewed before it is used.
const RENEW_BEFORE_MS = 300_000;

/** One provider for all clients of a session: the chain is asked once, not once per client. Nothing is read before its first call. */
export function credentialsOf(options: CredentialOptions): () => Promise<Credentials> {
  if (options.sandbox) return async () => ({ accessKeyId: "sandbox", secretAccessKey: "sandbox" });
  return remembered(async () => (await chain(options))());
}

async function chain({ region, endpoint, profile, roleArn }: CredentialOptions): Promise<() => Promise<Credentials>> {
  const { fromNodeProviderChain, fromTemporaryCredentials } = await import("@aws-sdk/credential-providers");
  const base = fromNodeProviderChain({ clientConfig: { region }, ...(profile ? { profile } : {}) });
  if (!roleArn) return base;
  return fromTemporaryCredentials({
    masterCredentials: base,
    params: { RoleArn: roleArn, RoleSessionName: "beaconctl" },
    clientConfig: { region, ...(endpoint ? { endpoint } : {}) },
  });
}

/** Asks `provide` once, and again shortly before what it gave expires. A failure is not remembered. */
export function remembered(provide: () => Promise<Credentials>, now: () => number = Date.now): () => Promise<Credentials> {
  let current: Promise<Credentials> | undefined;
  let expiresAt = Number.POSITIVE_INFINITY;
  return async () => {
    if (current && expiresAt - now() > RENEW_BEFORE_MS) return current;
    expiresAt = Number.POSITIVE_INFINITY;
    current = provide();
    try {
      const credentials = await current;
      expiresAt = credentials.expiration?.getTime() ?? Number.POSITIVE_INFINITY;
      return credentials;
    } catch (error) {
      current = undefined;
      throw error;
    }
  };
}
