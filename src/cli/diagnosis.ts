/**
 * Whether an apply could work here, step by step: what one step finds missing leaves the others standing.
 *
 * Nothing is changed; what cannot be told is left open, with what would let it be told.
 */

import { type Identity, requireAccount } from "../aws/identity.ts";
import type { Denied, Simulated } from "../aws/simulation.ts";
import type { CompiledStack } from "../core/compiled.ts";
import { BeaconError } from "../core/errors.ts";
import { stackName } from "../core/resource.ts";
import type { Invocation } from "./command.ts";
import { compileManifests } from "./manifests.ts";
import type { AwsOptions, SourceOptions } from "./options.ts";
import { neededOperations } from "./policy.ts";
import { count } from "./render/table.ts";
import type { Examining, StateTable } from "./services.ts";
import { targetOf } from "./session.ts";

/** What a step found. `open`: it is not needed, or nobody can tell. Its JSON is what `doctor -o json` prints. */
export type Finding = {
  readonly name: string;
  readonly state: "well" | "wrong" | "open";
  readonly text: string;
  /** What the text counts. */
  readonly details?: readonly string[];
  /** What to do. */
  readonly next?: string;
};

type Call = Invocation<SourceOptions & AwsOptions>;

// package.json's `engines`.
export const NODE_MAJOR_MIN = 24;

/** Every finding, in the order in which one rests on the other. */
export async function diagnose(invocation: Call): Promise<readonly Finding[]> {
  const [python, manifests] = await Promise.all([pythonFinding(invocation), manifestsFinding(invocation)]);
  const { compiled } = manifests;
  return [nodeFinding(process.versions.node), python, manifests.finding, ...(await awsFindings(invocation, compiled))];
}

/** Pure. */
export function nodeFinding(version: string): Finding {
  if (Number.parseInt(version, 10) >= NODE_MAJOR_MIN) return { name: "node", state: "well", text: version };
  return { name: "node", state: "wrong", text: `${version} is too old`, next: `install Node.js ${NODE_MAJOR_MIN} or newer` };
}

async function pythonFinding({ services, options }: Call): Promise<Finding> {
  try {
    return { name: "python", state: "well", text: await (await services.sandbox()).python() };
  } catch (error) {
    // Only the local AWS needs one.
    return failed("python", error, options.sandbox ? "wrong" : "open");
  }
}

async function manifestsFinding(invocation: Call): Promise<{ readonly finding: Finding; readonly compiled?: CompiledStack }> {
  try {
    const compiled = await compileManifests(invocation);
    const { resources, lookups, monitors } = compiled;
    const parts = [count(resources.length, "resource"), count(lookups.length, "lookup"), count(monitors.length, "Monitor")];
    return { compiled, finding: { name: "manifests", state: "well", text: `${stackName(compiled.stack)}: ${parts.join(", ")}` } };
  } catch (error) {
    if (!(error instanceof BeaconError) || error.problems.length === 0) return { finding: failed("manifests", error) };
    const [first] = error.problems;
    const text = `${count(error.problems.length, "problem")}, the first: ${first?.message}`;
    return { finding: { name: "manifests", state: "wrong", text, next: "beaconctl validate shows them all" } };
  }
}

async function awsFindings(invocation: Call, compiled: CompiledStack | undefined): Promise<readonly Finding[]> {
  const names = ["credentials", "account", "state table", "lease", "permissions"];
  let way: Examining;
  try {
    way = await invocation.services.examine(targetOf(invocation, compiled));
  } catch (error) {
    const what = error instanceof BeaconError && error.code === "SandboxUnavailable" ? "sandbox" : "region";
    return [failed(what, error), ...names.map((name) => open(name, `not asked without a ${what}`))];
  }
  try {
    const region: Finding = { name: "region", state: "well", text: way.region };
    const identity = await asked("credentials", () => way.whoAmI());
    if ("finding" in identity)
      return [region, identity.finding, ...names.slice(1).map((name) => open(name, "not asked without credentials"))];
    const { arn } = identity.answer;
    const credentials: Finding = { name: "credentials", state: "well", text: arn };
    const account = accountFinding(identity.answer, way, compiled);
    // In another account nothing that follows would mean anything.
    if (account.state === "wrong")
      return [region, credentials, account, ...names.slice(2).map((name) => open(name, "not asked in this account"))];
    const rest = await Promise.all([
      tableFinding(way, compiled),
      leaseFinding(way, compiled),
      permissionsFinding(invocation, way, compiled, identity.answer),
    ]);
    return [region, credentials, account, ...rest];
  } finally {
    await way.close();
  }
}

function accountFinding({ accountId, arn }: Identity, { sandbox }: Examining, compiled: CompiledStack | undefined): Finding {
  const wanted = compiled?.environment.accountId;
  try {
    requireAccount({ accountId, caller: arn, sandbox }, wanted);
  } catch (error) {
    return failed("account", error);
  }
  const guard = sandbox ? "the sandbox's" : wanted === undefined ? "the environment names none (spec.accountId)" : "the environment's";
  return { name: "account", state: "well", text: `${accountId}, ${guard}` };
}

