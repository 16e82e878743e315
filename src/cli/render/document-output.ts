/** `-o json` and `-o yaml`. */

/** The value as text; YAML's library is loaded for YAML alone. */
export async function renderDocument(value: unknown, format: "json" | "yaml"): Promise<string> {
  const json = JSON.stringify(value, null, 2);
  if (format === "json") return json;
  const { stringify } = await import("yaml");
  // Through JSON, so that both formats say the same and undefined members are gone.
  return stringify(JSON.parse(json), { lineWidth: 0 }).trimEnd();
}
