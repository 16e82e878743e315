/** Which S3 operation a request is: S3 names none, and tells them apart by method and by what is asked of the bucket. */

// The query that says which part of a bucket is meant (S3 API Reference), and the part's name in operations.
const PARTS: readonly (readonly [query: string, name: string])[] = [
  ["accelerate", "BucketAccelerateConfiguration"],
  ["cors", "BucketCors"],
  ["encryption", "BucketEncryption"],
  ["lifecycle", "BucketLifecycleConfiguration"],
  ["logging", "BucketLogging"],
  ["notification", "BucketNotificationConfiguration"],
  ["object-lock", "ObjectLockConfiguration"],
  ["ownershipControls", "BucketOwnershipControls"],
  ["policy", "BucketPolicy"],
  ["publicAccessBlock", "PublicAccessBlock"],
  ["replication", "BucketReplication"],
  ["requestPayment", "BucketRequestPayment"],
  ["tagging", "BucketTagging"],
  ["versioning", "BucketVersioning"],
  ["website", "BucketWebsite"],
];

/** `CreateBucket` for `PUT /name/`; undefined for what BEACON does not call. Buckets are named in the path. */
export function s3Operation(method: string, url: string): string | undefined {
  const { pathname, searchParams } = new URL(url, "http://s3");
  const [bucket, ...key] = pathname.split("/").filter((step) => step !== "");
  if (bucket === undefined) return method === "GET" ? "ListBuckets" : undefined;
  if (key.length > 0) return method === "PUT" ? "PutObject" : undefined;
  if (method === "HEAD") return "HeadBucket";
  if (method === "POST") return searchParams.has("delete") ? "DeleteObjects" : undefined;
  if (method === "GET" && searchParams.has("versions")) return "ListObjectVersions";
  const part = PARTS.find(([query]) => searchParams.has(query))?.[1];
  const verb = { GET: "Get", PUT: "Put", DELETE: "Delete" }[method];
  if (part !== undefined) return method === "DELETE" ? `Delete${part.replace(/Lifecycle.*/, "Lifecycle")}` : `${verb}${part}`;
  return { PUT: "CreateBucket", DELETE: "DeleteBucket", GET: "ListObjects" }[method];
}
