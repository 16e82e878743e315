/** Handles that hold every request against AWS's models. */

import type { OperationName, Writer } from "../../src/aws/service.ts";
import { isMutating } from "../../src/aws/service.ts";
import { problemsOf, tokensOf } from "./model.ts";

/** One request as a handle got it. */
export type Request = { readonly operation: OperationName; readonly input: unknown };

/** What AWS would refuse, and tokens that were left to chance. */
export function findings({ operation, input }: Request): readonly string[] {
  const tokens = isMutating(operation) ? tokensOf(operation).filter((name) => !(name in (input as object))) : [];
  return [...problemsOf(operation, input), ...tokens.map((name) => `${operation}: ${name} is left to chance`)];
}

/** Passes calls on, and notes them. */
export function noting(aws: Writer, note: (request: Request) => void): Writer {
  return {
    read: (service, operation, input) => {
      note({ operation: `${service.id}:${operation}`, input });
      return aws.read(service, operation, input);
    },
    pages: (service, operation, input, items) => {
      note({ operation: `${service.id}:${operation}`, input });
      return aws.pages(service, operation, input, items);
    },
    write: (service, operation, input) => {
      note({ operation: `${service.id}:${operation}`, input });
      return aws.write(service, operation, input);
    },
  };
}
