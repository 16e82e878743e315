/** Every stack of the state table, and how each stands: from the table alone. */

import type { StackStatus } from "../core/record.ts";
import { stackName } from "../core/resource.ts";
import type { StateReader } from "../core/store.ts";

/** One stack as `get stacks` lists it. Its JSON is what `-o json` prints. */
export type StackView = {
  readonly name: string;
  /** Absent where no controller ever held it. */
  readonly phase?: StackStatus["phase"];
  readonly message?: string;
  readonly revision?: number;
  /** The newest revision that a controller has wholly brought about. */
  readonly converged?: number;
  readonly holder?: string;
  readonly controller: boolean;
};

/** Two reads, and one small query for each stack. */
export async function stackViews(store: StateReader): Promise<readonly StackView[]> {
  const stacks = await store.stacks();
  const [leases, all] = await Promise.all([store.leases(stacks), Promise.all(stacks.map((stack) => store.news(stack)))]);
  return stacks.map((stack, index) => {
    const name = stackName(stack);
    const lease = leases.get(name);
    const { revision, status } = all[index] ?? {};
    return {
      name,
      ...(status ? { phase: status.phase, message: status.message, converged: status.converged } : {}),
      ...(revision ? { revision: revision.number } : {}),
      ...(lease && !lease.free ? { holder: lease.holder } : {}),
      controller: lease?.controller === true && !lease.free,
    };
  });
}
