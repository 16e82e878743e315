"""Parameters that moto's Elastic Load Balancing drops: clients' certificates, ALPN, transforms, gRPC codes.

Each function of CALLS stands in front of the method of moto's ELBV2Response that has its name, and gets that method first.
"""

from typing import Any

from moto.elbv2.responses import ELBV2Response


def close_gaps() -> None:
    """Called once, before the first Elastic Load Balancing request is served."""
    for call in CALLS:
        setattr(ELBV2Response, call.__name__, in_front(call, getattr(ELBV2Response, call.__name__)))


def in_front(call: Any, original: Any) -> Any:
    return lambda response: call(original, response)


def create_listener(original: Any, response: Any) -> Any:
    return with_members(original(response), response._get_params())


def modify_listener(original: Any, response: Any) -> Any:
    return with_members(original(response), response._get_params())


def with_members(answer: Any, params: Any) -> Any:
    listener = answer.result["Listeners"][0]
    known = getattr(listener, "mutual_authentication", None) or {"Mode": "off"}
    listener.mutual_authentication = params.get("MutualAuthentication", known) if listener.protocol == "HTTPS" else None
    listener.alpn_policy = params.get("AlpnPolicy", listener.alpn_policy) if listener.protocol == "TLS" else []
    return answer


def create_rule(original: Any, response: Any) -> Any:
    return with_transforms(original(response), response._get_params())


def modify_rule(original: Any, response: Any) -> Any:
    return with_transforms(original(response), response._get_params())


def with_transforms(answer: Any, params: Any) -> Any:
    rule = answer.result["Rules"][0]
    kept = [] if params.get("ResetTransforms") else getattr(rule, "transforms", [])
    rule.transforms = params.get("Transforms", kept)
    return answer


def set_security_groups(original: Any, response: Any) -> Any:
    answer = original(response)
    params = response._get_params()
    if wanted := params.get("EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic"):
        balancer = response.elbv2_backend.load_balancers[params["LoadBalancerArn"]]
        balancer.enforce_security_group_inbound_rules_on_private_link_traffic = wanted
    return answer


def modify_target_group(original: Any, response: Any) -> Any:
    answer = original(response)
    if code := response._get_params().get("Matcher", {}).get("GrpcCode"):
        answer.result["TargetGroups"][0].matcher = {"GrpcCode": code}
    return answer


CALLS = (create_listener, modify_listener, create_rule, modify_rule, set_security_groups, modify_target_group)
