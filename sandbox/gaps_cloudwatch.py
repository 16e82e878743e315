"""What moto's CloudWatch lets through or forgets: puts of alarms that exist, some of their members, dashboards that are global and have tags."""

from collections.abc import Iterator
from typing import Any

from moto.cloudwatch.exceptions import ResourceNotFound, ResourceNotFoundException
from moto.cloudwatch.models import CloudWatchBackend, cloudwatch_backends
from moto.cloudwatch.responses import CloudWatchResponse
from moto.core.resource_tagging import TaggedResource

# "All dashboards in your account are global, not region-specific" (CloudWatch API Reference, PutDashboard): here they are kept.
HOME = {"aws": "us-east-1"}

# Members of an alarm that moto drops.
DROPPED = ("EvaluationWindow", "WarmUpConfiguration", "EvaluationCriteria", "EvaluationInterval", "ActionConfiguration")

STATE = ("state_value", "state_reason", "state_reason_data", "state_updated_timestamp", "history")


def close_gaps() -> None:
    """Called once, before the first CloudWatch request is served."""
    for stand_in in BACKEND:
        setattr(CloudWatchBackend, stand_in.__name__, in_front(stand_in, getattr(CloudWatchBackend, stand_in.__name__)))
    CloudWatchBackend.dashboards = property(dashboards_of, set_dashboards)
    CloudWatchResponse.put_metric_alarm = in_front(put_alarm, CloudWatchResponse.put_metric_alarm)
    CloudWatchResponse.put_dashboard = in_front(put_tagged_dashboard, CloudWatchResponse.put_dashboard)


def in_front(stand_in: Any, original: Any) -> Any:
    return lambda own, *args, **options: stand_in(original, own, *args, **options)


def put_metric_alarm(original: Any, backend: Any, **options: Any) -> Any:
    """A put leaves the state and the tags of an alarm that is there, and takes every statistic that AWS takes."""
    before = backend.alarms.get(options["name"])
    extended = options.pop("extended_statistic", None)
    alarm = original(backend, **{**options, "tags": None if before else options.get("tags")})
    alarm.extended_statistic = extended
    alarm.state_value = "INSUFFICIENT_DATA"
    for name in STATE if before else ():
        setattr(alarm, name, getattr(before, name))
    return alarm


def put_alarm(original: Any, response: Any) -> Any:
    answer = original(response)
    alarm = response.cloudwatch_backend.alarms[response._get_param("AlarmName")]
    for name in DROPPED:
        if (value := response._get_param(name)) is not None:
            setattr(alarm, name, value)
    for query, given in zip(alarm.metric_data_queries, response._get_param("Metrics", [])):
        query.account_id = given.get("AccountId")
    return answer


def delete_alarms(original: Any, backend: Any, alarm_names: list[str]) -> None:
    missing = [name for name in alarm_names if name not in backend.alarms]
    for name in set(alarm_names) - set(missing):
        # An alarm made later under the same name has the same ARN, and would come up with these tags.
        backend.tagger.delete_all_tags_for_resource(backend.alarms[name].alarm_arn)
    original(backend, alarm_names)
    if missing:
        raise ResourceNotFound(f"The following alarms do not exist: {', '.join(missing)}")


def home_of(backend: Any) -> Any:
    region = HOME.get(backend.partition, backend.region_name)
    return cloudwatch_backends[backend.account_id][region]


def dashboards_of(backend: Any) -> dict[str, Any]:
    return home_of(backend).__dict__["sandbox_dashboards"]


def set_dashboards(backend: Any, dashboards: dict[str, Any]) -> None:
    backend.__dict__["sandbox_dashboards"] = dashboards


def put_tagged_dashboard(original: Any, response: Any) -> Any:
    backend, name = response.cloudwatch_backend, response._get_param("DashboardName")
    is_new = name not in backend.dashboards
    answer = original(response)
    if is_new:  # "If you specify Tags when updating an existing dashboard, the tag updates are ignored."
        home_of(backend).tagger.tag_resource(backend.dashboards[name].arn, response._get_param("Tags", []))
    return answer


def delete_dashboards(original: Any, backend: Any, dashboards: list[str]) -> Any:
    arns = [backend.dashboards[name].arn for name in dashboards if name in backend.dashboards]
    error = original(backend, dashboards)
    if error is None:
        for arn in arns:
            home_of(backend).tagger.delete_all_tags_for_resource(arn)
    return error


def is_dashboard(backend: Any, arn: str) -> bool:
    return any(dashboard.arn == arn for dashboard in backend.dashboards.values())


def tagger_of(backend: Any, arn: str) -> Any:
    if ":dashboard/" not in arn:
        return backend.tagger
    if not is_dashboard(backend, arn):
        raise ResourceNotFoundException()
    return home_of(backend).tagger


def list_tags_for_resource(_original: Any, backend: Any, arn: str) -> dict[str, str]:
    return tagger_of(backend, arn).get_tag_dict_for_resource(arn)


def tag_resource(original: Any, backend: Any, arn: str, tags: dict[str, str]) -> None:
    tagger = tagger_of(backend, arn)
    if ":dashboard/" not in arn:
        original(backend, arn, tags)
    else:
        tagger.tag_resource(arn, tagger.convert_dict_to_tags_input(tags))


def untag_resource(_original: Any, backend: Any, arn: str, tag_keys: list[str]) -> None:
    tagger_of(backend, arn).untag_resource_using_names(arn, tag_keys)


def iter_tagged_resources(original: Any, backend: Any) -> Iterator[TaggedResource]:
    yield from original(backend)
    for dashboard in backend.dashboards.values():
        tags = home_of(backend).tagger.get_tag_dict_for_resource(dashboard.arn)
        yield TaggedResource(arn=dashboard.arn, tags=tags, resource_type="cloudwatch:dashboard")


BACKEND = (
    put_metric_alarm,
    delete_alarms,
    delete_dashboards,
    list_tags_for_resource,
    tag_resource,
    untag_resource,
    iter_tagged_resources,
)
