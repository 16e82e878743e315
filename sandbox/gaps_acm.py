"""What moto's Certificate Manager leaves out: proof by DNS, who uses a certificate, tokens, and what was asked for.

A validation record is derived from account and domain, so that a domain, its wildcard and a successor share one, and a certificate
is issued once that record is in a public zone of the sandbox.
"""

import hashlib
import sys
import time
from typing import Any

from moto import settings
from moto.acm.exceptions import AWSError, AWSValidationException
from moto.acm.models import AWSCertificateManagerBackend as Backend
from moto.acm.models import CertBundle
from moto.acm.responses import AWSCertificateManagerResponse as Response
from moto.core.responses import ActionResult, EmptyResult

# AWS names the validation records some seconds after the request.
RECORD_SECONDS = 0.05
TOKEN_SECONDS = 3600


class InUse(AWSError):
    TYPE = "ResourceInUseException"


def close_gaps() -> None:
    """Called once, before the first ACM request is served."""
    describe, request, delete = CertBundle.describe, Response.request_certificate, Backend.delete_certificate
    generate, bundles = CertBundle.generate_cert, {}

    def generate_cert(*args: Any, **options: Any) -> Any:
        """A key pair takes longer than everything else here: certificates for the same names share one."""
        names = (options.get("domain_name") or args[0], *sorted(options.get("sans") or []))
        made = bundles.get(names)
        if made is None:
            made = bundles[names] = generate(*args, **options)
        is_private = options.get("cert_authority_arn") is not None
        return CertBundle(
            account_id=options["account_id"],
            certificate=made.cert,
            private_key=made.key,
            region=options["region"],
            cert_type="PRIVATE" if is_private else "AMAZON_ISSUED",
            cert_status="ISSUED" if is_private else "PENDING_VALIDATION",
            cert_authority_arn=options.get("cert_authority_arn"),
        )

    def request_certificate(response: Any) -> Any:
        backend, token = response.acm_backend, response._get_param("IdempotencyToken")
        tokens = backend.__dict__.setdefault("sandbox_tokens", {})
        known, until = tokens.get(token, (None, 0.0))
        if token and known in backend._certificates and time.monotonic() < until:
            return ActionResult({"CertificateArn": known})
        answer = request(without_token(response))
        arn = answer.result["CertificateArn"]
        keep(response, backend._certificates[arn])
        tokens[token] = (arn, time.monotonic() + TOKEN_SECONDS)
        return answer

    def described(bundle: Any) -> Any:
        answer = describe(bundle)
        found = answer["Certificate"]
        found["InUseBy"] = users_of(bundle.arn)
        found["SubjectAlternativeNameSummaries"] = found["SubjectAlternativeNames"]
        found["KeyAlgorithm"] = getattr(bundle, "sandbox_algorithm", None) or found["KeyAlgorithm"]
        if bundle.type == "AMAZON_ISSUED":
            found["DomainValidationOptions"] = options_of(bundle)
        if bundle.status != "ISSUED":
            for name in ("IssuedAt", "NotAfter", "NotBefore", "Serial"):
                found.pop(name, None)
        return answer

    def delete_certificate(backend: Any, arn: str) -> None:
        if users_of(arn):
            raise InUse(f"Certificate {arn} in account {backend.account_id} is in use.")
        delete(backend, arn)

    CertBundle.generate_cert = staticmethod(generate_cert)
    CertBundle.describe = described
    CertBundle.check = check
    Backend.delete_certificate = delete_certificate
    Response.request_certificate = request_certificate
    Response.update_certificate_options = update_certificate_options


def without_token(response: Any) -> Any:
    """moto asks for equal tags where AWS asks for nothing but the token."""
    original = response._get_param

    def get_param(name: str, if_none: Any = None) -> Any:
        return if_none if name == "IdempotencyToken" else original(name, if_none)

    response._get_param = get_param
    return response


