"""EventBridge as AWS delivers: a disabled rule sends nothing, a target that fails takes no other with it, and a queue takes what its
policy lets a rule send. What cannot be delivered is dropped, as at AWS without a dead-letter queue."""

import json
import sys
import traceback
import uuid
from datetime import UTC, datetime
from typing import Any

from moto.events.models import Rule

import gaps
from policies import ALLOWED, Policy, decide


def close_gaps() -> None:
    send, send_to_queue = Rule.send_to_targets, Rule._send_to_sqs_queue

    def send_to_targets(rule: Any, event: Any, transform_input: bool = True) -> None:
        if rule.state == "DISABLED":
            return
        try:
            # moto compiles a template for every event, 10 ms each, also where it is to be sent as it is.
            send(rule, event, transform_input and not all(is_plain(target) for target in rule.targets))
        except Exception:
            traceback.print_exc()

    def send_to_sqs_queue(rule: Any, name: str, event: Any, group_id: str | None = None) -> None:
        queue = queue_of(rule, name)
        if queue is None or not may_send(rule, queue):
            return
        if queue.fifo_queue:
            send_to_queue(rule, name, event, group_id)
        else:
            add(queue, event)

    Rule.send_to_targets = send_to_targets
    Rule._send_to_sqs_queue = send_to_sqs_queue


def is_plain(target: dict[str, Any]) -> bool:
    return "InputTransformer" not in target and (":sqs:" in target["Arn"] or ":event-bus/" in target["Arn"])


def queue_of(rule: Any, name: str) -> Any:
    models = sys.modules.get("moto.sqs.models")
    return models and models.sqs_backends[rule.account_id][rule.region_name].queues.get(name)


def add(queue: Any, event: dict[str, Any]) -> None:
    """moto's own way counts all that waits in the queue for every message, and nobody may be reading: 30 ms a call with a thousand."""
    from moto.sqs.models import Message

    at = datetime.fromtimestamp(float(event["time"]), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    sent = {name: value for name, value in event.items() if name != "ingestion-time"}
    message = Message(str(uuid.uuid4()), json.dumps({**sent, "time": at}), None)
    message.mark_sent(delay_seconds=queue.delay_seconds)
    queue.add_message(message)
    gaps.drop_expired(queue)


def may_send(rule: Any, queue: Any) -> bool:
    statements = [statement for statement in queue._policy_json.get("Statement", []) if is_for_rules(statement.get("Principal"))]
    context = {"aws:SourceArn": [rule.arn], "aws:SourceAccount": [rule.account_id], "aws:PrincipalServiceName": ["events.amazonaws.com"]}
    policy = Policy(name="queue", source="queue", document={"Statement": statements})
    return decide([policy], "sqs:SendMessage", queue.queue_arn, context).verdict == ALLOWED


def is_for_rules(principal: Any) -> bool:
    services = principal.get("Service", []) if isinstance(principal, dict) else principal
    return principal == "*" or "events.amazonaws.com" in (services if isinstance(services, list) else [services])
