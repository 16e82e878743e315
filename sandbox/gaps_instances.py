"""The instances of Auto Scaling groups: as their launch template says them, in all of the group's subnets, and out of its target groups at the end."""

from typing import Any
from uuid import uuid4

from moto.autoscaling.exceptions import ValidationError
from moto.autoscaling.models import AutoScalingBackend, FakeAutoScalingGroup, InstanceState
from moto.core.utils import utcnow
from moto.ec2.models.instance_types import INSTANCE_TYPES


def close_gaps() -> None:
    launch = FakeAutoScalingGroup.replace_autoscaling_group_instances
    update_targets = AutoScalingBackend.update_attached_target_groups

    def replace_autoscaling_group_instances(group: Any, count_needed: int, propagated_tags: dict[str, str]) -> None:
        if group.ec2_launch_template is None:
            launch(group, count_needed, propagated_tags)
            return
        for _ in range(count_needed):
            launch_one(group, group.ec2_launch_template.get_version(group.launch_template_version))

    def update_attached_target_groups(backend: Any, group_name: str) -> None:
        group = backend.autoscaling_groups[group_name]
        present = {state.instance.id for state in group.instance_states}
        for arn in group.target_group_arns:  # AWS takes an instance that ends out of its target groups; moto leaves it there.
            registered = backend.elbv2_backend.target_groups[arn].targets
            gone = [target for target in registered if target not in present and was_of(backend, target, group)]
            backend.elbv2_backend.deregister_targets(arn, [{"Id": target} for target in gone])
        update_targets(backend, group_name)

    FakeAutoScalingGroup.replace_autoscaling_group_instances = replace_autoscaling_group_instances
    AutoScalingBackend.update_attached_target_groups = update_attached_target_groups
    template = InstanceState.launch_template
    InstanceState.launch_template = property(lambda state: getattr(state, "sandbox_template", None) or template.fget(state))


def was_of(backend: Any, instance_id: str, group: Any) -> bool:
    instance = backend.ec2_backend.get_instance_by_id(instance_id)
    return getattr(instance, "autoscaling_group", None) is group


def launch_one(group: Any, version: Any, subnet_id: str | None = None) -> Any:
    """One more instance of the version, there or where the group has fewest; None, and a failed activity, where AWS has no such type."""
    data, template = version.data, version.template
    type_name = type_of(group, data)
    if type_name not in INSTANCE_TYPES:
        failed(group, f"Invalid value '{type_name}' for InstanceType. Launching EC2 instance failed.")
        return None
    interface = next(iter(data.get("NetworkInterfaces") or []), {})
    groups = data.get("SecurityGroupIds") or interface.get("Groups") or []
    zone, subnet_id = place_for(group, interface, subnet_id)
    reservation = group.autoscaling_backend.ec2_backend.run_instances(
        data.get("ImageId"),
        1,
        data.get("UserData"),
        data.get("SecurityGroups") or [],
        security_group_ids=groups,
        instance_type=type_name,
        key_name=data.get("KeyName"),
        ebs_optimized=data.get("EbsOptimized", False),
        metadata_options=data.get("MetadataOptions") or {},
        monitoring_state="enabled" if (data.get("Monitoring") or {}).get("Enabled") else "disabled",
        tags={"instance": {**version.instance_tags, **group.get_propagated_tags(), "aws:autoscaling:groupName": group.name}},
        placement=zone,
        launch_template={"LaunchTemplateId": template.id, "Version": str(version.number)},
        is_instance_type_default=False,
        associate_public_ip=interface.get("AssociatePublicIpAddress"),
        subnet_id=subnet_id,
    )
    [instance] = reservation.instances
    instance.autoscaling_group = group
    state = InstanceState(instance, protected_from_scale_in=group.new_instances_protected_from_scale_in)
    named = {"LaunchTemplateId": template.id, "LaunchTemplateName": template.name}
    state.sandbox_template = {**named, "Version": str(version.number)}
    group.instance_states.append(state)
    return state


def type_of(group: Any, data: Any) -> str:
    overrides = ((group.mixed_instances_policy or {}).get("LaunchTemplate") or {}).get("Overrides") or [{}]
    # Types that are chosen by their attributes are all alike here.
    chosen = "t3.medium" if overrides[0].get("InstanceRequirements") or data.get("InstanceRequirements") else None
    return overrides[0].get("InstanceType") or data.get("InstanceType") or chosen or "m1.small"


def place_for(group: Any, interface: Any, wanted: str | None) -> tuple[str, str | None]:
    subnets = group.vpc_zone_identifier.split(",") if group.vpc_zone_identifier else []
    if wanted in subnets:
        subnets = [wanted]
    if not subnets:
        return group.availability_zones[0], interface.get("SubnetId")
    used = [state.instance.subnet_id for state in group.instance_states]
    subnet = group.ec2_backend.get_subnet(min(subnets, key=used.count))
    return subnet.availability_zone, subnet.id


def failed(group: Any, message: str) -> None:
    activity = {
        "ActivityId": str(uuid4()),
        "AutoScalingGroupName": group.name,
        "Cause": "an instance was started in response to a difference between desired and actual capacity",
        "Description": "Launching a new EC2 instance",
        "StartTime": utcnow(),
        "EndTime": utcnow(),
        "StatusCode": "Failed",
        "StatusMessage": message,
    }
    group.sandbox_activities = [*getattr(group, "sandbox_activities", []), activity]


def group_of(response: Any) -> Any:
    name = response._get_param("AutoScalingGroupName")
    group = response.autoscaling_backend.autoscaling_groups.get(name)
    if group is None:
        raise ValidationError(f"AutoScalingGroup name not found - AutoScalingGroup '{name}' not found")
    return group
