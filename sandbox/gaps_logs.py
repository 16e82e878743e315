"""What moto's CloudWatch Logs leaves out of log groups: look-up by identifier, class, deletion protection, keys and tags that end with the group."""

import json
from typing import Any

from moto.logs.exceptions import ResourceNotFoundException, ValidationException
from moto.logs.models import LogGroup, LogsBackend
from moto.logs.responses import LogsResponse

# AWS takes a name or an ARN as a log group's identifier.
ARN_MARK = ":log-group:"


def close_gaps() -> None:
    """Called once, before the first CloudWatch Logs request is served."""
    describe_dict, create, describe, delete = (
        LogGroup.to_describe_dict,
        LogsResponse.create_log_group,
        LogsResponse.describe_log_groups,
        LogsBackend.delete_log_group,
    )

    def to_describe_dict(group: Any) -> Any:
        own = {"logGroupClass": class_of(group), "deletionProtectionEnabled": is_protected(group)}
        return {**describe_dict(group), **own}

    def create_log_group(response: Any) -> str:
        answer = create(response)
        group = group_of(response, response._get_param("logGroupName"))
        group.sandbox_class = response._get_param("logGroupClass")
        group.sandbox_protected = response._get_param("deletionProtectionEnabled")
        return answer

    def describe_log_groups(response: Any) -> str:
        wanted = response._get_param("logGroupIdentifiers")
        if not wanted:
            return describe(response)
        groups = response.logs_backend.groups
        found = [groups[name] for name in map(name_of, wanted) if name in groups]
        return json.dumps({"logGroups": [group.to_describe_dict() for group in found]})

    def delete_log_group(backend: Any, log_group_name: str) -> None:
        group = backend.groups.get(log_group_name)
        if is_protected(group):
            raise ValidationException(f"Log group {log_group_name} is protected against deletion.")
        delete(backend, log_group_name)
        # A group made later under the same name has the same ARN, and would come up with these tags.
        backend.tagger.delete_all_tags_for_resource(group.arn)

    LogGroup.to_describe_dict = to_describe_dict
    LogsBackend.delete_log_group = delete_log_group
    LogsResponse.create_log_group = create_log_group
    LogsResponse.describe_log_groups = describe_log_groups
    LogsResponse.put_log_group_deletion_protection = put_log_group_deletion_protection
    LogsResponse.associate_kms_key = associate_kms_key
    LogsResponse.disassociate_kms_key = disassociate_kms_key


def put_log_group_deletion_protection(response: Any) -> str:
    group_of(response, response._get_param("logGroupIdentifier")).sandbox_protected = response._get_param("deletionProtectionEnabled")
    return ""


def associate_kms_key(response: Any) -> str:
    group_of(response, response._get_param("logGroupName")).kms_key_id = response._get_param("kmsKeyId")
    return ""


def disassociate_kms_key(response: Any) -> str:
    group_of(response, response._get_param("logGroupName")).kms_key_id = None
    return ""


def group_of(response: Any, identifier: str) -> Any:
    group = response.logs_backend.groups.get(name_of(identifier))
    if group is None:
        raise ResourceNotFoundException()
    return group


def name_of(identifier: str) -> str:
    return identifier.split(ARN_MARK)[-1]


def class_of(group: Any) -> str:
    return getattr(group, "sandbox_class", None) or "STANDARD"


def is_protected(group: Any) -> bool:
    return bool(getattr(group, "sandbox_protected", False))
