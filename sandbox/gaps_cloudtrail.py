"""LookupEvents, which moto does not have, over the sandbox's own log; and a trail that has always been there."""

import json
from datetime import datetime
from typing import Any

from moto.cloudtrail.models import CloudTrailBackend, Trail, TrailStatus
from moto.cloudtrail.responses import CloudTrailResponse
from moto.core.exceptions import JsonRESTError

from trail import ACCOUNT_ID, GLOBAL_REGION, Recorded
from trail import Trail as Log

PAGE_MAX = 50
BUILT_IN = "sandbox"
# Members whose values name what a call was about, and those that only look so.
NAMING = ("id", "ids", "name", "names", "arn", "arns")
NAMELESS = ("requestid", "ownerid", "accountid", "principalid", "clientrequesttoken", "callerreference")


def close_gaps(log: Log) -> None:
    CloudTrailResponse.lookup_events = lambda response: lookup_events(response, log)
    describe = CloudTrailBackend.describe_trails

    def describe_trails(backend: Any, include_shadow_trails: bool) -> Any:
        return [built_in(), *describe(backend, include_shadow_trails)]

    CloudTrailBackend.describe_trails = describe_trails


def built_in() -> Any:
    """A multi-region trail that logs all management events, in no bucket; what it logs is what rules get."""
    trail = object.__new__(Trail)
    trail.__dict__.update(account_id=ACCOUNT_ID, region_name=GLOBAL_REGION, trail_name=BUILT_IN, bucket_name="", s3_key_prefix=None)
    trail.__dict__.update(is_multi_region=True, include_global_service_events=True, log_validation=False, is_org_trail=False)
    trail.__dict__.update(sns_topic_name=None, cw_log_group_arn=None, cw_role_arn=None, kms_key_id=None, status=TrailStatus())
    trail.status.is_logging = True
    return trail


def lookup_events(response: Any, log: Log) -> str:
    params = json.loads(response.body or "{}")
    wanted = {attribute["AttributeKey"]: attribute["AttributeValue"] for attribute in params.get("LookupAttributes") or []}
    if len(wanted) > 1 or any(key not in ATTRIBUTES for key in wanted):
        raise JsonRESTError("InvalidLookupAttributesException", f"One lookup attribute of {', '.join(ATTRIBUTES)} is taken.")
    size = params.get("MaxResults", PAGE_MAX)
    if not 1 <= size <= PAGE_MAX:
        raise JsonRESTError("InvalidMaxResultsException", f"MaxResults is between 1 and {PAGE_MAX}.")
    first, last = params.get("StartTime", 0), params.get("EndTime", float("inf"))
    # Times are whole seconds, as records have them.
    within = (recorded for recorded in log.newest_first(response.region) if int(first) <= int(recorded.at) <= last)
    matching = (event for recorded in within if (event := matched(recorded, wanted)) is not None)
    # A page ends at the event that the next one begins with: what is recorded between two pages moves neither.
    token, page = params.get("NextToken"), []
    for event in matching:
        if token is not None and event["EventId"] != token:
            continue
        token = None
        if len(page) == size:
            return json.dumps({"Events": page, "NextToken": event["EventId"]})
        page.append(event)
    return json.dumps({"Events": page})


def matched(recorded: Recorded, wanted: dict[str, str]) -> dict[str, Any] | None:
    if "ResourceName" in wanted and not recorded.mentions(wanted["ResourceName"]):
        return None
    record = recorded.record()
    if record is None:
        return None
    event = event_of(record)
    return event if all(value in ATTRIBUTES[key](event) for key, value in wanted.items()) else None


def event_of(record: dict[str, Any]) -> dict[str, Any]:
    identity = record["userIdentity"]
    named = dict.fromkeys(name for part in ("requestParameters", "responseElements") for name in names_in(record[part]))
    return {
        "EventId": record["eventID"],
        "EventName": record["eventName"],
        "ReadOnly": "false",
        "AccessKeyId": identity["accessKeyId"],
        "EventTime": int(datetime.fromisoformat(record["eventTime"]).timestamp()),
        "EventSource": record["eventSource"],
        # Of an assumed role the session's name.
        "Username": identity.get("userName") or identity["arn"].rpartition("/")[2],
        "Resources": [{"ResourceName": name} for name in named],
        "CloudTrailEvent": json.dumps(record),
    }


def names_in(value: Any, member: str = "") -> list[str]:
    """Values of members that name something. AWS also tells the resource's type, and knows fewer names; see gaps.yaml."""
    if isinstance(value, dict):
        # EC2's lists stand in an object of their own.
        return [name for key, inner in value.items() for name in names_in(inner, member if key == "items" else key)]
    if isinstance(value, list):
        return [name for item in value for name in names_in(item, member)]
    lower = member.lower()
    return [value] if isinstance(value, str) and value and lower.endswith(NAMING) and lower not in NAMELESS else []


ATTRIBUTES = {
    "EventId": lambda event: [event["EventId"]],
    "EventName": lambda event: [event["EventName"]],
    "EventSource": lambda event: [event["EventSource"]],
    "ReadOnly": lambda event: [event["ReadOnly"]],
    "Username": lambda event: [event["Username"]],
    "AccessKeyId": lambda event: [event["AccessKeyId"]],
    "ResourceName": lambda event: [resource["ResourceName"] for resource in event["Resources"]],
}
