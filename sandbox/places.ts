/**
 * Where the sandbox keeps things: its Python under the user's cache directory, and one folder per running sandbox.
 */

import { homedir } from "node:os";
import { join, resolve } from "node:path";

type Environment = Readonly<Record<string, string | undefined>>;

/** The folder of what is installed once per user: `BEACON_SANDBOX_HOME`, else `beaconctl/sandbox` in the system's cache folder. */
export function sandboxHome(env: Environment = process.env, platform: NodeJS.Platform = process.platform): string {
  return env.BEACON_SANDBOX_HOME ? resolve(env.BEACON_SANDBOX_HOME) : join(cacheFolder(env, platform), "beaconctl", "sandbox");
}

/** The folder that names a sandbox: the one given, else `BEACON_SANDBOX_DIR`, else one per user. */
export function sandboxFolder(given?: string, env: Environment = process.env, platform: NodeJS.Platform = process.platform): string {
  const chosen = given ?? env.BEACON_SANDBOX_DIR;
  return chosen ? resolve(chosen) : join(sandboxHome(env, platform), "default");
}

/** A file that ships with the sandbox (server.py, requirements.txt). The sources (sandbox/) and the build (dist/) lie beside each other. */
export function shippedFile(name: string): string {
  return join(import.meta.dirname, "..", "sandbox", name);
}

// An XDG folder counts only when absolute, says the XDG base directory specification.
function cacheFolder(env: Environment, platform: NodeJS.Platform): string {
  const home = env.HOME ?? homedir();
  if (env.XDG_CACHE_HOME?.startsWith("/")) return env.XDG_CACHE_HOME;
  if (platform === "darwin") return join(home, "Library", "Caches");
  if (platform === "win32") return env.LOCALAPPDATA ?? join(home, "AppData", "Local");
  return join(home, ".cache");
}
