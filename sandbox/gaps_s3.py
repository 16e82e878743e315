"""What moto's S3 leaves out: tags and settings that a new bucket has, configurations as they were sent, and other accounts' buckets."""

import os
from typing import Any
from xml.etree import ElementTree

from moto.s3.exceptions import BucketAlreadyExists, MissingBucket
from moto.s3.models import S3Backend, s3_backends
from moto.s3.responses import S3Response

# moto keeps a part of what these hold. S3 answers with what it was sent; `False`: moto is not asked at all.
KEPT = {
    **dict.fromkeys(("lifecycle", "encryption", "replication", "object-lock"), True),
    **dict.fromkeys(("logging", "notification", "requestPayment"), False),
}

XMLNS = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
# What S3 says where nothing was configured (S3 API Reference, GetBucketEncryption, GetBucketRequestPayment).
UNSET = {
    "encryption": f"<ServerSideEncryptionConfiguration {XMLNS}><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm>"
    "</ApplyServerSideEncryptionByDefault><BucketKeyEnabled>false</BucketKeyEnabled></Rule></ServerSideEncryptionConfiguration>",
    "requestPayment": f"<RequestPaymentConfiguration {XMLNS}><Payer>BucketOwner</Payer></RequestPaymentConfiguration>",
    "logging": f"<BucketLoggingStatus {XMLNS}/>",
    "notification": f"<NotificationConfiguration {XMLNS}/>",
}
ALL_BLOCKED = {name: "true" for name in ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")}
SIZE_HEADER = "x-amz-transition-default-minimum-object-size"


def close_gaps() -> None:
    """Called once, before the first S3 request is served."""
    # A bucket of another account is not there for everybody.
    os.environ["MOTO_S3_ALLOW_CROSSACCOUNT_ACCESS"] = "false"
    put, get, remove, delete = (
        S3Response._bucket_response_put,
        S3Response._bucket_response_get,
        S3Response._bucket_response_delete,
        S3Backend.delete_bucket,
    )

    def bucket_response_put(response: Any, request: Any, name: str, query: dict[str, Any]) -> Any:
        part = next((part for part in KEPT if part in query), None)
        if part is None:
            is_new = name not in s3_backends.bucket_accounts
            _partition, owner = s3_backends.bucket_accounts.get(name, (None, response.current_account))
            if owner != response.current_account and not query:
                raise BucketAlreadyExists(bucket=name)
            answer = put(response, request, name, query)
            if is_new and name in s3_backends.bucket_accounts:
                furnish(response.backend, name, response.body)
            return answer
        bucket = response.backend.get_bucket(name)
        answer = put(response, request, name, query) if KEPT[part] else ""
        if part == "logging":
            assert_target_exists(response.backend, response.body)
        parts_of(bucket)[part] = (response.body, request.headers.get(SIZE_HEADER))
        return answer

    def bucket_response_get(response: Any, name: str, query: dict[str, Any]) -> Any:
        part = next((part for part in KEPT if part in query), None)
        if part is None:
            return get(response, name, query)
        kept = parts_of(response.backend.get_bucket(name)).get(part)
        if kept is None and part not in UNSET:
            return get(response, name, query)
        body, size = kept or (UNSET[part].encode(), None)
        return 200, {"content-type": "application/xml", **({SIZE_HEADER: size} if size else {})}, body

    def bucket_response_delete(response: Any, name: str, query: dict[str, Any]) -> Any:
        for part in KEPT:
            if part in query:
                parts_of(response.backend.get_bucket(name)).pop(part, None)
        return remove(response, name, query)

    def delete_bucket(backend: Any, name: str) -> Any:
        bucket = delete(backend, name)
        if bucket is not None:  # A bucket of the same name would come up with these tags.
            backend.tagger.delete_all_tags_for_resource(bucket.arn)
        return bucket

    S3Response._bucket_response_put = bucket_response_put
    S3Response._bucket_response_get = bucket_response_get
    S3Response._bucket_response_delete = bucket_response_delete
    S3Backend.delete_bucket = delete_bucket
    # moto would put logs into the target at once, and so keep it from being deleted.
    S3Backend.log_incoming_request = lambda _backend, _request, _name: None


def furnish(backend: Any, name: str, body: bytes) -> None:
    """What every new bucket has since April 2023, and its tags (S3 API Reference, CreateBucket)."""
    bucket = backend.get_bucket(name)
    backend.put_public_access_block(name, ALL_BLOCKED)
    bucket.ownership_rule = bucket.ownership_rule or "BucketOwnerEnforced"
    tags = {}
    for tag in elements(body, "Tag"):
        members = {local_name(child): child.text or "" for child in tag}
        tags[members.get("Key", "")] = members.get("Value", "")
    if tags:
        backend.put_bucket_tagging(name, tags)


def assert_target_exists(backend: Any, body: bytes) -> None:
    for target in elements(body, "TargetBucket"):
        if target.text not in backend.buckets:
            raise MissingBucket(bucket=target.text)


def elements(body: bytes, name: str) -> list[Any]:
    return [element for element in ElementTree.fromstring(body).iter() if local_name(element) == name] if body else []


def local_name(element: Any) -> str:
    return element.tag.rpartition("}")[2]


def parts_of(bucket: Any) -> dict[str, Any]:
    return bucket.__dict__.setdefault("sandbox_parts", {})
