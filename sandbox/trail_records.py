"""One CloudTrail record from one request and its answer.

Names and shapes follow the CloudTrail user guide, "CloudTrail record contents", and records as AWS writes them: members begin
with a small letter, EC2's lists are `{"items": [...]}`, S3's requests name the bucket and the configuration. The request is
read by AWS's own API model through moto's parsers, the answer by its form.
"""

import json
import re
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree

from moto.core.model import OperationModel
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import Request, determine_request_protocol
from moto.core.routing import get_service_router
from moto.core.utils import get_service_model

READ_ONLY = re.compile(r"(Describe|List|Get|Head)")
SENSITIVE = "HIDDEN_DUE_TO_SECURITY_REASONS"
EVENT_VERSION = "1.11"
AGENT_CHARACTERS_MAX = 1024

# Signing names whose API model has another name.
MODELS = {"elasticloadbalancing": "elbv2", "monitoring": "cloudwatch", "tagging": "resourcegroupstaggingapi"}
# S3's records name some operations as its permissions do (S3 user guide, "Amazon S3 CloudTrail events").
S3_NAMES = {
    "DeletePublicAccessBlock": "DeleteBucketPublicAccessBlock",
    "PutBucketAccelerateConfiguration": "PutAccelerateConfiguration",
    "PutBucketLifecycleConfiguration": "PutBucketLifecycle",
    "PutBucketNotificationConfiguration": "PutBucketNotification",
    "PutObjectLockConfiguration": "PutBucketObjectLockConfiguration",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
}


