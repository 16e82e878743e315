"""Registered domains as AWS has them: a change of name servers takes its time, and another can follow it.

Nobody can buy a domain here: each counts as registered in the account from the first look at it.
"""

from datetime import datetime, timezone
from typing import Any

from moto.route53domains.exceptions import DuplicateRequestException, InvalidInputException
from moto.route53domains.models import Route53DomainsBackend as Backend
from moto.route53domains.validators import (
    NameServer,
    Route53Domain,
    Route53DomainsContactDetail,
    Route53DomainsOperation,
    ValidationException,
)

# So often an operation is seen on its way before it is done: by looks, because time would make tests wait, or miss it.
LOOKS_MIN = 1


def close_gaps() -> None:
    """Called once, before the first Route 53 Domains request is served."""
    operation_of, list_operations = Backend.get_operation, Backend.list_operations

    def get_operation(backend: Any, operation_id: str) -> Any:
        settle([operation_of(backend, operation_id)])
        return operation_of(backend, operation_id)

    def list_settled(backend: Any, **options: Any) -> Any:
        settle(backend._Route53DomainsBackend__operations.values())
        return list_operations(backend, **options)

    Backend.get_domain = get_domain
    Backend.get_operation = get_operation
    Backend.list_operations = list_settled
    Backend.update_domain_nameservers = update_domain_nameservers


def get_domain(backend: Any, domain_name: str) -> Any:
    domains = backend._Route53DomainsBackend__domains
    if domain_name not in domains:
        nobody = Route53DomainsContactDetail.validate()
        contacts = {"admin_contact": nobody, "registrant_contact": nobody, "tech_contact": nobody}
        try:
            domains[domain_name] = Route53Domain.validate(domain_name=domain_name, **contacts)
        except ValidationException as error:
            raise InvalidInputException(error.errors) from error
    return domains[domain_name]


def update_domain_nameservers(backend: Any, domain_name: str, nameservers: list[dict[str, Any]]) -> Any:
    domain = get_domain(backend, domain_name)
    operations = backend._Route53DomainsBackend__operations
    if any(is_open(operation) and operation.domain_name == domain_name for operation in operations.values()):
        raise DuplicateRequestException()
    operation = Route53DomainsOperation.validate(domain_name=domain_name, status="IN_PROGRESS", type_="UPDATE_NAMESERVER")
    operation.sandbox_change = (domain, servers_of(domain_name, nameservers))
    operation.sandbox_looks = 0
    operations[operation.id] = operation
    return operation


def servers_of(domain_name: str, nameservers: list[dict[str, Any]]) -> list[Any]:
    try:
        servers = [NameServer.validate_dict(server) for server in nameservers]
    except ValidationException as error:
        raise InvalidInputException(error.errors) from error
    for server in servers:
        if server.name.endswith(f".{domain_name}") and not server.glue_ips:
            raise InvalidInputException([f"Must supply glue IPs for name server {server.name} because it is a subdomain of the domain"])
    return servers


def settle(operations: Any) -> None:
    """Carries out what was seen on its way before."""
    for operation in operations:
        if not is_open(operation):
            continue
        operation.sandbox_looks += 1
        if operation.sandbox_looks > LOOKS_MIN:
            domain, servers = operation.sandbox_change
            domain.nameservers = servers
            operation.status = "SUCCESSFUL"
            operation.last_updated_date = datetime.now(timezone.utc)


def is_open(operation: Any) -> bool:
    return operation.status == "IN_PROGRESS"
