"""What moto's WAF lets through, forgets or has no call for: associations, whole updates, some members, the tagging API."""

import json
import sys
from collections.abc import Iterator
from typing import Any

from moto.core.resource_tagging import TaggableResourcesMixin, TaggedResource
from moto.wafv2.exceptions import WAFNonexistentItemException, WAFv2ClientError
from moto.wafv2.models import GLOBAL_REGION, US_EAST_1_REGION, FakeWebACL, WAFV2Backend, wafv2_backends
from moto.wafv2.responses import WAFV2Response

# Members of a web ACL that moto drops.
DROPPED = ("DataProtectionConfig", "OnSourceDDoSProtectionConfig", "ApplicationConfig", "MonetizationConfig")

# "Default: 300 (5 minutes)" (WAFV2 API Reference, RateBasedStatement): AWS answers with it.
WINDOW_SECONDS = 300

# How the ARNs of what can be protected are told apart (WAFV2 API Reference, AssociateWebACL).
TYPES = {
    "APPLICATION_LOAD_BALANCER": ":loadbalancer/app/",
    "API_GATEWAY": ":/restapis/",
    "APPSYNC": ":apis/",
    "COGNITO_USER_POOL": ":userpool/",
    "APP_RUNNER_SERVICE": ":service/",
    "VERIFIED_ACCESS_INSTANCE": ":verified-access-instance/",
    "AMPLIFY": ":apps/",
    "AGENTCORE_GATEWAY": ":gateway/",
}


class WAFAssociatedItemException(WAFv2ClientError):
    def __init__(self) -> None:
        message = "AWS WAF couldn’t perform the operation because your resource is being used by another resource."
        super().__init__("WAFAssociatedItemException", message)


def close_gaps() -> None:
    """Called once, before the first WAF request is served."""
    for stand_in in BACKEND:
        setattr(WAFV2Backend, stand_in.__name__, in_front(stand_in, getattr(WAFV2Backend, stand_in.__name__)))
    for stand_in in RESPONSE:
        setattr(WAFV2Response, stand_in.__name__, in_front(stand_in, getattr(WAFV2Response, stand_in.__name__)))
    WAFV2Response.list_resources_for_web_acl = list_resources_for_web_acl
    FakeWebACL.to_dict = in_front(to_dict, FakeWebACL.to_dict)
    FakeWebACL.update = update
    WAFV2Backend.SERVICE_NAMESPACE = "wafv2"
    WAFV2Backend.iter_tagged_resources = iter_tagged_resources
    WAFV2Backend.__bases__ = (*WAFV2Backend.__bases__, TaggableResourcesMixin)


def in_front(stand_in: Any, original: Any) -> Any:
    return lambda own, *args, **options: stand_in(original, own, *args, **options)


def associate_web_acl(original: Any, backend: Any, web_acl_arn: str, resource_arn: str) -> None:
    """A resource has one web ACL at a time: the new one takes the place of the old one."""
    if web_acl_arn not in backend.wacls:
        raise WAFNonexistentItemException()
    forget(backend, resource_arn)
    original(backend, web_acl_arn, resource_arn)
    if balancer_exists(backend, resource_arn):
        backend.__dict__.setdefault("sandbox_balancers", set()).add(resource_arn)


def get_web_acl_for_resource(original: Any, backend: Any, resource_arn: str) -> Any:
    forget_deleted(backend)
    return original(backend, resource_arn)


def delete_web_acl(original: Any, backend: Any, name: str, scope: str, _id: str, lock_token: str) -> None:
    forget_deleted(backend)
    if any(acl.id == _id and acl.associated_resources for acl in backend.wacls.values()):
        raise WAFAssociatedItemException()
    original(backend, name, scope, _id, lock_token)


def list_tags_for_resource(original: Any, backend: Any, arn: str, **options: Any) -> Any:
    if ":" in arn and "/webacl/" in arn and arn not in backend.wacls:
        raise WAFNonexistentItemException()
    return original(backend, arn, **options)


def forget(backend: Any, resource_arn: str) -> None:
    for acl in backend.wacls.values():
        acl.associated_resources = [arn for arn in acl.associated_resources if arn != resource_arn]


