/** The item port over DynamoDB. */

import { AwsError, isNamed } from "../src/aws/errors.ts";
import type { Caller } from "../src/aws/handle.ts";
import { service } from "../src/aws/service.ts";
import {
  ConditionFailed,
  type Item,
  type ItemKey,
  type QueryOptions,
  type Requirement,
  type Scalar,
  type Table,
  type Write,
} from "./table.ts";

type Sdk = typeof import("@aws-sdk/client-dynamodb");
type Attribute = import("@aws-sdk/client-dynamodb").AttributeValue;
type Attributes = Record<string, Attribute>;

/** DynamoDB, loaded at its first call. */
export const dynamodb = service<Sdk>("dynamodb", "DynamoDBClient", () => import("@aws-sdk/client-dynamodb"));

/** A table of this name, reached by a caller that may use {@link STATE_OPERATIONS} (or, to read only, GetItem and Query). */
export class DynamoTable implements Table {
  readonly name: string;
  readonly #aws: Caller;

  constructor(aws: Caller, name: string) {
    this.#aws = aws;
    this.name = name;
  }

  async get({ pk, sk }: ItemKey): Promise<Item | undefined> {
    const { Item } = await this.#aws.call(dynamodb, "GetItem", {
      TableName: this.name,
      Key: marshal({ pk, sk }),
      ConsistentRead: true,
    });
    return Item && unmarshal(Item);
  }

  async getMany(keys: readonly ItemKey[]): Promise<readonly Item[]> {
    const items: Item[] = [];
    let left: readonly Attributes[] = keys.map(({ pk, sk }) => marshal({ pk, sk }));
    while (left.length > 0) {
      const request = { [this.name]: { Keys: [...left], ConsistentRead: true } };
      const { Responses, UnprocessedKeys } = await this.#aws.call(dynamodb, "BatchGetItem", { RequestItems: request });
      items.push(...(Responses?.[this.name] ?? []).map(unmarshal));
      left = UnprocessedKeys?.[this.name]?.Keys ?? [];
    }
    return items;
  }

  async query(pk: string, { after, newestFirst = false, limit }: QueryOptions = {}): Promise<readonly Item[]> {
    const items: Item[] = [];
    let start: Attributes | undefined;
    do {
      const page = await this.#aws.call(dynamodb, "Query", {
        TableName: this.name,
        ConsistentRead: true,
        KeyConditionExpression: after === undefined ? "pk = :pk" : "pk = :pk and sk > :after",
        ExpressionAttributeValues: { ":pk": { S: pk }, ...(after === undefined ? {} : { ":after": { S: after } }) },
        ScanIndexForward: !newestFirst,
        ...(limit === undefined ? {} : { Limit: limit - items.length }),
        ...(start ? { ExclusiveStartKey: start } : {}),
      });
      items.push(...(page.Items ?? []).map(unmarshal));
      start = page.LastEvaluatedKey;
    } while (start && (limit === undefined || items.length < limit));
    return items;
  }

  async write(writes: readonly Write[], token?: string): Promise<void> {
    const [first] = writes;
    try {
      if (writes.length === 1 && first && "put" in first) {
        await this.#aws.call(dynamodb, "PutItem", putInput(this.name, first));
      } else {
        await this.#aws.call(dynamodb, "TransactWriteItems", {
          TransactItems: writes.map((write) => transactItem(this.name, write)),
          ...(token ? { ClientRequestToken: token } : {}),
        });
      }
    } catch (error) {
      throw conditionOf(error);
    }
  }
}

function putInput(TableName: string, { put, when }: Extract<Write, { put: Item }>) {
  return { TableName, Item: marshal(put), ...condition(when) };
}

function transactItem(TableName: string, write: Write) {
  if ("put" in write) return { Put: putInput(TableName, write) };
  return { Delete: { TableName, Key: marshal(write.remove), ...condition(write.when) } };
}

/** The requirements as one condition expression; every name is an alias, because DynamoDB reserves many words. */
export function condition(when: readonly Requirement[] | undefined): object {
  if (!when) return {};
  const names: Record<string, string> = {};
  const values: Attributes = {};
  const clauses = when.map((requirement, position) => {
    if (requirement === "absent") return "attribute_not_exists(pk)";
    const parts = Object.entries(requirement).map(([name, value], index) => {
      const alias = `${position}x${index}`;
      names[`#n${alias}`] = name;
      values[`:v${alias}`] = attribute(value);
      return `#n${alias} = :v${alias}`;
    });
    return `(${parts.join(" and ")})`;
  });
  return {
    ConditionExpression: clauses.join(" or "),
    ...(Object.keys(names).length > 0 ? { ExpressionAttributeNames: names, ExpressionAttributeValues: values } : {}),
  };
}

/** What a failed write means: a requirement, a conflict that passes, or the error as it came. */
function conditionOf(error: unknown): unknown {
  if (isNamed(error, ["ConditionalCheckFailedException"])) return new ConditionFailed([0]);
  if (!isNamed(error, ["TransactionCanceledException"])) return error;
  const codes = ((error.cause as { CancellationReasons?: { Code?: string }[] }).CancellationReasons ?? []).map(
    ({ Code }) => Code ?? "None",
  );
  const failed = codes.flatMap((code, index) => (code === "ConditionalCheckFailed" ? [index] : []));
  if (failed.length > 0) return new ConditionFailed(failed);
  const passing = codes.find((code) => /^(TransactionConflict|ThrottlingError|ProvisionedThroughputExceeded)$/.test(code));
  return passing ? new AwsError(passing, error.message, { operation: error.operation, verdict: "throttled", cause: error }) : error;
}

function attribute(value: Scalar | Uint8Array): Attribute {
  if (typeof value === "string") return { S: value };
  if (typeof value === "number") return { N: String(value) };
  return typeof value === "boolean" ? { BOOL: value } : { B: value };
}

function marshal(item: Item): Attributes {
  return Object.fromEntries(Object.entries(item).map(([name, value]) => [name, attribute(value)]));
}

function unmarshal(attributes: Attributes): Item {
  const plain = ({ S, N, BOOL, B }: Attribute): Scalar | Uint8Array => S ?? (N === undefined ? undefined : Number(N)) ?? BOOL ?? B ?? "";
  return Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, plain(value)])) as Item;
}
