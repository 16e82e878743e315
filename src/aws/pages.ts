/** Paging, whatever a service calls its tokens. */

type Page = Readonly<Record<string, unknown>>;

// The answer's member, and the request's member its value goes into. `Marker` is IAM's, which says `IsTruncated` beside it.
const TOKENS: readonly (readonly [answer: string, request: string])[] = [
  ["NextToken", "NextToken"],
  ["nextToken", "nextToken"],
  ["NextMarker", "Marker"],
  ["NextPageMarker", "Marker"],
  ["NextContinuationToken", "ContinuationToken"],
  ["PaginationToken", "PaginationToken"],
  ["LastEvaluatedTableName", "ExclusiveStartTableName"],
  ["LastEvaluatedKey", "ExclusiveStartKey"],
  ["Marker", "Marker"],
];

// A listing of 50 000 pages is a loop, not a listing.
const PAGES_MAX = 50_000;

/**
 * All pages of a listing: `fetch` is called with the members to add to the request, until an answer has no token. Throws when
 * a token comes twice in a row, as AWS's own SDKs do, because that listing would never end.
 */
export async function allPages<T extends Page>(fetch: (more: Page) => Promise<T>): Promise<readonly T[]> {
  const pages: T[] = [];
  let more: Page = {};
  for (let count = 0; count < PAGES_MAX; count++) {
    const page = await fetch(more);
    pages.push(page);
    const next = nextPage(page);
    if (!next) return pages;
    if (JSON.stringify(next) === JSON.stringify(more)) throw new Error(`the same page token came twice: ${JSON.stringify(next)}`);
    more = next;
  }
  throw new Error(`a listing had more than ${PAGES_MAX} pages`);
}

/** What to add to the request for the next page; undefined after the last one. The tagging API's last token is "". */
export function nextPage(page: Page): Page | undefined {
  if (page.IsTruncated === false) return undefined;
  const token = TOKENS.find(([answer]) => page[answer] !== undefined && page[answer] !== null && page[answer] !== "");
  return token && { [token[1]]: page[token[0]] };
}