async function tableFinding(way: Examining, compiled: CompiledStack | undefined): Promise<Finding> {
  const name = "state table";
  const asking = await asked(name, way.stateTable);
  const environment = compiled ? ` --env ${compiled.environment.name}` : "";
  return "finding" in asking ? asking.finding : { name, ...tableStanding(asking.answer, way, `beaconctl bootstrap${environment}`) };
}

/** Pure: how the state table stands. */
export function tableStanding(
  { name, state, wrong }: StateTable,
  { region, sandbox }: Pick<Examining, "region" | "sandbox">,
  bootstrap: string,
): Omit<Finding, "name"> {
  switch (state) {
    case "absent":
      return sandbox
        ? { state: "open", text: `${name} is not there yet: in a sandbox the first apply makes it` }
        : { state: "wrong", text: `${name} is not in ${region}`, next: bootstrap };
    case "preparing":
      return { state: "wrong", text: `${name} is not ready yet`, next: `${bootstrap} waits for it` };
    case "foreign":
      return { state: "wrong", text: `${name} is another's: its keys are not pk and sk`, next: "name another with BEACON_STATE_TABLE" };
    case "ready":
      return wrong.length === 0
        ? { state: "well", text: name }
        : { state: "wrong", text: `${name}: ${wrong.join(", ")}`, next: `${bootstrap} puts it right` };
  }
}

async function leaseFinding({ store }: Examining, compiled: CompiledStack | undefined): Promise<Finding> {
  const name = "lease";
  if (!compiled) return open(name, "not asked without manifests");
  const asking = await asked(name, () => store.load(compiled.stack));
  if ("finding" in asking) return asking.finding;
  const { lease } = asking.answer;
  const stack = stackName(compiled.stack);
  if (!lease) return { name, state: "well", text: `nobody holds ${stack}` };
  const text = `${lease.holder} holds ${stack} since ${lease.since}, last heartbeat ${lease.renewedAt}`;
  return { ...open(name, text), next: "beaconctl apply --wait waits for it; a dead holder's is taken over" };
}

async function permissionsFinding(
  { services }: Call,
  way: Examining,
  compiled: CompiledStack | undefined,
  { accountId, arn }: Identity,
): Promise<Finding> {
  const name = "permissions";
  if (!compiled) return open(name, "not asked without manifests");
  const { simulate, simulationsOf } = await import("../aws/simulation.ts");
  const { region } = way;
  const policy = await services.iamPolicy(neededOperations(compiled, await services.kinds()), { accountId, region });
  const asking = await asked(name, () => simulate(way.reader, arn, simulationsOf(policy, region)));
  return "finding" in asking ? asking.finding : simulatedFinding(asking.answer, compiled.environment.name);
}

/** Pure: what the simulation says. */
export function simulatedFinding(simulated: Simulated, environment: string): Finding {
  const name = "permissions";
  const policy = `beaconctl iam-policy --env ${environment}`;
  if (!("impossible" in simulated)) {
    const sure = simulated.denied.filter(({ unsure }) => !unsure);
    const details = (sure.length > 0 ? sure : simulated.denied).map(deniedText);
    const total = count(simulated.actions, "action");
    if (sure.length > 0)
      return { name, state: "wrong", text: `${sure.length} of ${total} would be denied`, details, next: `grant what ${policy} prints` };
    if (details.length > 0) return { ...open(name, `${details.length} of ${total} cannot be told`), details };
    return { name, state: "well", text: `all ${total} that these manifests need are allowed` };
  }
  const { principal } = simulated;
  switch (simulated.impossible) {
    case "root":
      return { name, state: "well", text: "the account's root user may do everything; a role of its own would be safer" };
    case "denied":
      return {
        ...open(name, `cannot be told: ${principal} may not simulate policies`),
        next: `allow iam:SimulatePrincipalPolicy and iam:GetRole on ${principal}, or hold ${policy} against its policies`,
      };
    case "unsupported":
      return open(name, "cannot be simulated here: this endpoint has no SimulatePrincipalPolicy");
    case "unknown principal":
      return { ...open(name, `cannot be told: IAM knows no policies of ${principal}`), next: `hold ${policy} against them` };
  }
}

/** `dynamodb:CreateTable on table/beacon-state (explicitly)`. */
function deniedText({ action, resource, why }: Denied): string {
  const what = resource === "*" ? action : `${action} on ${resource.split(":").slice(5).join(":")}`;
  return why === "not allowed" ? what : `${what} (${why})`;
}

function open(name: string, text: string): Finding {
  return { name, state: "open", text };
}

/** The answer, or the finding that there is none. */
async function asked<T>(name: string, question: () => Promise<T>): Promise<{ readonly answer: T } | { readonly finding: Finding }> {
  try {
    return { answer: await question() };
  } catch (error) {
    const { AwsError } = await import("../aws/errors.ts");
    if (!(error instanceof AwsError)) return { finding: failed(name, error) };
    const { explainAwsError } = await import("../aws/classify.ts");
    return { finding: failed(name, explainAwsError(error)) };
  }
}

/** An error for a person as a finding; anything else is a bug, and stays one. */
function failed(name: string, error: unknown, state: Finding["state"] = "wrong"): Finding {
  if (!(error instanceof BeaconError)) throw error;
  const [text = ""] = error.message.split("\n");
  return { name, state, text, ...(error.next === undefined ? {} : { next: error.next }) };
}
