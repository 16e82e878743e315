"""What moto's Elastic Load Balancing lets through and AWS refuses, or forgets: second objects of one name, what is in use, interfaces.

Each function of STAND_INS stands in front of the method of moto's ELBv2Backend that has its name, and gets that method first. The
refusals and their words are AWS's own (Elastic Load Balancing API Reference, and the answers quoted in terraform-provider-aws' issues).
Actions, rules and attributes are in gaps_elbv2_rules.py, parameters that moto drops in gaps_elbv2_calls.py.
"""

from copy import deepcopy
from typing import Any

import gaps_elbv2_calls as calls
import gaps_elbv2_rules as rules
from moto.acm.models import acm_backends
from moto.core.resource_tagging import TaggedResource
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.utils import random_eip_association_id, random_public_ip
from moto.elbv2.exceptions import (
    DuplicateListenerError,
    DuplicateLoadBalancerName,
    DuplicateTargetGroupName,
    ELBClientError,
    ListenerNotFoundError,
    LoadBalancerNotFoundError,
)
from moto.elbv2.models import ELBv2Backend, FakeLoadBalancer, FakeTargetGroup, elbv2_backends
from moto.elbv2.ssl_policies import SSL_POLICIES

SECURE = ("HTTPS", "TLS")
TAGS_MAX = 50
CERTIFICATES_MAX = 25


def close_gaps() -> None:
    """Called once, before the first Elastic Load Balancing request is served."""
    calls.close_gaps()
    rules.close_gaps()
    for stand_in in (*STAND_INS, *rules.STAND_INS):
        setattr(ELBv2Backend, stand_in.__name__, in_front(stand_in, getattr(ELBv2Backend, stand_in.__name__)))
    FakeLoadBalancer.VALID_ATTRS = FakeLoadBalancer.VALID_ATTRS | {"health_check_logs.s3.bucket", "health_check_logs.s3.prefix"}
    FakeLoadBalancer.subnet_mappings = {}
    FakeLoadBalancer.availability_zones = property(zones_of)
    # moto adds load balancers to a list, and never takes one off.
    FakeTargetGroup.load_balancer_arns = property(balancers_of, lambda _group, _value: None)


def in_front(stand_in: Any, original: Any) -> Any:
    return lambda this, *args, **options: stand_in(original, this, *args, **options)


def balancers_of(group: Any) -> list[str]:
    backend = elbv2_backends[group.account_id][group.region_name]
    return [balancer.arn for balancer in backend.load_balancers.values() if group.arn in rules.groups_used_by(balancer)]


# Load balancers


def create_load_balancer(
    original: Any,
    backend: Any,
    name: str,
    security_groups: list[str],
    subnet_ids: list[str],
    subnet_mappings: Any = None,
    scheme: str | None = None,
    loadbalancer_type: str | None = None,
    ip_address_type: str = "ipv4",
    tags: Any = None,
) -> Any:
    scheme, kind = scheme or "internet-facing", loadbalancer_type or "application"
    subnets = [backend.ec2_backend.get_subnet(subnet) for subnet in [*subnet_ids, *(one["SubnetId"] for one in subnet_mappings or [])]]
    groups = security_groups or default_groups(backend, kind, subnets)
    wanted = (kind, scheme, ip_address_type, sorted(subnet.id for subnet in subnets), sorted(groups))
    for balancer in backend.load_balancers.values():
        if balancer.name == name:
            if settings_of(balancer) != wanted:
                raise DuplicateLoadBalancerName()
            return balancer
    check_subnets(backend, kind, subnets)
    check_groups(backend, groups)
    if scheme == "internet-facing" and subnets:
        check_way_out(backend, subnets[0].vpc_id)
    balancer = original(backend, name, groups, subnet_ids, subnet_mappings, scheme, kind, "ipv4", tags)
    balancer.ip_address_type = ip_address_type
    balancer.subnet_mappings = {one["SubnetId"]: one for one in subnet_mappings or []}
    balancer.attrs = rules.balancer_attributes(kind, scheme)
    if kind == "network":
        rename(backend, balancer, tags)
        balancer.enforce_security_group_inbound_rules_on_private_link_traffic = "on" if groups else None
    place_interfaces(backend, balancer)
    return balancer


def rename(backend: Any, balancer: Any, tags: Any) -> None:
    """moto gives network load balancers the ARNs of application load balancers."""
    backend.load_balancers.pop(balancer.arn)
    backend.tagging_service.delete_all_tags_for_resource(balancer.arn)
    balancer.arn = balancer.arn.replace(":loadbalancer/app/", ":loadbalancer/net/")
    backend.load_balancers[balancer.arn] = balancer
    backend.tagging_service.tag_resource(balancer.arn, tags)


