/** Where AWS is, when neither the command line nor the environment's manifest says so. */

/**
 * AWS_REGION, AWS_DEFAULT_REGION, else the region of the profile (`profile`, AWS_PROFILE, `default`) in the shared
 * credentials and config files, as the SDK's default chain reads them. An instance's metadata is not asked: reading manifests
 * must not wait for a network.
 */
export async function defaultRegion(profile?: string): Promise<string | undefined> {
  const named = process.env.AWS_REGION || process.env.AWS_DEFAULT_REGION;
  if (named) return named;
  const { loadConfig } = await import("@smithy/core/config");
  const inFiles = loadConfig<string>(
    { environmentVariableSelector: () => undefined, configFileSelector: ({ region }) => region, default: "" },
    { preferredFile: "credentials", ...(profile === undefined ? {} : { profile }) },
  );
  return (await inFiles()) || undefined;
}

/** AWS's partition of a region, as ARNs have it: regions in China and those of the US government are worlds of their own. */
export function partitionOf(region: string): "aws" | "aws-cn" | "aws-us-gov" {
  return region.startsWith("cn-") ? "aws-cn" : region.startsWith("us-gov-") ? "aws-us-gov" : "aws";
}
