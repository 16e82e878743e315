import { MONITOR } from "../../monitor/monitor.ts";
import { defineCommand } from "../command.ts";
import { findField } from "../fields.ts";
import { explainField, explainKind, explainMonitor, listKinds } from "../render/explanation.ts";
import { findKind } from "../resources.ts";

export default defineCommand({
  description:
    "Documents a kind, or one of its fields. Fields are found by the manifest's name and by AWS's (VpcId, vpcId). Without a kind: lists them.",
  arguments: [{ syntax: "[kind.field]", description: "KIND, or KIND.field.field" }],
  options: [],
  examples: ["beaconctl explain", "beaconctl explain vpc", "beaconctl explain SecurityGroup.ingress.cidrIpv4"],
  async run({ io, args, services }) {
    const kinds = await services.kinds();
    const [word] = args;
    if (word === undefined) {
      io.out(listKinds(kinds));
      return 0;
    }
    const [name = "", ...path] = word.split(".");
    if (name.toLowerCase() === MONITOR.root) {
      io.out(path.length === 0 ? explainMonitor(io.style) : explainField(MONITOR, findField(MONITOR, path), io.style));
      return 0;
    }
    const kind = findKind(kinds, name);
    io.out(path.length === 0 ? explainKind(kind, io.style) : explainField(kind, findField(kind, path), io.style));
    return 0;
  },
});