def settings_of(balancer: Any) -> tuple[Any, ...]:
    subnets = sorted(subnet.id for subnet in balancer.subnets)
    return balancer.type, balancer.scheme, balancer.ip_address_type, subnets, sorted(balancer.security_groups)


def default_groups(backend: Any, kind: str, subnets: list[Any]) -> list[str]:
    if kind != "application" or not subnets:
        return []
    return [backend.ec2_backend.get_default_security_group(subnets[0].vpc_id).id]


def check_subnets(_backend: Any, kind: str, subnets: list[Any]) -> None:
    zones = [subnet.availability_zone for subnet in subnets]
    if len(set(zones)) < len(zones):
        message = "A load balancer cannot be attached to multiple subnets in the same Availability Zone"
        raise ELBClientError("InvalidConfigurationRequest", message)
    if kind == "application" and len(zones) == 1:
        message = "At least two subnets in two different Availability Zones must be specified"
        raise ELBClientError("ValidationError", message)


def check_groups(backend: Any, groups: list[str]) -> None:
    if any(backend.ec2_backend.get_security_group_from_id(group) is None for group in groups):
        raise ELBClientError("InvalidSecurityGroup", "One or more security groups are invalid")


def check_way_out(backend: Any, vpc_id: str) -> None:
    gateways = backend.ec2_backend.internet_gateways.values()
    if not any(gateway.vpc and gateway.vpc.id == vpc_id for gateway in gateways):
        raise ELBClientError("InvalidSubnet", f"VPC {vpc_id} has no internet gateway")


def place_interfaces(backend: Any, balancer: Any) -> None:
    """An interface in each subnet: what keeps subnets, groups and, through its public address, the internet gateway in use."""
    remove_interfaces(backend, balancer)
    for subnet in balancer.subnets:
        description = f"ELB {balancer.arn.partition(':loadbalancer/')[2]}"
        interface = backend.ec2_backend.create_network_interface(subnet, "", group_ids=balancer.security_groups, description=description)
        if not balancer.security_groups:
            interface._group_set = []
        interface.requester_managed, interface.status = True, "in-use"
        interface.public_ip = random_public_ip() if balancer.scheme == "internet-facing" else None
        balancer.sandbox_interfaces.append(interface)
        if allocation := balancer.subnet_mappings.get(subnet.id, {}).get("AllocationId"):
            associate(backend, allocation, interface)


def associate(backend: Any, allocation: str, interface: Any) -> None:
    try:
        address = backend.ec2_backend.address_by_allocation([allocation])[0]
    except EC2ClientError:
        raise ELBClientError("AllocationIdNotFound", f"The allocation ID '{allocation}' does not exist") from None
    address.eni, address.association_id = interface, random_eip_association_id()
    interface.public_ip = address.public_ip


def zones_of(balancer: Any) -> list[dict[str, Any]]:
    """With the addresses that a network load balancer was given there."""
    return [
        {
            "SubnetId": subnet.id,
            "ZoneName": subnet.availability_zone,
            "LoadBalancerAddresses": [
                {name: value for name, value in balancer.subnet_mappings.get(subnet.id, {}).items() if name != "SubnetId"}
            ]
            if balancer.type == "network"
            else [],
        }
        for subnet in balancer.subnets
    ]


def remove_interfaces(backend: Any, balancer: Any) -> None:
    for interface in getattr(balancer, "sandbox_interfaces", []):
        backend.ec2_backend.enis.pop(interface.id, None)
        for address in backend.ec2_backend.addresses:
            if address.eni is interface:
                address.eni, address.association_id = None, None
        for address in interface.private_ip_addresses:
            interface.subnet.del_subnet_ip(address["PrivateIpAddress"])
    balancer.sandbox_interfaces = []


def describe_load_balancers(_original: Any, backend: Any, arns: Any, names: Any) -> Any:
    balancers = list(backend.load_balancers.values())
    for balancer in balancers:
        balancer.activate()
    if set(arns or []) - {balancer.arn for balancer in balancers} or set(names or []) - {balancer.name for balancer in balancers}:
        raise LoadBalancerNotFoundError()
    if not arns and not names:
        return balancers
    return [balancer for balancer in balancers if balancer.arn in (arns or []) or balancer.name in (names or [])]


def delete_load_balancer(original: Any, backend: Any, arn: str) -> None:
    balancer = backend.load_balancers.get(arn)
    if balancer and balancer.attrs.get("deletion_protection.enabled") == "true":
        message = f"Load balancer '{arn}' cannot be deleted because deletion protection is enabled"
        raise ELBClientError("OperationNotPermitted", message)
    if balancer:
        remove_interfaces(backend, balancer)
    original(backend, arn)


