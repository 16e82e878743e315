"""Where moto differs from AWS so that a user would see a wrong product, closed service by service.

A service's gaps are closed when its first request arrives, so that nothing is loaded for services nobody calls.
What stays open is listed in gaps.yaml.
"""

import time
from dataclasses import replace
from select import select
from socket import MSG_PEEK
from threading import Lock
from typing import Any

from flask import has_request_context, request

from trail import Trail

# How long a long poll lets others in before it looks again. moto itself would spin, and hold the lock.
POLL_PAUSE_SECONDS = 0.1


def close_gaps(service: str, lock: Lock, trail: Trail) -> None:
    """Corrects moto's backend of `service` in place. Call it once per service, before its first request is served."""
    if service == "ec2":
        import gaps_ec2
        import gaps_flow_logs
        import gaps_launch
        import gaps_network

        gaps_ec2.close_gaps()
        gaps_flow_logs.close_gaps()
        gaps_launch.close_gaps()
        gaps_network.close_gaps()
    elif service == "autoscaling":
        import gaps_autoscaling

        gaps_autoscaling.close_gaps()
    elif service == "dynamodb":
        import gaps_dynamodb
        import gaps_transactions

        gaps_dynamodb.close_gaps()
        gaps_transactions.close_gaps()
    elif service == "iam":
        import gaps_iam

        gaps_iam.close_gaps()
    elif service == "elb":  # moto tells the two generations of load balancers apart later.
        import gaps_elbv2

        gaps_elbv2.close_gaps()
    elif service == "logs":
        import gaps_logs

        gaps_logs.close_gaps()
    elif service == "s3":
        import gaps_s3

        gaps_s3.close_gaps()
    elif service == "resourcegroupstaggingapi":
        close_tagging_gaps()
    elif service == "route53":
        import gaps_route53

        gaps_route53.close_gaps()
    elif service == "route53domains":
        import gaps_route53domains

        gaps_route53domains.close_gaps()
    elif service == "acm":
        import gaps_acm

        gaps_acm.close_gaps()
    elif service == "sqs":
        close_sqs_gaps(lock)
    elif service == "cloudwatch":
        import gaps_cloudwatch

        gaps_cloudwatch.close_gaps()
    elif service == "wafv2":
        import gaps_wafv2

        gaps_wafv2.close_gaps()
    elif service == "events":
        import gaps_events

        gaps_events.close_gaps()
    elif service == "cloudtrail":
        import gaps_cloudtrail

        gaps_cloudtrail.close_gaps(trail)


def close_tagging_gaps() -> None:
    """Log groups are `logs:log-group` at AWS, and `logs:loggroup` in moto; repositories, and hosted zones in us-east-1, it does not see."""
    import gaps_ecr
    from gaps_route53 import TaggedZones
    from moto.logs.models import LogsBackend
    from moto.resourcegroupstaggingapi import models

    original, backends = LogsBackend.iter_tagged_resources, models.iter_taggable_backends

    def iter_tagged_resources(backend: Any) -> Any:
        return (replace(resource, resource_type="logs:log-group") for resource in original(backend))

    def iter_taggable_backends(account_id: str, region: str) -> Any:
        yield from backends(account_id, region)
        yield from gaps_ecr.taggable_backends(account_id, region)
        if region == "us-east-1":
            yield TaggedZones(account_id)

    LogsBackend.iter_tagged_resources = iter_tagged_resources
    models.iter_taggable_backends = iter_taggable_backends


def close_sqs_gaps(lock: Lock) -> None:
    from moto.sqs.models import SQSBackend

    original, set_attributes = SQSBackend.receive_message, SQSBackend.set_queue_attributes

    def receive_message(backend: Any, queue_name: str, count: int, wait_seconds_timeout: int, *rest: Any, **options: Any) -> Any:
        ends = time.monotonic() + wait_seconds_timeout
        while True:
            drop_expired(backend.get_queue(queue_name))
            messages = original(backend, queue_name, count, 0, *rest, **options)
            if messages or time.monotonic() >= ends:
                return messages
            pause_unlocked(lock)
            if is_caller_gone():
                return []

    def set_queue_attributes(backend: Any, queue_name: str, attributes: dict[str, Any]) -> Any:
        # moto drops the policy whenever something else is set.
        return set_attributes(backend, queue_name, {"Policy": backend.get_queue(queue_name).policy, **attributes})

    SQSBackend.receive_message = receive_message
    # moto counts the whole queue for each message, to tell whether it has expired: those that have are dropped above.
    SQSBackend.is_message_valid_based_on_retention_period = lambda *_: True
    SQSBackend.set_queue_attributes = set_queue_attributes


def drop_expired(queue: Any) -> None:
    """Messages past the queue's retention, which are the oldest. moto keeps them, and gives nothing out while one is the first."""
    messages = queue._messages
    expires = time.time() * 1000 - queue.message_retention_period * 1000
    old = next((index for index, message in enumerate(messages) if message.sent_timestamp > expires), len(messages))
    for message in messages[:old]:
        queue.pending_messages.discard(message)
    del messages[:old]


def is_caller_gone() -> bool:
    """Whether who polls has hung up: what were given to nobody would be hidden from everybody else for a while."""
    connection = request.environ.get("werkzeug.socket") if has_request_context() else None
    try:
        # What can be read of a caller who waits is its end.
        return connection is not None and bool(select([connection], [], [], 0)[0]) and connection.recv(1, MSG_PEEK) == b""
    except OSError:
        return True


def pause_unlocked(lock: Lock) -> None:
    """Sleeps while other requests are served; the caller's request holds the lock before and after."""
    lock.release()
    try:
        time.sleep(POLL_PAUSE_SECONDS)
    finally:
        lock.acquire()
