import type { EventsBootstrap } from "../../events/bootstrap.ts";
import { EVENTS_QUEUE } from "../../events/wanted.ts";
import { defineCommand } from "../command.ts";
import type { Io } from "../io.ts";
import { compileManifests, hasManifests } from "../manifests.ts";
import { type AwsOptions, awsOptions, type SourceOptions, sourceOptions } from "../options.ts";
import { targetOf } from "../session.ts";

type BootstrapFlags = { readonly events?: true; readonly eventsQueue?: string };

export default defineCommand<SourceOptions & AwsOptions & BootstrapFlags>({
  description:
    "Creates the state table of an account and region: on demand, encrypted, with point-in-time recovery and deletion protection. Does nothing where it exists.",
  options: [
    ...sourceOptions,
    { flags: "--events", description: "also let AWS tell controllers of API calls as they happen: a queue, and the rules that fill it" },
    { flags: "--events-queue <name>", description: `the queue's name, where it is not ${EVENTS_QUEUE}; implies --events` },
    ...awsOptions,
  ],
  examples: [
    "beaconctl bootstrap --env prod",
    "beaconctl bootstrap --env prod --events",
    "beaconctl bootstrap --region ap-northeast-2 --profile ops",
  ],
  async run(invocation) {
    const { io, options, services } = invocation;
    // With --region no environment is needed to know where.
    const compiled = options.region === undefined && hasManifests(options) ? await compileManifests(invocation) : undefined;
    const accountId = compiled?.environment.accountId;
    const queue = options.eventsQueue ?? (options.events ? EVENTS_QUEUE : undefined);
    const { table, created, region, events } = await services.bootstrap(targetOf(invocation, compiled), {
      ...(accountId === undefined ? {} : { accountId }),
      ...(queue === undefined ? {} : { events: queue }),
    });
    io.out(created ? `Created the state table ${table} in ${region}.` : `The state table ${table} exists in ${region}; nothing to do.`);
    if (events) tellOfEvents(io, region, events);
    return 0;
  },
});

function tellOfEvents(io: Io, region: string, { queue, done, unreported }: EventsBootstrap): void {
  if (done.length === 0) io.out(`The queue ${queue} gets events in ${region}; nothing to do.`);
  else
    io.out(`${done.includes("createQueue") ? "Created" : "Corrected"} the queue ${queue} in ${region}, which API calls are reported to.`);
  for (const { region: where, why } of unreported) {
    io.err(
      `AWS reports no API calls in ${where}: there is ${why}. Drift is seen there by polling alone until a trail logs management events:`,
    );
    io.err("  aws cloudtrail create-trail --name management --s3-bucket-name BUCKET --is-multi-region-trail");
    io.err("  aws cloudtrail start-logging --name management");
  }
}