def record_of(recorded: Any, account_id: str) -> dict[str, Any] | None:
    """The record of a call as `trail.Recorded` keeps it; None for a read, which a REST call shows only when its operation is known."""
    call, status, body = recorded.call, recorded.answer[0], recorded.answer[2]
    operation, parameters = request_of(recorded)
    if READ_ONLY.match(operation):
        return None
    record = {
        "eventVersion": EVENT_VERSION,
        "userIdentity": identity_of(recorded.access_key, account_id),
        "eventTime": datetime.fromtimestamp(recorded.at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "eventSource": f"{call.service}.amazonaws.com",
        "eventName": S3_NAMES.get(operation, operation) if call.service == "s3" else operation,
        "awsRegion": recorded.region,
        "sourceIPAddress": recorded.environ.get("REMOTE_ADDR", "127.0.0.1"),
        "userAgent": recorded.environ.get("HTTP_USER_AGENT", "")[:AGENT_CHARACTERS_MAX],
        "requestParameters": parameters,
        "responseElements": response_of(call, body) if status < 400 else None,
        "requestID": recorded.id,
        "eventID": recorded.id,
        "readOnly": False,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": account_id,
        "eventCategory": "Management",
    }
    return record if status < 400 else {**record, **error_of(call, status, body)}


def identity_of(key: str, account_id: str) -> dict[str, Any]:
    """Whose the access key is; see trail.py."""
    user = {"type": "IAMUser", "principalId": key, "arn": f"arn:aws:iam::{account_id}:user/{key}", "userName": key}
    common = {"accountId": account_id, "accessKeyId": key}
    if sts := sys.modules.get("moto.sts.models"):
        assumed = sts.sts_backends[account_id]["aws"].get_assumed_role_from_access_key(key)
        if assumed is not None:
            role = re.sub(r":sts:(.*):assumed-role/([^/]+)/.*", r":iam:\1:role/\2", assumed.arn)
            issuer = {"type": "Role", "arn": role, "accountId": account_id, "userName": role.rpartition("/")[2]}
            session = {"type": "AssumedRole", "principalId": assumed.user_id, "arn": assumed.arn}
            return {**session, **common, "sessionContext": {"sessionIssuer": issuer}}
    if iam := sys.modules.get("moto.iam.models"):
        known = iam.iam_backends[account_id]["aws"].get_user_from_access_key_id(key)
        if known is not None:
            user = {"type": "IAMUser", "principalId": known.id, "arn": known.arn, "userName": known.name}
    return {**user, **common}


def request_of(recorded: Any) -> tuple[str, Any]:
    """The operation's name, and its parameters as CloudTrail writes them; an operation that no model knows has none."""
    call, environ = recorded.call, recorded.environ
    service = MODELS.get(call.service, call.service)
    url = f"http://{environ.get('HTTP_HOST', 'localhost')}{environ['RAW_URI']}"
    request = Request.from_primitives(environ["REQUEST_METHOD"], url, headers_of(environ), recorded.body)
    model = get_service_model(service)
    uri: dict[str, Any] = {}
    if call.protocol in ("s3", "rest"):
        operation, uri = get_service_router(service).match(request)
    else:
        operation = model.operation_model(call.operation)
    if call.protocol == "cbor":
        return operation.name, None
    parsed = PROTOCOL_PARSERS[determine_request_protocol(model, request.content_type)](operation).parse(
        {
            "method": request.method,
            "values": request.values,
            "headers": request.headers,
            "body": recorded.body,
            "url_path": request.path,
            "url_params": uri,
        }
    )
    return operation.name, parameters_of(operation, parsed, call, environ)


def headers_of(environ: Mapping[str, str]) -> dict[str, str]:
    named = {name[5:].replace("_", "-"): value for name, value in environ.items() if name.startswith("HTTP_")}
    return {**named, "Content-Type": environ.get("CONTENT_TYPE", "")}


def parameters_of(operation: OperationModel, parsed: Mapping[str, Any], call: Any, environ: Mapping[str, str]) -> Any:
    if not parsed or operation.input_shape is None:
        return None
    if call.service != "s3":
        parameters = written(operation.input_shape, parsed, wrapped=call.protocol == "ec2")
        return tagging(parameters) if call.service == "ec2" and operation.name in ("CreateTags", "DeleteTags") else parameters
    rest = {name: plain(value) for name, value in parsed.items() if name != "Bucket" and value is not None}
    return {"bucketName": parsed.get("Bucket"), "Host": environ.get("HTTP_HOST", ""), **rest}


def tagging(parameters: dict[str, Any]) -> dict[str, Any]:
    """EC2's tags calls are recorded by the names of their XML: `{"resourcesSet": {"items": [{"resourceId": ...}]}, "tagSet": ...}`."""
    resources = parameters.get("resources", {}).get("items", [])
    return {"resourcesSet": {"items": [{"resourceId": one} for one in resources]}, "tagSet": parameters.get("tags", {"items": []})}


def written(shape: Any, value: Any, wrapped: bool) -> Any:
    """A value in CloudTrail's spelling: structures' members with a small first letter, the keys of maps as they are."""
    if shape.metadata.get("sensitive"):
        return SENSITIVE
    if shape.type_name == "structure" and isinstance(value, Mapping):
        members = {name: (shape.members.get(name), inner) for name, inner in value.items() if inner is not None}
        return {small(name): written(member, inner, wrapped) if member else plain(inner) for name, (member, inner) in members.items()}
    if shape.type_name == "list" and isinstance(value, list):
        items = [written(shape.member, item, wrapped) for item in value]
        return {"items": items} if wrapped else items
    if shape.type_name == "map" and isinstance(value, Mapping):
        return {name: written(shape.value, inner, wrapped) for name, inner in value.items()}
    return plain(value)


def plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): plain(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def small(name: str) -> str:
    return name[:1].lower() + name[1:]


def response_of(call: Any, body: bytes) -> Any:
    """What was made: the answer's elements. S3 and empty answers have none."""
    text = body.lstrip()
    if call.service == "s3" or not text:
        return None
    if text.startswith(b"{"):
        return lowered(json.loads(text)) or None
    if not text.startswith(b"<"):
        return None
    root = ElementTree.fromstring(text)
    if call.protocol == "query":
        root = next((child for child in root if tag_of(child).endswith("Result")), None)
    elements = None if root is None else element(root)
    return elements if isinstance(elements, dict) else None


def lowered(value: Any) -> Any:
    if isinstance(value, dict):
        return {small(name): lowered(inner) for name, inner in value.items()}
    return [lowered(item) for item in value] if isinstance(value, list) else value


def element(node: ElementTree.Element) -> Any:
    """An XML element: text, a list (`item`s are EC2's, `member`s everybody else's), or a structure."""
    children = list(node)
    if not children:
        return (node.text or "").strip()
    tags = {tag_of(child) for child in children}
    if tags == {"item"}:
        return {"items": [element(child) for child in children]}
    if tags == {"member"}:
        return [element(child) for child in children]
    found: dict[str, Any] = {}
    for child in children:
        name = small(tag_of(child))
        name = "_return" if name == "return" else name
        found[name] = [*as_list(found[name]), element(child)] if name in found else element(child)
    return found


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def tag_of(node: ElementTree.Element) -> str:
    return node.tag.rpartition("}")[2]


def error_of(call: Any, status: int, body: bytes) -> dict[str, str]:
    """The error's code and message, in whatever protocol. EC2's codes are recorded as `Client.` or `Server.`."""
    text = body.decode("utf-8", "replace")
    code = re.search(r"<Code>([^<]*)</Code>", text) or re.search(r'"__type":\s*"(?:[^"#]*#)?([^"]*)"', text)
    message = re.search(r"<Message>([^<]*)</Message>", text) or re.search(r'"[mM]essage":\s*"((?:[^"\\]|\\.)*)"', text)
    side = ("Client." if status < 500 else "Server.") if call.protocol == "ec2" else ""
    return {"errorCode": side + (code.group(1) if code else "UnknownError"), "errorMessage": message.group(1) if message else ""}
