import { defineCommand, type Invocation } from "../command.ts";
import { findField } from "../fields.ts";
import { hasManifests, readSources } from "../manifests.ts";
import { type SourceOptions, sourceOptions } from "../options.ts";
import { type ExplainedKind, explainField, explainKind, explainOwn, listKinds, OWN_DOCUMENTS } from "../render/explanation.ts";
import { findKind } from "../resources.ts";

export default defineCommand<SourceOptions>({
  description:
    "Documents a kind, or one of its fields; the kinds that blueprints make, too, where the manifests are given. Fields are found by the manifest's name and by AWS's (VpcId, vpcId). Without a kind: lists them.",
  arguments: [{ syntax: "[kind.field]", description: "KIND, or KIND.field.field" }],
  options: sourceOptions,
  examples: ["beaconctl explain", "beaconctl explain vpc", "beaconctl explain SecurityGroup.ingress.cidrIpv4"],
  async run(invocation) {
    const { io, args } = invocation;
    const [name, ...path] = (args[0] ?? "").split(".");
    const own = OWN_DOCUMENTS.find((document) => document.name.toLowerCase() === name?.toLowerCase());
    if (own) {
      io.out(path.length === 0 ? explainOwn(own, io.style) : explainField(own, findField(own, path), io.style));
      return 0;
    }
    const kinds = await allKinds(invocation);
    if (!name) {
      io.out(listKinds(kinds));
      return 0;
    }
    const kind = findKind(kinds, name);
    io.out(path.length === 0 ? explainKind(kind, io.style) : explainField(kind, findField(kind, path), io.style));
    return 0;
  },
});

async function allKinds(invocation: Invocation<SourceOptions>): Promise<readonly ExplainedKind[]> {
  const kinds = await invocation.services.kinds();
  if (!hasManifests(invocation.options)) return [...kinds.values()];
  const { madeKinds } = await import("../../manifest/made-kinds.ts");
  return [...kinds.values(), ...madeKinds(kinds, await readSources(invocation))];
}
