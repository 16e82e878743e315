"""Instance refreshes, which moto does not have: instances are really replaced, one each time that somebody looks.

A look is a DescribeInstanceRefreshes or a DescribeAutoScalingGroups call. A refresh fails where AWS has no instance type of that name.
"""

from typing import Any
from uuid import uuid4

from gaps_instances import group_of, launch_one
from moto.autoscaling.exceptions import AutoscalingClientError, ValidationError
from moto.autoscaling.responses import AutoScalingResponse
from moto.core.responses import ActionResult
from moto.core.utils import utcnow

ACTIVE = ("Pending", "InProgress", "Cancelling", "RollbackInProgress", "Baking")
FLEXIBLE = ("$Latest", "$Default")


def close_gaps() -> None:
    for call in (start_instance_refresh, describe_instance_refreshes, cancel_instance_refresh, rollback_instance_refresh):
        setattr(AutoScalingResponse, call.__name__, call)


def refreshes_of(group: Any) -> list[dict[str, Any]]:
    """Newest first."""
    if not hasattr(group, "sandbox_refreshes"):
        group.sandbox_refreshes = []
    return group.sandbox_refreshes


def active_of(group: Any) -> Any:
    return next((refresh for refresh in refreshes_of(group) if refresh["Status"] in ACTIVE), None)


def start_instance_refresh(response: Any) -> Any:
    group = group_of(response)
    if active_of(group):
        message = "An Instance Refresh is already in progress and blocks the execution of this Instance Refresh."
        raise AutoscalingClientError("InstanceRefreshInProgress", message)
    preferences, wanted = response._get_param("Preferences") or {}, response._get_param("DesiredConfiguration") or None
    if preferences.get("AutoRollback") and not can_roll_back(group, wanted):
        raise ValidationError("AutoRollback needs a desired configuration, and a version that is neither $Latest nor $Default.")
    refresh = {
        "InstanceRefreshId": str(uuid4()),
        "AutoScalingGroupName": group.name,
        "Status": "Pending",
        "StartTime": utcnow(),
        "PercentageComplete": 0,
        "InstancesToUpdate": len(group.instance_states),
        "Strategy": response._get_param("Strategy") or "Rolling",
        "Preferences": preferences,
        "DesiredConfiguration": wanted,
    }
    group.sandbox_waiting = [state.instance.id for state in group.instance_states]
    group.sandbox_total = len(group.instance_states)
    refreshes_of(group).insert(0, refresh)
    return ActionResult({"InstanceRefreshId": refresh["InstanceRefreshId"]})


def can_roll_back(group: Any, wanted: Any) -> bool:
    return bool(wanted) and group.launch_template_version not in FLEXIBLE


def describe_instance_refreshes(response: Any) -> Any:
    group = group_of(response)
    advance(group)
    wanted = response._get_param("InstanceRefreshIds") or []
    found = [refresh for refresh in refreshes_of(group) if not wanted or refresh["InstanceRefreshId"] in wanted]
    start, size = int(response._get_param("NextToken") or 0), response._get_int_param("MaxRecords") or 50
    rest = {"NextToken": str(start + size)} if len(found) > start + size else {}
    return ActionResult({"InstanceRefreshes": found[start : start + size], **rest})


def cancel_instance_refresh(response: Any) -> Any:
    group = group_of(response)
    refresh = active_or_error(group)
    refresh["Status"] = "Cancelling"
    return ActionResult({"InstanceRefreshId": refresh["InstanceRefreshId"]})


def rollback_instance_refresh(response: Any) -> Any:
    group = group_of(response)
    refresh = active_or_error(group)
    if not can_roll_back(group, refresh["DesiredConfiguration"]):
        raise AutoscalingClientError("IrreversibleInstanceRefresh", "The instance refresh cannot be rolled back.")
    roll_back(group, refresh, "A rollback was asked for.")
    return ActionResult({"InstanceRefreshId": refresh["InstanceRefreshId"]})


