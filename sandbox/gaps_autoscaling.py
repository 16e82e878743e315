"""What moto's Auto Scaling leaves out of groups and policies: names that are taken, settings, protection, names and ARNs of policies."""

from typing import Any
from uuid import uuid4

import gaps_instances
import gaps_refresh
from gaps_instances import group_of
from moto.autoscaling.exceptions import AutoscalingClientError, ValidationError
from moto.autoscaling.models import AutoScalingBackend, FakeAutoScalingGroup, FakeScalingPolicy
from moto.autoscaling.responses import AutoScalingResponse
from moto.core.responses import ActionResult, EmptyResult
from moto.ec2.exceptions import EC2ClientError

# Settings that moto takes at most at creation, and the attribute that its answers are made from.
SETTINGS = {
    "AvailabilityZoneDistribution": "availability_zone_distribution",
    "AvailabilityZoneImpairmentPolicy": "availability_zone_impairment_policy",
    "CapacityRebalance": "capacity_rebalance",
    "CapacityReservationSpecification": "capacity_reservation_specification",
    "DefaultCooldown": "default_cooldown",
    "DefaultInstanceWarmup": "default_instance_warmup",
    "DeletionProtection": "deletion_protection",
    "DesiredCapacityType": "desired_capacity_type",
    "HealthCheckGracePeriod": "health_check_grace_period",
    "InstanceLifecyclePolicy": "instance_lifecycle_policy",
    "InstanceMaintenancePolicy": "instance_maintenance_policy",
    "MaxInstanceLifetime": "max_instance_lifetime",
    "PlacementGroup": "placement_group",
    "ServiceLinkedRoleARN": "service_linked_role_arn",
    "TerminationPolicies": "termination_policies",
}
# What switches a setting off, so that answers have none.
NONE = {"DefaultInstanceWarmup": -1, "MaxInstanceLifetime": 0, "PlacementGroup": ""}
METRICS = [
    f"{scope}{what}"
    for scope, whats in {
        "Group": "MinSize MaxSize DesiredCapacity InServiceInstances PendingInstances StandbyInstances TerminatingInstances "
        "TotalInstances InServiceCapacity PendingCapacity StandbyCapacity TerminatingCapacity TotalCapacity",
        "WarmPool": "DesiredCapacity WarmedCapacity PendingCapacity TerminatingCapacity TotalCapacity",
        "GroupAndWarmPool": "DesiredCapacity TotalCapacity",
    }.items()
    for what in whats.split()
]


def close_gaps() -> None:
    """Called once, before the first Auto Scaling request is served."""
    close_group_gaps()
    close_policy_gaps()
    gaps_instances.close_gaps()
    gaps_refresh.close_gaps()


def close_group_gaps() -> None:
    create, update = AutoScalingResponse.create_auto_scaling_group, AutoScalingResponse.update_auto_scaling_group
    delete, describe = AutoScalingResponse.delete_auto_scaling_group, AutoScalingResponse.describe_auto_scaling_groups

    def create_auto_scaling_group(response: Any) -> Any:
        name = response._get_param("AutoScalingGroupName")
        if name in response.autoscaling_backend.autoscaling_groups:
            message = f"AutoScalingGroup by this name already exists - A group with the name {name} already exists"
            raise AutoscalingClientError("AlreadyExists", message)
        answer = fully_formed(create, response)
        group = group_of(response)
        group.health_check_grace_period = 0  # AWS's default; moto's is that of the console.
        settle(response, group)
        return answer

    def update_auto_scaling_group(response: Any) -> Any:
        group = group_of(response)
        policy = group.mixed_instances_policy
        answer = fully_formed(update, response)
        if not response._get_param("MixedInstancesPolicy") and not response._get_param("LaunchTemplate"):
            group.mixed_instances_policy = policy  # moto takes it away from whoever does not send it again.
        settle(response, group)
        return answer

    def delete_auto_scaling_group(response: Any) -> Any:
        group, force = group_of(response), response._get_bool_param("ForceDelete", False)
        protection = getattr(group, "deletion_protection", None)
        if protection == "prevent-all-deletion" or (force and protection == "prevent-force-deletion"):
            raise ValidationError(f"The Auto Scaling group {group.name} is protected against deletion: {protection}.")
        if group.instance_states and not force:
            message = "You cannot delete an AutoScalingGroup while there are instances or pending Spot instance request(s) still in"
            message += " the group."
            raise AutoscalingClientError("ResourceInUse", message)
        for state in group.instance_states:  # Protection from scale-in does not hold a forced deletion up.
            state.protected_from_scale_in = False
        answer = delete(response)
        policies = response.autoscaling_backend.policies
        for key in [key for key in policies if key[0] == group.name]:
            del policies[key]
        return answer

    def describe_auto_scaling_groups(response: Any) -> Any:
        for group in response.autoscaling_backend.autoscaling_groups.values():
            gaps_refresh.advance(group)
        answer = describe(response)
        if not response._get_bool_param("IncludeInstances", True):
            answer.result["AutoScalingGroups"] = [WithoutInstances(group) for group in answer.result["AutoScalingGroups"]]
        return answer

    AutoScalingResponse.create_auto_scaling_group = create_auto_scaling_group
    AutoScalingResponse.update_auto_scaling_group = update_auto_scaling_group
    AutoScalingResponse.delete_auto_scaling_group = delete_auto_scaling_group
    AutoScalingResponse.describe_auto_scaling_groups = describe_auto_scaling_groups
    AutoScalingResponse.enable_metrics_collection = enable_metrics_collection
    AutoScalingResponse.disable_metrics_collection = disable_metrics_collection
    AutoScalingResponse.describe_scaling_activities = describe_scaling_activities
    AutoScalingResponse.create_or_update_tags = of_groups_there(AutoScalingResponse.create_or_update_tags)
    AutoScalingResponse.delete_tags = of_groups_there(AutoScalingResponse.delete_tags)
    FakeAutoScalingGroup.launch_template = property(launch_template)