def forget_deleted(backend: Any) -> None:
    """A load balancer's association ends with it."""
    for arn in list(backend.__dict__.get("sandbox_balancers", ())):
        if not balancer_exists(backend, arn):
            backend.sandbox_balancers.discard(arn)
            forget(backend, arn)


def balancer_exists(backend: Any, arn: str) -> bool:
    """Loads nothing: where nobody has called the load balancers' service, there is none."""
    models = sys.modules.get("moto.elbv2.models")
    if models is None or TYPES["APPLICATION_LOAD_BALANCER"] not in arn:
        return False
    return arn in models.elbv2_backends[backend.account_id][backend.region_name].load_balancers


def create_web_acl(original: Any, response: Any) -> Any:
    answer = original(response)
    arn = json.loads(answer[2])["Summary"]["ARN"]
    keep(response, response.wafv2_backend.wacls[arn])
    return answer


def update_web_acl(original: Any, response: Any) -> Any:
    answer = original(response)
    keep(response, response.wafv2_backend.get_web_acl(None, response._get_param("Name"), response._get_param("Id")))
    return answer


def keep(response: Any, acl: Any) -> None:
    body = json.loads(response.body)
    acl.sandbox_members = {name: body[name] for name in DROPPED if name in body}


def get_web_acl(original: Any, response: Any) -> Any:
    if ":global/" in (response._get_param("ARN") or ""):
        response.region = GLOBAL_REGION
    return original(response)


def list_resources_for_web_acl(response: Any) -> Any:
    acl = response.wafv2_backend.wacls.get(response._get_param("WebACLArn"))
    if acl is None:
        raise WAFNonexistentItemException()
    forget_deleted(response.wafv2_backend)
    mark = TYPES[response._get_param("ResourceType") or "APPLICATION_LOAD_BALANCER"]
    return 200, {}, json.dumps({"ResourceArns": [arn for arn in acl.associated_resources if mark in arn]})


BACKEND = (associate_web_acl, get_web_acl_for_resource, delete_web_acl, list_tags_for_resource)
RESPONSE = (create_web_acl, update_web_acl, get_web_acl)


def update(
    acl: Any,
    default_action: Any,
    rules: Any,
    description: Any,
    visibility_config: Any,
    custom_response_bodies: Any,
    captcha_config: Any,
    challenge_config: Any,
    token_domains: Any,
    association_config: Any,
) -> None:
    """AWS replaces the web ACL; moto would keep what the request leaves out."""
    acl.default_action, acl.rules, acl.description = default_action, rules or [], description or ""
    acl.visibility_config, acl.custom_response_bodies = visibility_config, custom_response_bodies
    acl.captcha_config, acl.challenge_config = captcha_config, challenge_config
    acl.token_domains, acl.association_config = token_domains, association_config
    acl.lock_token = acl._generate_lock_token()


def to_dict(original: Any, acl: Any) -> Any:
    """As AWS writes it: nothing for what is not set, and the default window of a rate-based rule."""
    members = {**original(acl), **getattr(acl, "sandbox_members", {})}
    del members["LockToken"]
    members["Rules"] = [rule_of(rule) for rule in members["Rules"]]
    return {name: value for name, value in members.items() if value not in (None, "")}


def rule_of(rule: dict[str, Any]) -> dict[str, Any]:
    statement = dict(rule["Statement"])
    if "RateBasedStatement" in statement:
        statement["RateBasedStatement"] = {"EvaluationWindowSec": WINDOW_SECONDS, **statement["RateBasedStatement"]}
    return {name: value for name, value in {**rule, "Statement": statement}.items() if value is not None}


def iter_tagged_resources(backend: Any) -> Iterator[TaggedResource]:
    scopes = {"regional": backend}
    if backend.region_name == US_EAST_1_REGION:
        scopes["global"] = wafv2_backends[backend.account_id][GLOBAL_REGION]
    for scope, own in scopes.items():
        for arn in own.wacls:
            tags = own.tagging_service.get_tag_dict_for_resource(arn)
            yield TaggedResource(arn=arn, tags=tags, resource_type=f"wafv2:{scope}/webacl")
