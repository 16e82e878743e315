"""What takes time at AWS takes time here, too: with `--delay-seconds N`, so long after each create (or change) of it.

moto is instantaneous, so that waiting, polling and a death while something is pending would never be seen. A NAT gateway and a
load balancer are pending, a table is CREATING or UPDATING, a certificate is PENDING_VALIDATION, and EC2 does not know a new
instance profile. The states are worked out from the time of the create when somebody looks; no timer runs.
"""

import time
from typing import Any

PROFILE_UNKNOWN = "Invalid IAM Instance Profile name"


def close_delays(service: str, seconds: float) -> None:
    """Puts the delays of one service in front of moto's methods. Call it once per service, after its gaps are closed."""
    if seconds <= 0:
        return
    if service == "ec2":
        delay_nat_gateways(seconds)
    elif service == "elb":  # moto's one application for both generations of the API
        delay_load_balancers(seconds)
    elif service == "dynamodb":
        delay_tables(seconds)
    elif service == "autoscaling":
        delay_instance_profiles(seconds)
    elif service == "acm":
        from moto import settings

        settings.ACM_VALIDATION_WAIT = seconds


def delay_nat_gateways(seconds: float) -> None:
    from moto.ec2.models import EC2Backend

    create, describe = EC2Backend.create_nat_gateway, EC2Backend.describe_nat_gateways

    def create_nat_gateway(backend: Any, *args: Any, **options: Any) -> Any:
        gateway = create(backend, *args, **options)
        if gateway.state == "available":
            gateway.state, gateway.available_at = "pending", time.monotonic() + seconds
        return gateway

    def describe_nat_gateways(backend: Any, *args: Any, **options: Any) -> Any:
        for gateway in backend.nat_gateways.values():
            if gateway.state == "pending" and time.monotonic() >= gateway.available_at:
                gateway.state = "available"
        return describe(backend, *args, **options)

    EC2Backend.create_nat_gateway = create_nat_gateway
    EC2Backend.describe_nat_gateways = describe_nat_gateways


def delay_load_balancers(seconds: float) -> None:
    from moto.elbv2.models import FakeLoadBalancer

    def activate(balancer: Any) -> None:
        first_look = balancer.__dict__.setdefault("first_look", time.monotonic())
        if balancer.state == "provisioning" and time.monotonic() >= first_look + seconds:
            balancer.state = "active"

    FakeLoadBalancer.activate = activate


def delay_tables(seconds: float) -> None:
    """A table that was just made or changed cannot be changed or deleted, as AWS has it."""
    from moto.dynamodb.exceptions import ResourceInUseException
    from moto.dynamodb.models import DynamoDBBackend
    from moto.dynamodb.models.table import Table

    describe = Table.describe

    def busy_until(table: Any) -> float:
        return table.__dict__.get("busy_until", 0.0)

    def described(table: Any, base_key: str = "TableDescription") -> Any:
        answer = describe(table, base_key)
        if time.monotonic() < busy_until(table):
            answer[base_key]["TableStatus"] = table.busy_as
        return answer

    def keeps_busy(original: Any, status: str) -> Any:
        def change(backend: Any, name: str, *args: Any, **options: Any) -> Any:
            known = backend.tables.get(name)
            if known is not None and time.monotonic() < busy_until(known):
                raise ResourceInUseException(f"Attempt to change a resource which is still in use: Table is being changed: {name}")
            answer = original(backend, name, *args, **options)
            table = backend.tables.get(name)
            if table is not None:
                table.busy_until, table.busy_as = time.monotonic() + seconds, status
            return answer

        return change

    Table.describe = described
    DynamoDBBackend.create_table = keeps_busy(DynamoDBBackend.create_table, "CREATING")
    DynamoDBBackend.update_table = keeps_busy(DynamoDBBackend.update_table, "UPDATING")
    DynamoDBBackend.delete_table = keeps_busy(DynamoDBBackend.delete_table, "DELETING")


def delay_instance_profiles(seconds: float) -> None:
    """EC2 Auto Scaling validates the profile of a group's launch template, and does not find one that IAM has just made."""
    from moto.autoscaling.exceptions import ValidationError
    from moto.autoscaling.models import AutoScalingBackend
    from moto.core.utils import unix_time, utcnow
    from moto.iam.models import iam_backends

    original = AutoScalingBackend.create_auto_scaling_group

    def is_new(account_id: str, name: str) -> bool:
        profiles = iam_backends[account_id]["aws"].instance_profiles.values()
        made = next((profile.create_date for profile in profiles if name in (profile.name, profile.arn)), None)
        return made is not None and unix_time(utcnow()) < unix_time(made) + seconds

    def create_auto_scaling_group(backend: Any, *args: Any, **options: Any) -> Any:
        name = profile_of(backend, options.get("launch_template") or {})
        if name is not None and is_new(backend.account_id, name):
            raise ValidationError(f"You must use a valid fully-formed launch template. {PROFILE_UNKNOWN}")
        return original(backend, *args, **options)

    AutoScalingBackend.create_auto_scaling_group = create_auto_scaling_group


def profile_of(backend: Any, specification: dict[str, Any]) -> str | None:
    """The name or ARN of the instance profile in the newest version of a group's launch template."""
    by_id, by_name = specification.get("LaunchTemplateId"), specification.get("LaunchTemplateName")
    if not by_id and not by_name:
        return None
    found = backend.ec2_backend.describe_launch_templates([by_name] if by_name else None, [by_id] if by_id else None)
    profile = found[0].latest_version().data.get("IamInstanceProfile", {}) if found else {}
    return profile.get("Name") or profile.get("Arn")
