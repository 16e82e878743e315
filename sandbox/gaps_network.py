"""What moto's EC2 has no calls for, or forgets: some subnet attributes, route propagation, further addresses of NAT gateways."""

from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.ec2.models.route_tables import RouteTable
from moto.ec2.models.subnets import Subnet
from moto.ec2.responses import EC2Response
from moto.ec2.utils import random_eip_association_id, random_private_ip


def close_gaps() -> None:
    """Called once, before the first EC2 request is served."""
    modify, create = EC2Response.modify_subnet_attribute, EC2Response.create_nat_gateway

    def modify_subnet_attribute(response: Any) -> Any:
        subnet = response.ec2_backend.get_subnet(response._get_param("SubnetId"))
        set_subnet_attributes(response, subnet)
        return modify(response)

    def create_nat_gateway(response: Any) -> Any:
        answer = create(response)
        gateway = answer.result["NatGateway"]
        if gateway.state == "available":
            gateway.address_set[0]["isPrimary"] = True
            add_addresses(response, gateway, response._get_param("SecondaryAllocationIds", []))
            add_private(gateway, response._get_param("SecondaryPrivateIpAddresses", []))
        return answer

    Subnet.enable_dns64 = False
    RouteTable.propagating_vgws = property(lambda table: [{"GatewayId": gateway} for gateway in propagating(table)])
    EC2Response.modify_subnet_attribute = modify_subnet_attribute
    EC2Response.create_nat_gateway = create_nat_gateway
    for call in CALLS:
        setattr(EC2Response, call.__name__, call)


def set_subnet_attributes(response: Any, subnet: Any) -> None:
    dns64 = response._get_param("EnableDns64.Value")
    aaaa = response._get_param("EnableResourceNameDnsAAAARecordOnLaunch.Value")
    host_names = response._get_param("PrivateDnsHostnameTypeOnLaunch")
    if dns64 is not None:
        subnet.enable_dns64 = dns64
    if aaaa is not None:
        subnet.private_dns_name_options_on_launch["EnableResourceNameDnsAAAARecord"] = aaaa
    if host_names is not None:
        subnet.private_dns_name_options_on_launch["HostnameType"] = host_names


def enable_vgw_route_propagation(response: Any) -> Any:
    table = response.ec2_backend.get_route_table(response._get_param("RouteTableId"))
    table.sandbox_propagating = [*propagating(table), response._get_param("GatewayId")]
    return EmptyResult()


def disable_vgw_route_propagation(response: Any) -> Any:
    table = response.ec2_backend.get_route_table(response._get_param("RouteTableId"))
    table.sandbox_propagating = [gateway for gateway in propagating(table) if gateway != response._get_param("GatewayId")]
    return EmptyResult()


def propagating(table: Any) -> list[str]:
    return getattr(table, "sandbox_propagating", [])


def associate_nat_gateway_address(response: Any) -> Any:
    gateway = gateway_of(response)
    added = add_addresses(response, gateway, response._get_param("AllocationIds", []))
    return addresses_answer(gateway, added)


def disassociate_nat_gateway_address(response: Any) -> Any:
    gateway, gone = gateway_of(response), response._get_param("AssociationIds", [])
    for address in response.ec2_backend.addresses:
        if address.association_id in gone:  # moto's own way would take the primary address from the interface, too.
            address.eni, address.association_id = None, None
    return addresses_answer(gateway, drop(gateway, "associationId", gone))


def assign_private_nat_gateway_address(response: Any) -> Any:
    gateway = gateway_of(response)
    return addresses_answer(gateway, add_private(gateway, response._get_param("PrivateIpAddresses", [])))


def unassign_private_nat_gateway_address(response: Any) -> Any:
    gateway = gateway_of(response)
    return addresses_answer(gateway, drop(gateway, "privateIp", response._get_param("PrivateIpAddresses", [])))


CALLS = (
    enable_vgw_route_propagation,
    disable_vgw_route_propagation,
    associate_nat_gateway_address,
    disassociate_nat_gateway_address,
    assign_private_nat_gateway_address,
    unassign_private_nat_gateway_address,
)


def gateway_of(response: Any) -> Any:
    wanted = response._get_param("NatGatewayId")
    return response.ec2_backend.describe_nat_gateways(None, [wanted])[0]


def add_addresses(response: Any, gateway: Any, allocations: list[str]) -> list[dict[str, Any]]:
    added = []
    for allocation in allocations:
        address = response.ec2_backend.address_by_allocation([allocation])[0]
        address.eni, address.association_id = gateway._eni, random_eip_association_id()
        own = {"allocationId": allocation, "associationId": address.association_id, "publicIp": address.public_ip}
        added.append({**own, "privateIp": random_private_ip(), **secondary(gateway)})
    gateway.address_set.extend(added)
    return added


def add_private(gateway: Any, addresses: list[str]) -> list[dict[str, Any]]:
    added = [{"privateIp": address, **secondary(gateway)} for address in addresses]
    gateway.address_set.extend(added)
    return added


def secondary(gateway: Any) -> dict[str, Any]:
    return {"networkInterfaceId": gateway._eni.id, "isPrimary": False, "status": "succeeded"}


def drop(gateway: Any, member: str, gone: list[str]) -> list[dict[str, Any]]:
    dropped = [address for address in gateway.address_set if address.get(member) in gone and not address.get("isPrimary")]
    gateway.address_set = [address for address in gateway.address_set if address not in dropped]
    return dropped


def addresses_answer(gateway: Any, touched: list[dict[str, Any]]) -> Any:
    return ActionResult({"NatGatewayId": gateway.id, "NatGatewayAddresses": touched})