def set_subnets(_original: Any, backend: Any, arn: str, subnets: list[str], subnet_mappings: list[dict[str, Any]]) -> Any:
    balancer = balancer_of(backend, arn)
    wanted = [backend.ec2_backend.get_subnet(subnet) for subnet in [*subnets, *(one["SubnetId"] for one in subnet_mappings)]]
    check_subnets(backend, balancer.type, wanted)
    balancer.subnets = wanted
    balancer.subnet_mappings = {one["SubnetId"]: one for one in subnet_mappings}
    place_interfaces(backend, balancer)
    return balancer.availability_zones


def set_security_groups(_original: Any, backend: Any, arn: str, sec_groups: list[str]) -> None:
    balancer = balancer_of(backend, arn)
    check_groups(backend, sec_groups)
    balancer.security_groups = sec_groups
    place_interfaces(backend, balancer)


def set_ip_address_type(_original: Any, backend: Any, arn: str, ip_type: str) -> None:
    balancer_of(backend, arn).ip_address_type = ip_type


def balancer_of(backend: Any, arn: str) -> Any:
    if arn not in backend.load_balancers:
        raise LoadBalancerNotFoundError()
    return backend.load_balancers[arn]


# Target groups


def create_target_group(original: Any, backend: Any, name: str, **options: Any) -> Any:
    tags = options.get("tags")
    for group in backend.target_groups.values():
        if group.name == name:
            if group.sandbox_settings != {**options, "tags": None}:
                raise DuplicateTargetGroupName()
            return group
    settings = {**options, "tags": None}
    group = original(backend, name, **{**options, "tags": None})
    group.sandbox_settings = settings
    group.attributes = rules.group_attributes(group)
    backend.tagging_service.tag_resource(group.arn, tags)
    return group


def delete_target_group(original: Any, backend: Any, target_group_arn: str) -> Any:
    group = original(backend, target_group_arn)
    backend.tagging_service.delete_all_tags_for_resource(target_group_arn)
    return group


# Listeners


def create_listener(
    original: Any,
    backend: Any,
    load_balancer_arn: str,
    protocol: str,
    port: Any,
    ssl_policy: str,
    certificate: str | None,
    actions: list[dict[str, Any]],
    alpn_policy: list[str] | None = None,
    tags: Any = None,
) -> Any:
    policy = ssl_policy if protocol in SECURE else None
    for listener in balancer_of(backend, load_balancer_arn).listeners.values():
        if listener.port == port:
            same = (listener.protocol, listener.ssl_policy, listener.certificate) == (protocol, policy, certificate)
            if not same or listener.sandbox_actions != actions:
                raise DuplicateListenerError()
            return listener
    check_security(backend, protocol, policy, certificate)
    rules.check_groups_free(backend, load_balancer_arn, actions)
    sent = deepcopy(actions)  # moto fills the actions themselves.
    listener = original(backend, load_balancer_arn, protocol, port, policy, certificate, actions, alpn_policy, tags)
    listener.sandbox_actions = sent
    listener.attributes = rules.listener_attributes(protocol)
    listener.sandbox_certificates = []
    return listener


def check_security(backend: Any, protocol: str, policy: str | None, certificate: str | None) -> None:
    if protocol not in SECURE:
        return
    if policy not in SSL_POLICIES:
        raise ELBClientError("SSLPolicyNotFound", f"SSL policy '{policy}' not found")
    if not certificate:
        raise ELBClientError("ValidationError", f"A certificate must be specified for {protocol} listeners")
    check_certificate(backend, certificate)


def check_certificate(backend: Any, arn: str) -> None:
    if not backend._certificate_exists(certificate_arn=arn):
        raise ELBClientError("CertificateNotFound", f"Certificate '{arn}' not found")
    known = acm_backends[backend.account_id][backend.region_name]._certificates.get(arn)
    if known:
        known.check()
    if known and known.status != "ISSUED":
        reason = "must have a fully-qualified domain name, a supported signature, and a supported key size."
        raise ELBClientError("UnsupportedCertificate", f"The certificate '{arn}' {reason}")


