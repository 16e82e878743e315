/**
 * Typed calls to AWS without loading an SDK client before its first call.
 *
 * A kind names a service once (`const ec2 = service("ec2", "EC2Client", () => import("@aws-sdk/client-ec2"))`) and calls
 * `aws.read(ec2, "DescribeVpcs", {...})`: operation, input and output are typed from the SDK's own command classes.
 */

/** `ec2:CreateVpc`: service id (the IAM prefix) and SDK operation. */
export type OperationName = `${string}:${string}`;

/** An AWS service whose SDK module is loaded on first use. `id` is its IAM prefix, as in `ec2:CreateVpc`. */
export type Service<Module> = {
  readonly id: string;
  readonly client: keyof Module & string;
  readonly load: () => Promise<Module>;
  /** Where the service is, whatever the session's region: some exist in one region only. */
  readonly region?: string;
  /** What its client is told beside, where the endpoint is somebody's own. */
  readonly atOwnEndpoint?: Readonly<Record<string, unknown>>;
};

/** Names a service; loads nothing. `load` must be an `import()`, so that start-up does not pay for the SDK. */
export function service<Module>(
  id: string,
  client: keyof Module & string,
  load: () => Promise<Module>,
  options: Pick<Service<Module>, "region" | "atOwnEndpoint"> = {},
): Service<Module> {
  return Object.freeze({ id, client, load, ...options });
}

/** What an operation that cannot change anything is called at AWS; the kinds' declared reads narrow this further at run time. */
export type ReadName = `${"Describe" | "List" | "Get" | "Head" | "BatchGet" | "Lookup" | "Filter" | "Search" | "Simulate"}${string}`;

const READ_NAME = /:(Describe|List|Get|Head|BatchGet|Lookup|Filter|Search|Simulate)/;

/** Whether the operation may change something: its name is not a {@link ReadName}. */
export function isMutating(operation: OperationName): boolean {
  return !READ_NAME.test(operation);
}

// Every SDK command has `resolveMiddleware`, whose handler's types are the operation's input and output.
type CommandOf<Module, Op extends string> = `${Op}Command` extends keyof Module
  ? Module[`${Op}Command`] extends abstract new (
      ...args: infer Args
    ) => infer Command
    ? { readonly input: NonNullable<Args[0]>; readonly output: HandlerOutput<Command> }
    : never
  : never;
type HandlerOutput<Command> = Command extends { resolveMiddleware(...args: infer _Args): infer Handler }
  ? Handler extends (...args: infer _HandlerArgs) => Promise<{ output: infer Result }>
    ? Result
    : never
  : never;

/** The input members of an operation, as the SDK types them. */
export type Input<Module, Op extends string> = CommandOf<Module, Op>["input"];

/** The output members of an operation. */
export type Output<Module, Op extends string> = CommandOf<Module, Op>["output"];

/** An AWS handle that cannot write. */
export interface Reader {
  read<Module, Op extends ReadName>(service: Service<Module>, operation: Op, input: Input<Module, Op>): Promise<Output<Module, Op>>;
  /**
   * Reads page after page and joins the list member `items`. Tokens are those of the operation (`NextToken`, `nextToken`,
   * `Marker`/`NextMarker`, `ExclusiveStart…`/`LastEvaluated…`, `PaginationToken`), found in the answer.
   */
  pages<Module, Op extends ReadName, Items extends keyof Output<Module, Op>>(
    service: Service<Module>,
    operation: Op,
    input: Input<Module, Op>,
    items: Items,
  ): Promise<NonNullable<Output<Module, Op>[Items]>>;
}

/** An AWS handle that may also change things; each call checks the lease as the last thing before it is sent. */
export interface Writer extends Reader {
  write<Module, Op extends string>(service: Service<Module>, operation: Op, input: Input<Module, Op>): Promise<Output<Module, Op>>;
}
