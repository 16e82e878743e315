"""What CloudTrail records of the calls made here: a log for LookupEvents, and events for EventBridge's rules.

Every call that may have changed something is kept as it came, and becomes a record only when somebody asks: when a rule has
targets, or at LookupEvents. Without either it costs some microseconds. As at AWS, item operations (DynamoDB, S3 objects) are
no management events, and refused calls are recorded with their errorCode. Unlike there, a record is there at once, and calls to SQS,
EventBridge and CloudTrail itself are left out, so that listening makes no events.

The principal: the IAM user or assumed role that the access key belongs to, where the sandbox's IAM or STS has made that key; for any
other key an IAM user of the key's own name, `arn:aws:iam::123456789012:user/KEY`.
"""

import json
import re
import sys
import time
import traceback
import uuid
from collections import deque
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from tokens import Answer
from wire import Call, access_key

ACCOUNT_ID = "123456789012"
# Some minutes of the busiest test, days of a person. Together they keep within the bytes of a small cache.
CALLS_MAX = 10_000
BYTES_MAX = 64 * 1024 * 1024
# What CloudTrail cuts off: "requestParameters ... content exceeding 100 KB is omitted" (record contents).
BODY_BYTES_MAX = 100 * 1024

ENVIRON = frozenset(
    {"REQUEST_METHOD", "RAW_URI", "PATH_INFO", "QUERY_STRING", "CONTENT_TYPE", "REMOTE_ADDR", "HTTP_HOST", "HTTP_USER_AGENT"}
)

# Services whose calls make no records here; `aws` is what was not signed.
UNRECORDED = frozenset({"aws", "cloudtrail", "events", "sqs", "sts"})
# Global services record in one region, whatever region the request was signed for (CloudTrail user guide, "Global service events").
GLOBAL = frozenset({"cloudfront", "iam", "organizations", "route53", "route53domains"})
GLOBAL_REGION = "us-east-1"

READ = re.compile(r"(Describe|List|Get|Head|BatchGet|BatchCheck|Lookup|Filter|Search|Simulate|Scan|Query|Select|Test|Validate)")
# Data events, which no trail has unless somebody asks for them.
DATA = frozenset(
    {
        *(f"dynamodb:{name}" for name in ("PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems")),
        *(f"dynamodb:{name}" for name in ("TransactGetItems", "ExecuteStatement", "BatchExecuteStatement", "ExecuteTransaction")),
        "logs:PutLogEvents",
        "monitoring:PutMetricData",
    }
)


class Recorded:
    """One call as it came, and its record once somebody has asked for it."""

    def __init__(self, call: Call, environ: dict[str, Any], body: bytes, answer: Answer) -> None:
        self.id = str(uuid.uuid4())
        self.at = time.time()
        self.call = call
        self.region = GLOBAL_REGION if call.service in GLOBAL else call.region
        self.environ = {name: value for name, value in environ.items() if is_kept(name)}
        self.access_key = access_key(environ.get("HTTP_AUTHORIZATION", ""))
        self.body = body if len(body) <= BODY_BYTES_MAX else b""
        self.answer = answer if len(answer[2]) <= BODY_BYTES_MAX else (*answer[:2], b"")
        self.size = len(self.body) + len(self.answer[2])
        self.made: dict[str, Any] | None = None
        self.tried = False

    def record(self) -> dict[str, Any] | None:
        """The CloudTrail record; None for what turns out to be a read."""
        if not self.tried:
            self.tried = True
            import trail_records  # Which loads moto's parsers: not before somebody listens.

            try:
                self.made = trail_records.record_of(self, ACCOUNT_ID)
            except Exception:  # A request nobody foresaw must not fail the caller of another.
                traceback.print_exc()
        return self.made

    def mentions(self, name: str) -> bool:
        """Whether the name stands in what was sent or answered, in plain or as URLs spell it: a cheap look before the record is made."""
        spellings = (name.encode(), quote(name, safe="").encode(), name.lower().encode())
        path = self.environ.get("PATH_INFO", "").encode()
        return any(spelling in text for spelling in spellings for text in (self.body, self.answer[2], path))


class Trail:
    """The log of one sandbox. Used under the sandbox's lock."""

    def __init__(self) -> None:
        self.calls: deque[Recorded] = deque()
        self.bytes = 0

    def clear(self) -> None:
        self.calls.clear()
        self.bytes = 0

    def note(self, call: Call, environ: dict[str, Any], body: bytes, answer: Answer) -> None:
        """Keeps the call if CloudTrail would record it, and hands it to the rules of its region. Never raises."""
        if not is_recorded(call, environ, answer):
            return
        recorded = Recorded(call, environ, body, answer)
        self.calls.append(recorded)
        self.bytes += recorded.size
        while len(self.calls) > CALLS_MAX or self.bytes > BYTES_MAX:
            self.bytes -= self.calls.popleft().size
        deliver(recorded)

    def newest_first(self, region: str) -> Iterator[Recorded]:
        return (recorded for recorded in reversed(self.calls) if recorded.region == region)


def is_kept(name: str) -> bool:
    """What a record needs of a WSGI environment. Credentials are no part of it."""
    return name in ENVIRON or (name.startswith("HTTP_X_AMZ_") and name != "HTTP_X_AMZ_SECURITY_TOKEN")


def is_recorded(call: Call, environ: dict[str, Any], answer: Answer) -> bool:
    if call.service in UNRECORDED or answer[0] == 501:
        return False
    if call.protocol in ("s3", "rest"):
        return environ.get("REQUEST_METHOD") not in ("GET", "HEAD", "OPTIONS") and not is_object(call, environ)
    return READ.match(call.operation) is None and f"{call.service}:{call.operation}" not in DATA


def is_object(call: Call, environ: dict[str, Any]) -> bool:
    """S3's `/bucket/key` and `/bucket?delete`: data events. A bucket's own path has one part."""
    path = environ.get("PATH_INFO", "/").strip("/")
    asks = {part.partition("=")[0] for part in environ.get("QUERY_STRING", "").split("&")}
    return call.service == "s3" and ("/" in path or "delete" in asks)


def deliver(recorded: Recorded) -> None:
    """Puts the record on the default event bus, where a rule with targets may want it."""
    backend = bus_backend(recorded.region)
    if backend is None or not any(rule.targets and rule.state != "DISABLED" for rule in backend.event_buses["default"].rules.values()):
        return
    record = recorded.record()
    if record is None:
        return
    source = "aws." + record["eventSource"].partition(".")[0]
    try:
        backend.put_events([{"Source": source, "DetailType": "AWS API Call via CloudTrail", "Detail": json.dumps(record)}])
    except Exception:  # The call itself is done: what becomes of its event is not its caller's trouble.
        traceback.print_exc()


def bus_backend(region: str) -> Any:
    """EventBridge of a region, if anybody has called it: nothing is loaded for it before."""
    models = sys.modules.get("moto.events.models")
    # The plain dict's look-up: moto's own would make what is missing.
    return None if models is None else dict.get(models.events_backends[ACCOUNT_ID], region)
