"""What moto's EC2 lets through and AWS refuses: objects in use, second gateways, imaginary associations.

Each function here stands in front of the method of moto's EC2Backend that has its name, and gets that method first.
The refusals and their words are AWS's own (EC2 user guide and the answers quoted in terraform-provider-aws' issues).
"""

from typing import Any

from moto.ec2.exceptions import (
    DependencyViolationError,
    EC2ClientError,
    InvalidRouteTableIdError,
    ResourceAlreadyAssociatedError,
)
from moto.ec2.models import EC2Backend
from moto.ec2.models.core import TaggedEC2Resource
from moto.ec2.models.security_groups import SecurityGroupRule
from moto.ec2.utils import EC2_PREFIX_TO_RESOURCE, get_prefix


def close_gaps() -> None:
    """Puts every function of STAND_INS in front of moto's method. Called once, before the first EC2 request is served."""
    for stand_in in STAND_INS:
        setattr(EC2Backend, stand_in.__name__, in_front(stand_in, getattr(EC2Backend, stand_in.__name__)))
    SecurityGroupRule.__eq__ = is_same_rule
    TaggedEC2Resource.get_tags = tags_of


def tags_of(resource: Any) -> Any:
    """moto compares every tag of the account with every resource it is asked for, which takes minutes for a few thousand."""
    if not resource.id:
        return []
    kind = EC2_PREFIX_TO_RESOURCE.get(get_prefix(resource.id), "")
    tags = resource.ec2_backend.tags.get(resource.id, {})
    return [{"resource_id": resource.id, "key": key, "value": value, "resource_type": kind} for key, value in tags.items()]


def in_front(stand_in: Any, original: Any) -> Any:
    return lambda backend, *args, **options: stand_in(original, backend, *args, **options)


def delete_vpc(original: Any, backend: Any, vpc_id: str) -> Any:
    groups = list(backend.groups.get(vpc_id, {}).values())
    own_groups = [group for group in groups if group.is_default]
    attached = [gateway for gateway in backend.internet_gateways.values() if gateway.vpc and gateway.vpc.id == vpc_id]
    tables = [table for table in backend.route_tables.values() if table.vpc_id == vpc_id]
    if attached or len(groups) > len(own_groups) or len(tables) > 1 or interfaces_of_vpc(backend, vpc_id):
        raise DependencyViolationError(f"The vpc '{vpc_id}' has dependencies and cannot be deleted.")
    for group in own_groups:  # The default group cannot be deleted by itself, and goes with its VPC.
        group.is_default = False
    try:
        return original(backend, vpc_id)
    except EC2ClientError:  # The VPC stays, and so does its default group.
        for group in own_groups:
            group.is_default = True
        raise


def delete_subnet(original: Any, backend: Any, subnet_id: str) -> Any:
    if any(interface.subnet.id == subnet_id for interface in backend.enis.values()):
        raise DependencyViolationError(f"The subnet '{subnet_id}' has dependencies and cannot be deleted.")
    subnet = original(backend, subnet_id)
    # moto would keep the associations, and then refuse for ever to delete the route table.
    for table in backend.route_tables.values():
        table._associations = {key: target for key, target in table._associations.items() if target != subnet_id}
    return subnet


def delete_security_group(original: Any, backend: Any, name: Any = None, group_id: Any = None) -> Any:
    group = backend.get_security_group_from_id(group_id) if group_id else None
    if group and group.is_default:
        raise EC2ClientError("CannotDelete", f"the specified group: \"{group_id}\" name: \"default\" cannot be deleted by a user")
    if group and (has_interfaces(backend, group_id) or is_referenced(backend, group_id)):
        raise DependencyViolationError(f"resource {group_id} has a dependent object")
    return original(backend, name, group_id)


def has_interfaces(backend: Any, group_id: str) -> bool:
    return any(group.id == group_id for interface in backend.enis.values() for group in interface.group_set)


def is_referenced(backend: Any, group_id: str) -> bool:
    others = [group for groups in backend.groups.values() for group in groups.values() if group.id != group_id]
    return any(
        rule.source_group.get("GroupId") == group_id for group in others for rule in [*group.ingress_rules, *group.egress_rules]
    )


def release_address(original: Any, backend: Any, address: Any = None, allocation_id: Any = None) -> Any:
    if allocation_id and (owner := backend.address_by_allocation([allocation_id])[0]).eni:
        raise EC2ClientError("InvalidIPAddress.InUse", f"Address {owner.public_ip} is in use.")
    return original(backend, address, allocation_id)


def attach_internet_gateway(original: Any, backend: Any, internet_gateway_id: str, vpc_id: str) -> Any:
    if internet_gateway_of(backend, vpc_id):
        if backend.get_internet_gateway(internet_gateway_id).vpc:
            raise ResourceAlreadyAssociatedError(internet_gateway_id)
        raise EC2ClientError("InvalidParameterValue", f"Network {vpc_id} already has an internet gateway attached")
    return original(backend, internet_gateway_id, vpc_id)