def modify_listener(
    original: Any,
    backend: Any,
    arn: str,
    port: Any = None,
    protocol: str | None = None,
    ssl_policy: str | None = None,
    certificates: Any = None,
    actions: Any = None,
) -> Any:
    listener = listener_of(backend, arn)
    balancer = backend.load_balancers[listener.load_balancer_arn]
    if port is not None and any(other.port == port and other is not listener for other in balancer.listeners.values()):
        raise DuplicateListenerError()
    final = protocol or listener.protocol
    default = certificates[0]["CertificateArn"] if certificates else listener.certificate
    check_security(backend, final, ssl_policy or listener.ssl_policy or "ELBSecurityPolicy-2016-08", default)
    rules.check_groups_free(backend, listener.load_balancer_arn, actions or [])
    sent = deepcopy(actions) if actions else listener.sandbox_actions
    listener.protocol = "HTTP"  # moto knows the protocols of some listeners only.
    original(backend, arn, port, None, ssl_policy, [], actions or [])
    listener.protocol = final
    secure = final in SECURE
    listener.ssl_policy = (ssl_policy or listener.ssl_policy or "ELBSecurityPolicy-2016-08") if secure else None
    listener.certificate = default if secure else None
    listener.certificates = [default] if secure else []
    listener.sandbox_certificates = listener.sandbox_certificates if secure else []
    listener.sandbox_actions = sent
    return listener


def describe_listeners(original: Any, backend: Any, load_balancer_arn: Any, listener_arns: Any) -> Any:
    found = original(backend, load_balancer_arn, listener_arns)
    if not load_balancer_arn and len(found) < len(set(listener_arns or [])):
        raise ListenerNotFoundError()
    return found


def describe_listener_certificates(_original: Any, backend: Any, arn: str) -> list[str]:
    """The default one, and those of the list: it is there twice where it is in the list, too."""
    return all_certificates(listener_of(backend, arn))


def all_certificates(listener: Any) -> list[str]:
    return [*listener.certificates, *listener.sandbox_certificates]


def add_listener_certificates(_original: Any, backend: Any, arn: str, certificates: list[dict[str, Any]]) -> list[str]:
    listener = listener_of(backend, arn)
    added = [one["CertificateArn"] for one in certificates]
    for certificate in added:
        check_certificate(backend, certificate)
    listener.sandbox_certificates += [one for one in added if one not in listener.sandbox_certificates]
    if len(listener.sandbox_certificates) > CERTIFICATES_MAX:
        raise ELBClientError("TooManyCertificates", "You've reached the limit on the number of certificates per load balancer")
    return added


def remove_listener_certificates(_original: Any, backend: Any, arn: str, certificates: list[dict[str, Any]]) -> None:
    listener = listener_of(backend, arn)
    gone = [one["CertificateArn"] for one in certificates]
    if any(one in listener.certificates and one not in listener.sandbox_certificates for one in gone):
        raise ELBClientError("OperationNotPermitted", "The default certificate of a listener cannot be removed")
    listener.sandbox_certificates = [one for one in listener.sandbox_certificates if one not in gone]


def listener_of(backend: Any, arn: str) -> Any:
    return backend.describe_listeners(None, [arn])[0]


# Tags


def add_tags(_original: Any, backend: Any, resource_arns: list[str], tags: list[dict[str, str]]) -> None:
    for arn in resource_arns:
        backend._get_resource_by_arn(arn)
        if len({*backend.tagging_service.get_tag_dict_for_resource(arn), *(tag["Key"] for tag in tags)}) > TAGS_MAX:
            raise ELBClientError("TooManyTags", "You've reached the limit on the number of tags for this resource")
        backend.tagging_service.tag_resource(arn, tags)


def describe_tags(original: Any, backend: Any, resource_arns: list[str]) -> Any:
    for arn in resource_arns:
        backend._get_resource_by_arn(arn)
    return original(backend, resource_arns)


def iter_tagged_resources(original: Any, backend: Any) -> Any:
    yield from original(backend)
    for balancer in backend.load_balancers.values():
        for listener in balancer.listeners.values():
            yield tagged(backend, listener.arn, "listener")
            for rule in listener._non_default_rules.values():
                yield tagged(backend, rule.arn, "listener-rule")


def tagged(backend: Any, arn: str, kind: str) -> TaggedResource:
    tags = backend.tagging_service.get_tag_dict_for_resource(arn)
    return TaggedResource(arn=arn, tags=tags, resource_type=f"elasticloadbalancing:{kind}")


STAND_INS = (
    create_load_balancer,
    describe_load_balancers,
    delete_load_balancer,
    set_subnets,
    set_security_groups,
    set_ip_address_type,
    create_target_group,
    delete_target_group,
    create_listener,
    modify_listener,
    describe_listeners,
    describe_listener_certificates,
    add_listener_certificates,
    remove_listener_certificates,
    add_tags,
    describe_tags,
    iter_tagged_resources,
)
