"""What moto's Route 53 lets through and AWS refuses, and what it spells otherwise: change batches, references, names, tags.

The refusals and their words are AWS's own, as quoted in the issues of Terraform, external-dns and lego.
"""

import re
from typing import Any

from moto.route53.exceptions import HostedZoneNotEmpty, Route53ClientError
from moto.route53.models import FakeZone, RecordSet, Route53Backend, reverse_domain_name
from moto.route53.responses import Route53

# The parts of a record set that say what it is, beside what names it.
CONTENT = {
    "ttl": "TTL",
    "weight": "Weight",
    "region": "Region",
    "failover": "Failover",
    "multi_value_answer": "MultiValueAnswer",
    "geo_location": "GeoLocation",
    "geo_proximity_location": "GeoProximityLocation",
    "cidr_routing_config": "CidrRoutingConfig",
    "alias_target": "AliasTarget",
    "health_check_id": "HealthCheckId",
}
POLICIES = ("Weight", "Region", "Failover", "MultiValueAnswer", "GeoLocation", "GeoProximityLocation", "CidrRoutingConfig")


def close_gaps() -> None:
    """Called once, before the first Route 53 request is served."""
    make_record, create = RecordSet.__init__, Route53Backend.create_hosted_zone

    def init(record: Any, members: dict[str, Any]) -> None:
        make_record(record, members)
        record.name = escaped(record.name)
        record.cidr_routing_config = members.get("CidrRoutingConfig")
        record.geo_proximity_location = members.get("GeoProximityLocation")
        if record.alias_target:
            record.alias_target = {**record.alias_target, "DNSName": escaped(record.alias_target["DNSName"])}

    def create_hosted_zone(backend: Any, name: str, *args: Any, **options: Any) -> Any:
        reference = options.get("caller_reference")
        if any(zone.caller_reference == reference for zone in backend.zones.values()):
            message = "A hosted zone has already been created with the specified caller reference."
            raise Route53ClientError("HostedZoneAlreadyExists", message)
        zone = create(backend, escaped(name), *args, **options)
        servers = zone.delegation_set.name_servers
        for record in zone.rrsets:
            record.ttl = 172800 if record.type == "NS" else 900
            soa = f"{servers[0]}. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400"
            record.records = [f"{server}." for server in servers] if record.type == "NS" else [soa]
        return zone

    def delete_hosted_zone(backend: Any, id_: str) -> Any:
        zone = backend.get_hosted_zone(id_)
        if not all(is_own(zone, record) for record in zone.rrsets):
            raise HostedZoneNotEmpty()
        backend.resource_tags.pop(zone.resource_id, None)
        return backend.zones.pop(zone.resource_id)

    RecordSet.__init__ = init
    FakeZone.get_record_sets = get_record_sets
    Route53Backend.create_hosted_zone = create_hosted_zone
    Route53Backend.delete_hosted_zone = delete_hosted_zone
    Route53Backend.change_resource_record_sets = change_resource_record_sets
    Route53Backend.list_resource_record_sets = list_resource_record_sets
    Route53.list_resource_record_sets = list_page


def escaped(name: str) -> str:
    """A name as Route 53 writes it: in lower case, with a final dot, and `*` and the like as octal codes."""
    dotted = name.lower() if name.endswith(".") else f"{name.lower()}."
    return re.sub(r"[^a-z0-9._\\-]", lambda found: f"\\{ord(found.group()):03o}", dotted)


def is_own(zone: Any, record: Any) -> bool:
    return record.type in ("NS", "SOA") and record.name == zone.name


def key_of(record: Any) -> tuple[str, str, str | None]:
    return record.name, record.type, record.set_identifier


def content_of(record: Any) -> dict[str, Any]:
    found = {name: getattr(record, attribute) for attribute, name in CONTENT.items()}
    found["TTL"] = None if record.ttl is None else int(record.ttl)
    return {**found, "ResourceRecords": sorted(value_of(value) for value in record.records or [])}


def value_of(value: Any) -> str:
    return value["Value"] if isinstance(value, dict) else value


def change_resource_record_sets(backend: Any, zoneid: str, change_list: list[dict[str, Any]]) -> None:
    """All of the changes, or none: a batch with one that cannot be made is refused, and says of each what is wrong."""
    zone = backend.get_hosted_zone(zoneid)
    records = {key_of(record): record for record in zone.rrsets}
    problems: list[str] = []
    touched: list[Any] = []
    for change in change_list:
        members = dict(change["ResourceRecordSet"])
        members["ResourceRecords"] = [value_of(value) for value in members.get("ResourceRecords") or []]
        wanted = RecordSet(members)
        problem = problem_of(zone, change["Action"], wanted, records.get(key_of(wanted)))
        if any(key_of(other) == key_of(wanted) for other in touched):
            problem = f"The request contains an invalid set of changes for a resource record set '{wanted.type} {wanted.name}'"
        touched.append(wanted)
        if problem:
            problems.append(problem)
        elif change["Action"] == "DELETE":
            records.pop(key_of(wanted), None)
        else:
            records[key_of(wanted)] = wanted
    problems.extend(problem for record in touched if (problem := conflict_of(zone, record, records)))
    if problems:
        raise Route53ClientError("InvalidChangeBatch", f"[{', '.join(dict.fromkeys(problems))}]")
    zone.rrsets = list(records.values())