def active_or_error(group: Any) -> Any:
    refresh = active_of(group)
    if refresh is None:
        message = f"No in progress or pending Instance Refresh found for Auto Scaling group {group.name}"
        raise AutoscalingClientError("ActiveInstanceRefreshNotFound", message)
    return refresh


def advance(group: Any) -> None:
    """Whatever happens between two looks."""
    refresh = active_of(group)
    if refresh is None:
        return
    if refresh["Status"] == "Cancelling":
        end(refresh, "Cancelled", "Cancelled on request.")
    elif refresh["Status"] == "Pending":
        refresh["Status"] = "InProgress"
    elif refresh["Status"] == "RollbackInProgress":
        step(group, refresh, template_version(group, None), "RollbackSuccessful")
    else:
        step(group, refresh, template_version(group, refresh["DesiredConfiguration"]), "Successful")


def step(group: Any, refresh: dict[str, Any], version: Any, outcome: str) -> None:
    present = {state.instance.id: state for state in group.instance_states}
    skips = refresh["Preferences"].get("SkipMatching") or outcome == "RollbackSuccessful"
    waiting = [own for own in group.sandbox_waiting if own in present and not (skips and runs(present[own], version))]
    if waiting:
        old = present[waiting.pop(0)]
        if launch_one(group, version, old.instance.subnet_id) is None:
            fail(group, refresh)
            return
        group.ec2_backend.terminate_instances([old.instance.id])
        group.instance_states.remove(old)
        group.autoscaling_backend.update_attached_target_groups(group.name)
    group.sandbox_waiting = waiting
    refresh["InstancesToUpdate"] = len(waiting)
    refresh["PercentageComplete"] = 100 - 100 * len(waiting) // max(1, group.sandbox_total)
    if not waiting:
        end(refresh, outcome, None)
        if outcome == "Successful":
            configure(group, refresh["DesiredConfiguration"] or {})


def runs(state: Any, version: Any) -> bool:
    own = state.launch_template or {}
    return own.get("LaunchTemplateId") == version.template.id and str(own.get("Version")) == str(version.number)


def fail(group: Any, refresh: dict[str, Any]) -> None:
    reason = group.sandbox_activities[-1]["StatusMessage"]
    if refresh["Status"] != "RollbackInProgress" and refresh["Preferences"].get("AutoRollback"):
        roll_back(group, refresh, reason)
    else:
        end(refresh, "RollbackFailed" if refresh["Status"] == "RollbackInProgress" else "Failed", reason)


def roll_back(group: Any, refresh: dict[str, Any], reason: str) -> None:
    refresh.update(Status="RollbackInProgress", StatusReason=reason)
    refresh["RollbackDetails"] = {"RollbackReason": reason, "RollbackStartTime": utcnow()}
    group.sandbox_waiting = [state.instance.id for state in group.instance_states]


def end(refresh: dict[str, Any], status: str, reason: str | None) -> None:
    refresh.update(Status=status, EndTime=utcnow(), **({"StatusReason": reason} if reason else {}))


def template_version(group: Any, wanted: Any) -> Any:
    policy = (wanted or {}).get("MixedInstancesPolicy")
    named = (wanted or {}).get("LaunchTemplate") or (policy and policy["LaunchTemplate"]["LaunchTemplateSpecification"])
    if not named:
        return group.ec2_launch_template.get_version(group.launch_template_version)
    backend, name = group.ec2_backend, named.get("LaunchTemplateName")
    template = backend.get_launch_template_by_name(name) if name else backend.get_launch_template(named["LaunchTemplateId"])
    return template.get_version(named.get("Version") or "$Default")


def configure(group: Any, wanted: Any) -> None:
    policy = wanted.get("MixedInstancesPolicy")
    if policy or wanted.get("LaunchTemplate"):
        group.mixed_instances_policy = policy
        group._set_launch_configuration("", {} if policy else wanted["LaunchTemplate"], policy)
