"""What moto's flow logs leave out: log groups named by ARN, roles that cannot be taken on, and members that it forgets."""

import re
from typing import Any

from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import EC2Backend
from moto.ec2.responses.flow_logs import FlowLogs

LOGS = "cloud-watch-logs"
FORGOTTEN = {
    "DestinationOptions": "destination_options",
    "DeliverCrossAccountRole": "deliver_cross_account_role",
    "TagFieldSpecifications": "tag_field_specifications",
}


def close_gaps() -> None:
    """Called once, before the first EC2 request is served."""
    create, respond = EC2Backend.create_flow_logs, FlowLogs.create_flow_logs

    def create_flow_logs(backend: Any, **options: Any) -> Any:
        if (options["log_destination_type"] or LOGS) == LOGS:
            assert_role(backend, options["deliver_logs_permission_arn"])
            options.update(destination_of(backend, options["log_destination"], options["log_group_name"]))
        return create(backend, **options)

    def create_response(response: Any) -> Any:
        before = set(response.ec2_backend.flow_logs)
        answer = respond(response)
        for name, attribute in FORGOTTEN.items():
            for flow_log in (flow_log for key, flow_log in response.ec2_backend.flow_logs.items() if key not in before):
                setattr(flow_log, attribute, response._get_param(name))
        return answer

    EC2Backend.create_flow_logs = create_flow_logs
    FlowLogs.create_flow_logs = create_response


def destination_of(backend: Any, arn: str | None, name: str | None) -> dict[str, Any]:
    """AWS tells a log group's name and its ARN, whichever it was given."""
    if arn:
        return {"log_destination": arn.removesuffix(":*"), "log_group_name": arn.removesuffix(":*").partition(":log-group:")[2]}
    if not name:
        return {}
    return {"log_destination": f"arn:{backend.partition}:logs:{backend.region_name}:{backend.account_id}:log-group:{name}"}


def assert_role(backend: Any, arn: str | None) -> None:
    from moto.iam.models import iam_backends

    found = re.fullmatch(r"arn:[\w-]+:iam::(\d{12}):role/(?:.+/)?([^/]+)", arn or "")
    if found is None or found[1] != backend.account_id:
        return
    if all(role.name != found[2] for role in iam_backends[backend.account_id][backend.partition].roles.values()):
        raise EC2ClientError("InvalidParameter", "Unable to assume given IAM role")