def problem_of(zone: Any, action: str, wanted: Any, present: Any) -> str | None:
    identifier = f", set-identifier='{wanted.set_identifier}'" if wanted.set_identifier else ""
    words = f"resource record set [name='{wanted.name}', type='{wanted.type}'{identifier}]"
    if action == "CREATE" and present:
        return f"Tried to create {words} but it already exists"
    if action == "DELETE" and not present:
        return f"Tried to delete {words} but it was not found"
    if action == "DELETE" and content_of(present) != content_of(wanted):
        return f"Tried to delete {words} but the values provided do not match the current values"
    if action == "DELETE" and is_own(zone, wanted):
        return f"A HostedZone must contain at least one {wanted.type} record for the zone itself."
    if wanted.name != zone.name and not wanted.name.endswith(f".{zone.name}"):
        return f"RRSet with DNS name {wanted.name} is not permitted in zone {zone.name}"
    is_alias, is_simple = wanted.alias_target is not None, wanted.ttl is not None and wanted.records
    if is_alias == bool(is_simple) or (is_alias and (wanted.ttl is not None or wanted.records)):
        found = "more than one" if is_alias else "none"
        choice = "[AliasTarget, all of [TTL, and ResourceRecords], or TrafficPolicyInstanceId]"
        return f"Invalid request: Expected exactly one of {choice}, but found {found} in Change with [Action={action}, Name={wanted.name}, Type={wanted.type}, SetIdentifier={wanted.set_identifier or 'null'}]"
    return None


def conflict_of(zone: Any, record: Any, records: dict[Any, Any]) -> str | None:
    """What the zone would be with the record in it, and must not be."""
    if records.get(key_of(record)) is not record:
        return None
    others = [other for other in records.values() if other is not record and other.name == record.name]
    of_type = f"RRSet of type {record.type} with DNS name {record.name}"
    if record.type == "CNAME" and record.name == zone.name:
        return f"{of_type} is not permitted at apex in zone {zone.name}"
    if any((other.type == "CNAME") != (record.type == "CNAME") for other in others):
        return f"{of_type} is not permitted as it conflicts with other records with the same DNS name in zone {zone.name}"
    policy = policy_of(record)
    if (policy is None) != (record.set_identifier is None):
        return f"Invalid request: {of_type} needs both a SetIdentifier and a routing policy, or neither"
    if any(other.type == record.type and policy_of(other) != policy for other in others):
        return f"{of_type}, SetIdentifier {record.set_identifier or 'null'} cannot be created as other RRSets exist with the same name and type and another routing policy"
    alias = record.alias_target
    if alias and alias["HostedZoneId"] == zone.resource_id and not any(
        other.name == alias["DNSName"] and other.type == record.type for other in records.values()
    ):
        return f"Tried to create an alias that targets {alias['DNSName']}, type {record.type} in zone {zone.resource_id}, but that target was not found"
    return None


def policy_of(record: Any) -> str | None:
    content = content_of(record)
    return next((name for name in POLICIES if content[name] is not None), None)


def get_record_sets(zone: Any, start_type: str, start_name: str) -> list[Any]:
    """The zone's records in AWS's order, from the one that is named."""
    start = (reverse_domain_name(escaped(start_name)), start_type or "") if start_name else ("", "")
    ordered = sorted(zone.rrsets, key=lambda record: (reverse_domain_name(record.name), record.type, record.set_identifier or ""))
    return [record for record in ordered if (reverse_domain_name(record.name), record.type) >= start]


def list_resource_record_sets(
    backend: Any, zone_id: str, start_type: str, start_name: str, max_items: int, start_identifier: str = ""
) -> tuple[list[Any], Any]:
    found = backend.get_hosted_zone(zone_id).get_record_sets(start_type, start_name)
    if start_identifier:
        while found and found[0].name == escaped(start_name) and (found[0].set_identifier or "") < start_identifier:
            found = found[1:]
    return found[:max_items], found[max_items] if len(found) > max_items else None


def list_page(response: Any) -> Any:
    from moto.core.responses import ActionResult
    from moto.route53.exceptions import InvalidInput

    start_type, start_name = response._get_param("StartRecordType"), response._get_param("StartRecordName")
    if start_type and not start_name:
        raise InvalidInput("The input is not valid")
    max_items = min(int(response._get_param("MaxItems", 300)), 300)
    records, following = response.backend.list_resource_record_sets(
        response._get_param("HostedZoneId"), start_type, start_name, max_items, response._get_param("StartRecordIdentifier", "")
    )
    page = {"ResourceRecordSets": records, "IsTruncated": following is not None, "MaxItems": max_items}
    if following is not None:
        page |= {"NextRecordName": following.name, "NextRecordType": following.type, "NextRecordIdentifier": following.set_identifier}
    return ActionResult(page)


class TaggedZones:
    """Hosted zones for the tagging API, which knows them in one region only."""

    def __init__(self, account_id: str) -> None:
        self.account_id = account_id

    def iter_tagged_resources(self) -> Any:
        from moto.core.resource_tagging import TaggedResource
        from moto.route53.models import route53_backends

        backend = route53_backends[self.account_id]["aws"]
        for zone_id in backend.zones:
            tags = dict(backend.resource_tags.get(zone_id, {}))
            yield TaggedResource(arn=f"arn:aws:route53:::hostedzone/{zone_id}", tags=tags, resource_type="route53:hostedzone")

    def owns_arn(self, arn: str) -> bool:
        return arn.startswith("arn:aws:route53:::hostedzone/")
