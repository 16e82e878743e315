#!/usr/bin/env node
/**
 * The composition root: the only file that sees everything. Each part is loaded when a command first asks for it.
 */

import { readFileSync } from "node:fs";
import { runProgram } from "./cli/program.ts";
import type { Services } from "./cli/services.ts";

// src/main.ts lies one folder under package.json, dist/src/main.js two.
function packageVersion(): string {
  const root = import.meta.filename.endsWith(".ts") ? "../package.json" : "../../package.json";
  return (JSON.parse(readFileSync(new URL(root, import.meta.url), "utf8")) as { version: string }).version;
}

const services: Pick<Services, "version"> = { version: packageVersion() };

// A reader that has seen enough (`beaconctl get | head`) is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
  throw error;
});

process.exitCode = await runProgram(process.argv.slice(2), services as Services);
