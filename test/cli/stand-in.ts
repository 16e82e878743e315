/** What stands in for a controller: holds a stack's lease as one, sees what is asked of it, and says what a test wants said. */

import assert from "node:assert/strict";
import { systemRuntime } from "../../src/aws/runtime.ts";
import type { StackStatus } from "../../src/core/record.ts";
import type { Stack } from "../../src/core/resource.ts";
import type { Lease, StackNews } from "../../src/core/store.ts";
import type { TableStore } from "../../state/store.ts";
import { status } from "../state/scene.ts";
import { sandboxEndpoint, TEST_REGION } from "../support/sandbox.ts";
import { stateAt } from "../support/state-table.ts";

// Far above what a process needs to start on a busy machine.
const PATIENCE_MS = 60_000;

export type StandIn = AsyncDisposable & {
  readonly store: TableStore;
  readonly lease: () => Lease;
  /** Waits until the stack's news are so. */
  readonly until: (holds: (news: StackNews) => boolean) => Promise<StackNews>;
  /** Says how the stack stands, at once. */
  readonly say: (more: Partial<StackStatus>) => Promise<void>;
  /** Gives the lease up, and takes it back. */
  readonly release: () => Promise<void>;
  readonly acquire: () => Promise<void>;
};

/** Takes the stack's lease, in the shared state table. */
export async function standIn(project: string): Promise<StandIn> {
  const stack: Stack = { project, environment: "dev" };
  const { session, store } = stateAt(await sandboxEndpoint(), TEST_REGION);
  const acquire = () => store.acquire(stack, { holder: "the controller", wait: true, controller: true });
  let lease = await acquire();
  return {
    store,
    lease: () => lease,
    until: async (holds) => {
      const endMs = performance.now() + PATIENCE_MS;
      for (;;) {
        const news = await store.news(stack);
        if (holds(news)) return news;
        assert.ok(
          performance.now() < endMs,
          `waited in vain: ${holds} of ${JSON.stringify(news.requests)}, revision ${news.revision?.number}`,
        );
        await systemRuntime.sleep(100);
      }
    },
    say: async (more) => {
      lease.journal.status(status({ updatedAt: new Date().toISOString(), ...more }));
      await lease.journal.commit();
    },
    release: () => lease.release(),
    acquire: async () => {
      lease = await acquire();
    },
    [Symbol.asyncDispose]: async () => {
      await lease.release().catch(() => {});
      await session.close();
    },
  };
}
