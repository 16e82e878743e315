"""What an AWS request is, and how an AWS error is written, in every protocol the SDKs speak.

Sources: the protocol pages of Smithy (https://smithy.io/2.0/aws/protocols/) and the requests of the AWS SDK for JavaScript v3.
"""

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

UNSIGNED = ("aws", "us-east-1")


@dataclass(frozen=True)
class Call:
    """One request: `service` is its signing name; `protocol` one of ec2, query, json, cbor, s3, rest."""

    service: str
    region: str
    operation: str
    protocol: str
    params: dict[str, Any] = field(default_factory=dict)


def parse_call(environ: dict[str, Any], body: bytes) -> Call:
    """Reads a request that moto has not seen yet. Never raises: what it cannot name is called by method and path."""
    service, region = credential_scope(environ.get("HTTP_AUTHORIZATION", ""))
    path = environ.get("PATH_INFO", "/")
    target = environ.get("HTTP_X_AMZ_TARGET")
    if target:
        return Call(service, region, target.rpartition(".")[2], "json", json_params(body))
    if environ.get("HTTP_SMITHY_PROTOCOL") == "rpc-v2-cbor":
        return Call(service, region, path.rpartition("/")[2], "cbor")
    if environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
        form = dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
        return Call(service, region, form.get("Action", "unknown"), "ec2" if service == "ec2" else "query", form)
    return Call(service, region, f"{environ.get('REQUEST_METHOD')} {path}", "s3" if service in ("s3", "aws") else "rest")


def credential_scope(authorization: str) -> tuple[str, str]:
    """The signing name and region of a SigV4 header: `Credential=AKID/20261123/eu-west-1/ec2/aws4_request, ...`."""
    parts = authorization.partition("Credential=")[2].partition(",")[0].split("/")
    return (parts[3].lower(), parts[2]) if len(parts) >= 5 else UNSIGNED


def access_key(authorization: str) -> str:
    """The key that a SigV4 header is signed with; empty where there is none."""
    return authorization.partition("Credential=")[2].partition("/")[0]


def json_params(body: bytes) -> dict[str, Any]:
    try:
        parsed = json.loads(body)
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}


def error_answer(call: Call, status: int, code: str, message: str) -> tuple[int, list[tuple[str, str]], bytes]:
    """Status, headers and body of an AWS error as the caller's protocol has it."""
    if call.protocol == "cbor":
        body = cbor_map({"__type": code, "message": message})
        return status, [("Content-Type", "application/cbor"), ("Smithy-Protocol", "rpc-v2-cbor")], body
    if call.protocol == "json" or (call.protocol == "rest" and call.service != "route53"):
        headers = [("Content-Type", "application/x-amz-json-1.1"), ("X-Amzn-ErrorType", code)]
        return status, headers, json.dumps({"__type": code, "message": message}).encode()
    inner = f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
    return status, [("Content-Type", "text/xml")], XML_ERRORS.get(call.protocol, XML_ERRORS["query"]).format(inner).encode()


XML_ERRORS = {
    "ec2": "<Response><Errors><Error>{}</Error></Errors><RequestID>sandbox</RequestID></Response>",
    "query": "<ErrorResponse><Error><Type>Sender</Type>{}</Error><RequestId>sandbox</RequestId></ErrorResponse>",
    "s3": "<Error>{}<RequestId>sandbox</RequestId></Error>",
}


def cbor_map(texts: dict[str, str]) -> bytes:
    """A CBOR map of texts to texts (RFC 8949, major types 5 and 3), at most 23 pairs."""
    return bytes([0xA0 | len(texts)]) + b"".join(cbor_text(text) for pair in texts.items() for text in pair)


def cbor_text(text: str) -> bytes:
    data = text.encode()
    return b"\x79" + len(data).to_bytes(2, "big") + data