def detach_internet_gateway(original: Any, backend: Any, internet_gateway_id: str, vpc_id: str) -> Any:
    mapped = [address.eni for address in backend.addresses if address.eni]
    mapped += [interface for interface in backend.enis.values() if interface.requester_managed and interface.public_ip]
    if any(interface.subnet.vpc_id == vpc_id for interface in mapped):
        advice = "Please unmap those public address(es) before detaching the gateway."
        raise DependencyViolationError(f"Network {vpc_id} has some mapped public address(es). {advice}")
    return original(backend, internet_gateway_id, vpc_id)


def create_nat_gateway(original: Any, backend: Any, subnet_id: str, allocation_id: Any, **options: Any) -> Any:
    """AWS accepts a public gateway whose address is taken or whose VPC has no way out, and lets it fail a little later."""
    if not allocation_id:
        return original(backend, subnet_id, allocation_id, **options)
    if backend.address_by_allocation([allocation_id])[0].eni:
        raise ResourceAlreadyAssociatedError(allocation_id)
    gateway = original(backend, subnet_id, allocation_id, **options)
    if not internet_gateway_of(backend, gateway.vpc_id):
        let_go(backend, gateway)
        gateway.state = "failed"
        gateway.failure_code = "Gateway.NotAttached"
        gateway.failure_message = f"Network {gateway.vpc_id} has no Internet gateway attached"
    return gateway


def delete_nat_gateway(_original: Any, backend: Any, nat_gateway_id: str) -> Any:
    gateway = backend.nat_gateways.get(nat_gateway_id)
    if gateway is None:
        raise nat_gateway_not_found(nat_gateway_id)
    let_go(backend, gateway)
    gateway.state = "deleted"
    return gateway


def describe_nat_gateways(original: Any, backend: Any, filters: Any, nat_gateway_ids: Any) -> Any:
    for wanted in nat_gateway_ids or []:
        if wanted not in backend.nat_gateways:
            raise nat_gateway_not_found(wanted)
    gateways = original(backend, filters, nat_gateway_ids)
    # moto ignores this API's filters by tag.
    return [gateway for gateway in gateways if all(has_tag(gateway, name, wanted) for name, wanted in (filters or {}).items())]


def has_tag(gateway: Any, name: str, wanted: list[str]) -> bool:
    tags = {tag["key"]: tag["value"] for tag in gateway.get_tags()}
    if name == "tag-key":
        return any(key in tags for key in wanted)
    return not name.startswith("tag:") or tags.get(name.removeprefix("tag:")) in wanted


def associate_route_table(
    original: Any, backend: Any, route_table_id: str, gateway_id: Any = None, subnet_id: Any = None
) -> Any:
    if route_table_id not in backend.route_tables:
        raise InvalidRouteTableIdError(route_table_id)
    for table in backend.route_tables.values():
        if subnet_id and subnet_id in table._associations.values() and table.id != route_table_id:
            message = f"the specified association for route table {route_table_id} conflicts with an existing association"
            raise EC2ClientError("Resource.AlreadyAssociated", message)
    return original(backend, route_table_id, gateway_id, subnet_id)


def _sg_update_description(_original: Any, _backend: Any, wanted: Any, rule: Any) -> None:
    for new, old in zip(peers_of(wanted), peers_of(rule)):
        old.pop("Description", None)
        if "Description" in new:
            old["Description"] = new["Description"]


def is_same_rule(rule: Any, other: Any) -> bool:
    """A rule's description is no part of its identity; moto counts it in where the peer is a group or a prefix list."""
    ports = rule.ip_protocol == "-1" or (rule.from_port, rule.to_port) == (other.from_port, other.to_port)
    return rule.ip_protocol == other.ip_protocol and ports and identity_of(rule) == identity_of(other)


def identity_of(rule: Any) -> list[Any]:
    named = ("CidrIp", "CidrIpv6", "GroupId", "PrefixListId")
    return [{key: peer[key] for key in named if peer.get(key)} for peer in peers_of(rule)]


def peers_of(rule: Any) -> list[dict[str, Any]]:
    return [peer if isinstance(peer, dict) else {} for peer in (rule.ip_range, rule.source_group, rule.prefix_list_id)]


STAND_INS = (
    delete_vpc,
    delete_subnet,
    delete_security_group,
    release_address,
    attach_internet_gateway,
    detach_internet_gateway,
    create_nat_gateway,
    delete_nat_gateway,
    describe_nat_gateways,
    associate_route_table,
    _sg_update_description,
)


def interfaces_of_vpc(backend: Any, vpc_id: str) -> list[Any]:
    return [interface for interface in backend.enis.values() if interface.subnet.vpc_id == vpc_id]


def internet_gateway_of(backend: Any, vpc_id: str) -> Any:
    return next((gateway for gateway in backend.internet_gateways.values() if gateway.vpc and gateway.vpc.id == vpc_id), None)


def let_go(backend: Any, gateway: Any) -> None:
    """Takes the gateway's interface away and frees its address, which stays allocated; moto would keep both for ever."""
    for address in backend.addresses:
        if address.eni is gateway._eni:
            backend.disassociate_address(address=address.public_ip)
    backend.enis.pop(gateway._eni.id, None)


def nat_gateway_not_found(nat_gateway_id: str) -> EC2ClientError:
    return EC2ClientError("NatGatewayNotFound", f"The Nat Gateway {nat_gateway_id} was not found")