def fully_formed(change: Any, response: Any) -> Any:
    """AWS holds the launch template against EC2 when a group begins to use it, and says in its own error what is missing."""
    try:
        return change(response)
    except EC2ClientError as error:
        raise ValidationError(f"You must use a valid fully-formed launch template. {error.message}") from error


def settle(response: Any, group: Any) -> None:
    for name, attribute in SETTINGS.items():
        wanted = response._get_param(name)
        if wanted is not None:
            value = None if wanted == NONE.get(name) else wanted
            setattr(group, attribute, value)
    policy = getattr(group, "instance_maintenance_policy", None)
    if policy and -1 in policy.values():
        group.instance_maintenance_policy = None


def launch_template(group: Any) -> Any:
    if group.mixed_instances_policy or group.ec2_launch_template is None:
        return None
    template = group.ec2_launch_template
    version = getattr(group, "provided_launch_template_version", None)
    return {"LaunchTemplateId": template.id, "LaunchTemplateName": template.name, "Version": version}


class WithoutInstances:
    """A group as it is described to somebody who does not want its instances."""

    def __init__(self, group: Any) -> None:
        self.group = group
        self.instances: list[Any] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.group, name)


def of_groups_there(change: Any) -> Any:
    def change_tags(response: Any) -> Any:
        for tag in response._get_param("Tags", []):
            if tag["ResourceId"] not in response.autoscaling_backend.autoscaling_groups:
                raise ValidationError(f"AutoScalingGroup name not found - AutoScalingGroup '{tag['ResourceId']}' not found")
        return change(response)

    return change_tags


def enable_metrics_collection(response: Any) -> Any:
    group = group_of(response)
    group.metrics = sorted({*group.metrics, *(response._get_param("Metrics") or METRICS)})
    return EmptyResult()


def disable_metrics_collection(response: Any) -> Any:
    group = group_of(response)
    gone = response._get_param("Metrics") or METRICS
    group.metrics = [metric for metric in group.metrics if metric not in gone]
    return EmptyResult()


def describe_scaling_activities(response: Any) -> Any:
    name = response._get_param("AutoScalingGroupName")
    groups = response.autoscaling_backend.autoscaling_groups.values()
    found = [activity for group in groups if name in (None, group.name) for activity in getattr(group, "sandbox_activities", [])]
    return ActionResult({"Activities": found[::-1][: response._get_int_param("MaxRecords") or 100]})


def close_policy_gaps() -> None:
    put = AutoScalingBackend.put_scaling_policy

    def put_scaling_policy(backend: Any, **asked: Any) -> Any:
        key = (asked["as_name"], asked["name"])
        before = backend.policies.get(key)
        policy = put(backend, **asked)
        backend.policies[key] = backend.policies.pop(asked["name"])
        policy.sandbox_id = before.sandbox_id if before else str(uuid4())
        policy.cooldown = asked["cooldown"]  # Where a policy has none, the group's applies; moto gives it one of its own.
        return policy

    def answer_put(response: Any) -> Any:
        group = group_of(response)
        AutoScalingResponse.sandbox_put(response)
        policy = response.autoscaling_backend.policies[(group.name, response._get_param("PolicyName"))]
        policy.enabled = response._get_bool_param("Enabled", True)
        return ActionResult({"PolicyARN": policy.arn, "Alarms": []})

    AutoScalingResponse.sandbox_put = AutoScalingResponse.put_scaling_policy
    AutoScalingResponse.put_scaling_policy = answer_put
    AutoScalingResponse.delete_policy = delete_policy
    AutoScalingResponse.execute_policy = execute_policy
    AutoScalingResponse.describe_policies = describe_policies
    AutoScalingBackend.put_scaling_policy = put_scaling_policy
    FakeScalingPolicy.arn = FakeScalingPolicy.policy_arn = property(arn_of)


def arn_of(policy: Any) -> str:
    backend = policy.autoscaling_backend
    own = f"{policy.sandbox_id}:autoScalingGroupName/{policy.auto_scaling_group_name}:policyName/{policy.name}"
    return f"arn:aws:autoscaling:{backend.region_name}:{backend.account_id}:scalingPolicy:{own}"


def policies_of(response: Any, wanted: list[str]) -> list[Any]:
    name = response._get_param("AutoScalingGroupName")
    policies = response.autoscaling_backend.policies.values()
    inside = [policy for policy in policies if name in (None, policy.auto_scaling_group_name)]
    return [policy for policy in inside if not wanted or policy.name in wanted or policy.arn in wanted]


def describe_policies(response: Any) -> Any:
    types = response._get_param("PolicyTypes") or []
    named = policies_of(response, response._get_param("PolicyNames") or [])
    found = [policy for policy in named if not types or policy.policy_type in types]
    start, size = int(response._get_param("NextToken") or 0), response._get_int_param("MaxRecords") or 50
    rest = {"NextToken": str(start + size)} if len(found) > start + size else {}
    return ActionResult({"ScalingPolicies": found[start : start + size], **rest})


def delete_policy(response: Any) -> Any:
    if response._get_param("AutoScalingGroupName"):
        group_of(response)
    found = policies_of(response, [response._get_param("PolicyName")])
    if not found:
        raise ValidationError(f"Policy {response._get_param('PolicyName')} not found")
    for policy in found:
        del response.autoscaling_backend.policies[(policy.auto_scaling_group_name, policy.name)]
    return EmptyResult()


def execute_policy(response: Any) -> Any:
    for policy in policies_of(response, [response._get_param("PolicyName")]):
        policy.execute()
    return EmptyResult()