def keep(response: Any, bundle: Any) -> None:
    """What was asked for, and moto forgets."""
    bundle.made_at = time.monotonic()
    bundle.sandbox_algorithm = response._get_param("KeyAlgorithm")
    bundle.sandbox_method = response._get_param("ValidationMethod") or "EMAIL"
    domains = response._get_param("DomainValidationOptions") or []
    bundle.sandbox_domains = {domain["DomainName"]: domain["ValidationDomain"] for domain in domains}


def options_of(bundle: Any) -> list[dict[str, Any]]:
    names = sorted(set([*bundle.sans, bundle.common_name]), key=lambda name: hashlib.md5(f"{bundle.arn}{name}".encode()).digest())
    return [option_of(bundle, name) for name in names]


def option_of(bundle: Any, name: str) -> dict[str, Any]:
    method = getattr(bundle, "sandbox_method", "DNS")
    status = "SUCCESS" if bundle.status == "ISSUED" else "FAILED" if bundle.status == "FAILED" else "PENDING_VALIDATION"
    domain = getattr(bundle, "sandbox_domains", {}).get(name, name)
    option = {"DomainName": name, "ValidationDomain": domain, "ValidationStatus": status, "ValidationMethod": method}
    if method == "EMAIL":
        return {**option, "ValidationEmails": [f"admin@{domain.removeprefix('*.')}"]}
    if time.monotonic() < getattr(bundle, "made_at", 0.0) + RECORD_SECONDS:
        return option
    record, target = record_of(account_of(bundle.arn), name)
    return {**option, "ResourceRecord": {"Name": record, "Type": "CNAME", "Value": target}}


def record_of(account_id: str, name: str) -> tuple[str, str]:
    domain = name.removeprefix("*.")
    digest = hashlib.sha256(f"{account_id} {domain}".encode()).hexdigest()
    return f"_{digest[:32]}.{domain}.", f"_{digest[32:]}.mhbtsbpdnt.acm-validations.aws."


def check(bundle: Any) -> None:
    """Issued once every domain is proved; by mail, as if somebody had followed the link."""
    is_open = bundle.type == "AMAZON_ISSUED" and bundle.status == "PENDING_VALIDATION"
    made_at = bundle.__dict__.setdefault("made_at", time.monotonic())
    if not is_open or time.monotonic() < made_at + settings.ACM_VALIDATION_WAIT:
        return
    account_id = account_of(bundle.arn)
    is_mailed = getattr(bundle, "sandbox_method", "DNS") == "EMAIL"
    if is_mailed or all(is_proved(account_id, name) for name in {*bundle.sans, bundle.common_name}):
        bundle.status = "ISSUED"


def is_proved(account_id: str, name: str) -> bool:
    from moto.route53.models import route53_backends

    record, target = record_of(account_id, name)
    zones = [zone for zone in route53_backends[account_id]["aws"].zones.values() if not zone.private_zone]
    found = [entry for zone in zones for entry in zone.rrsets if entry.name == record and entry.type == "CNAME"]
    values = [value["Value"] if isinstance(value, dict) else value for entry in found for value in entry.records]
    return any(value.rstrip(".").lower() == target.rstrip(".") for value in values)


def account_of(arn: str) -> str:
    return arn.split(":")[4]


def users_of(arn: str) -> list[str]:
    """The load balancers whose listeners have the certificate."""
    if "moto.elbv2.models" not in sys.modules:
        return []
    from gaps_elbv2 import all_certificates
    from moto.elbv2.models import elbv2_backends

    region, account_id = arn.split(":")[3:5]
    balancers = elbv2_backends[account_id][region].load_balancers.values()
    return [balancer.arn for balancer in balancers if any(arn in all_certificates(one) for one in balancer.listeners.values())]


def update_certificate_options(response: Any) -> Any:
    bundle = response.acm_backend.get_certificate(response._get_param("CertificateArn"))
    options = response._get_param("Options") or {}
    if "Export" in options:
        raise AWSValidationException("The value of Export cannot be updated after the certificate is created.")
    bundle.cert_options = {**bundle.cert_options, **options}
    return EmptyResult()
