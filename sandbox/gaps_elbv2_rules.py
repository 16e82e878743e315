"""Actions, rules and attributes of load balancers as AWS has them: defaults filled in, priorities that swap, groups that belong to one."""

from typing import Any

from moto.elbv2.exceptions import DuplicatePriorityError, ELBClientError, PriorityInUseError, RuleNotFoundError
from moto.elbv2.models import FakeAction

# RedirectActionConfig: what a redirect leaves out stays as the client asked for it.
REDIRECT = {"Protocol": "#{protocol}", "Port": "#{port}", "Host": "#{host}", "Path": "/#{path}", "Query": "#{query}"}
# AuthenticateCognitoActionConfig, AuthenticateOidcActionConfig.
SESSION = {
    "SessionCookieName": "AWSELBAuthSessionCookie",
    "Scope": "openid",
    "SessionTimeout": 604800,
    "OnUnauthenticatedRequest": "authenticate",
}


def close_gaps() -> None:
    """Called once, before the first Elastic Load Balancing request is served."""
    original = FakeAction.__init__

    def init(action: Any, data: dict[str, Any]) -> None:
        fill(data)
        original(action, data)

    FakeAction.__init__ = init


def fill(data: dict[str, Any]) -> None:
    """What AWS answers with beside what it was sent. It never tells a client's secret."""
    data.setdefault("Order", 1)
    if data["Type"] == "forward":
        fill_forward(data)
    if redirect := data.get("RedirectConfig"):
        data["RedirectConfig"] = {**REDIRECT, **redirect}
    for name in ("AuthenticateCognitoConfig", "AuthenticateOidcConfig"):
        if config := data.get(name):
            kept = {key: value for key, value in config.items() if key not in ("ClientSecret", "UseExistingClientSecret")}
            data[name] = {**SESSION, **kept}


def fill_forward(data: dict[str, Any]) -> None:
    group = data.get("TargetGroupArn")
    config = data.setdefault("ForwardConfig", {"TargetGroups": [{"TargetGroupArn": group}]})
    config.setdefault("TargetGroupStickinessConfig", {"Enabled": False})
    if len(config["TargetGroups"]) == 1:
        data["TargetGroupArn"] = config["TargetGroups"][0]["TargetGroupArn"]


def groups_of(actions: Any) -> set[str]:
    """The target groups that actions name, as they were sent or as moto has them."""
    found = set()
    for action in actions:
        data = action if isinstance(action, dict) else action.data
        found |= {data["TargetGroupArn"]} if "TargetGroupArn" in data else set()
        found |= {group["TargetGroupArn"] for group in data.get("ForwardConfig", {}).get("TargetGroups", [])}
    return found


def groups_used_by(balancer: Any) -> set[str]:
    rules = [rule for listener in balancer.listeners.values() for rule in listener.rules.values()]
    return {group for rule in rules for group in groups_of(rule.actions)}


def check_groups_free(backend: Any, load_balancer_arn: str, actions: Any) -> None:
    """You can use each target group with only one load balancer (TargetGroup)."""
    for group in groups_of(actions):
        for balancer in backend.load_balancers.values():
            if balancer.arn != load_balancer_arn and group in groups_used_by(balancer):
                message = f"The following target groups cannot be associated with more than one load balancer: {group}"
                raise ELBClientError("TargetGroupAssociationLimit", message)


def create_rule(original: Any, backend: Any, listener_arn: str, conditions: Any, priority: int, actions: Any, tags: Any = None) -> Any:
    listener = backend.describe_listeners(None, [listener_arn])[0]
    check_groups_free(backend, listener.load_balancer_arn, actions)
    fill_conditions(conditions)
    return original(backend, listener_arn, conditions, int(priority), actions, tags)


def modify_rule(original: Any, backend: Any, rule_arn: str, conditions: Any, actions: Any) -> Any:
    rule = backend.describe_rules(None, [rule_arn])[0]
    if not conditions and not actions:
        return rule  # Its transforms alone change.
    check_groups_free(backend, backend.describe_listeners(None, [rule.listener_arn])[0].load_balancer_arn, actions)
    fill_conditions(conditions)
    return original(backend, rule_arn, conditions, actions)


def fill_conditions(conditions: Any) -> None:
    """AWS answers with both spellings of hosts and paths."""
    for condition in conditions:
        name = {"host-header": "HostHeaderConfig", "path-pattern": "PathPatternConfig"}.get(condition.get("Field"))
        if name and name not in condition:
            condition[name] = {"Values": condition.pop("Values", [])}


def describe_rules(original: Any, backend: Any, listener_arn: Any, rule_arns: Any) -> Any:
    if listener_arn and rule_arns == []:
        rule_arns = None
    return original(backend, listener_arn, rule_arns)


def set_rule_priorities(_original: Any, backend: Any, rule_priorities: list[dict[str, Any]]) -> Any:
    """AWS takes the new order as a whole: rules may swap their priorities."""
    wanted = [int(pair["Priority"]) for pair in rule_priorities]
    for priority in wanted:
        if wanted.count(priority) > 1:
            raise DuplicatePriorityError(str(priority))
    moved = [backend.describe_rules(None, [pair["RuleArn"]])[0] for pair in rule_priorities]
    if any(rule.is_default for rule in moved):
        raise RuleNotFoundError()
    for rule, priority in zip(moved, wanted):
        listener = backend.describe_listeners(None, [rule.listener_arn])[0]
        if any(other.priority == priority and other not in moved for other in listener.rules.values()):
            raise PriorityInUseError()
    for rule, priority in zip(moved, wanted):
        rule.priority = priority
    return moved


def _validate_conditions(original: Any, backend: Any, conditions: Any) -> None:
    """moto knows neither regular expressions nor the IP versions of network load balancers."""
    configs = [[value for name, value in condition.items() if name.endswith("Config")] for condition in conditions]
    known = [condition for condition, own in zip(conditions, configs) if all("Values" in config for config in own)]
    original(backend, known)


def _validate_actions(original: Any, backend: Any, actions: Any) -> None:
    original(backend, [action for action in actions if action.type != "jwt-validation"])


def modify_target_group_attributes(original: Any, backend: Any, target_group_arn: str, attributes: dict[str, Any]) -> None:
    delay = "deregistration_delay.timeout_seconds"
    longest = attributes.get(delay) == "3600"  # moto refuses the longest one.
    original(backend, target_group_arn, {**attributes, delay: "3599"} if longest else attributes)
    backend.target_groups[target_group_arn].attributes.update(attributes)


STAND_INS = (create_rule, modify_rule, describe_rules, set_rule_priorities, _validate_conditions, _validate_actions, modify_target_group_attributes)


# What new objects have (LoadBalancerAttribute, TargetGroupAttribute, ListenerAttribute)


def balancer_attributes(kind: str, scheme: str) -> dict[str, str]:
    both = {
        "deletion_protection.enabled": "false",
        "access_logs.s3.enabled": "false",
        "access_logs.s3.bucket": "",
        "access_logs.s3.prefix": "",
        "ipv6.deny_all_igw_traffic": "true" if scheme == "internal" else "false",
        "zonal_shift.config.enabled": "false",
    }
    if kind == "network":
        return {
            **both,
            "load_balancing.cross_zone.enabled": "false",
            "dns_record.client_routing_policy": "any_availability_zone",
            "secondary_ips.auto_assigned.per_subnet": "0",
        }
    logs = {
        f"{name}.s3.{member}": "false" if member == "enabled" else ""
        for name in ("connection_logs", "health_check_logs")
        for member in ("enabled", "bucket", "prefix")
    }
    return {
        **both,
        **logs,
        "load_balancing.cross_zone.enabled": "true",
        "idle_timeout.timeout_seconds": "60",
        "client_keep_alive.seconds": "3600",
        "routing.http.desync_mitigation_mode": "defensive",
        "routing.http.drop_invalid_header_fields.enabled": "false",
        "routing.http.preserve_host_header.enabled": "false",
        "routing.http.x_amzn_tls_version_and_cipher_suite.enabled": "false",
        "routing.http.xff_client_port.enabled": "false",
        "routing.http.xff_header_processing.mode": "append",
        "routing.http2.enabled": "true",
        "waf.fail_open.enabled": "false",
    }


def group_attributes(group: Any) -> dict[str, str]:
    health = {
        "target_group_health.dns_failover.minimum_healthy_targets.count": "1",
        "target_group_health.dns_failover.minimum_healthy_targets.percentage": "off",
        "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count": "1",
        "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage": "off",
        "load_balancing.cross_zone.enabled": "use_load_balancer_configuration",
    }
    if group.target_type == "lambda":
        return {**health, "lambda.multi_value_headers.enabled": "false"}
    every = {**health, "deregistration_delay.timeout_seconds": "300", "stickiness.enabled": "false"}
    if group.protocol in ("HTTP", "HTTPS"):
        return {
            **every,
            "stickiness.type": "lb_cookie",
            "stickiness.lb_cookie.duration_seconds": "86400",
            "stickiness.app_cookie.cookie_name": "",
            "stickiness.app_cookie.duration_seconds": "86400",
            "load_balancing.algorithm.type": "round_robin",
            "load_balancing.algorithm.anomaly_mitigation": "off",
            "slow_start.duration_seconds": "0",
        }
    datagrams = group.protocol in ("UDP", "TCP_UDP")
    hidden = group.target_type == "ip" and group.protocol in ("TCP", "TLS")
    return {
        **every,
        "stickiness.type": "source_ip",
        "deregistration_delay.connection_termination.enabled": "true" if datagrams else "false",
        "preserve_client_ip.enabled": "false" if hidden else "true",
        "proxy_protocol_v2.enabled": "false",
        "target_health_state.unhealthy.connection_termination.enabled": "true",
        "target_health_state.unhealthy.draining_interval_seconds": "0",
    }


def listener_attributes(protocol: str) -> dict[str, str]:
    if protocol not in ("HTTP", "HTTPS"):
        return {"tcp.idle_timeout.seconds": "350"} if protocol == "TCP" else {}
    headers = ("strict_transport_security", "content_security_policy", "x_content_type_options", "x_frame_options")
    cross = ("allow_origin", "allow_methods", "allow_headers", "allow_credentials", "expose_headers", "max_age")
    response = [*headers, *(f"access_control_{name}" for name in cross)]
    secure = {
        "x_amzn_mtls_clientcert_serial_number": "X-Amzn-Mtls-Clientcert-Serial-Number",
        "x_amzn_mtls_clientcert_issuer": "X-Amzn-Mtls-Clientcert-Issuer",
        "x_amzn_mtls_clientcert_subject": "X-Amzn-Mtls-Clientcert-Subject",
        "x_amzn_mtls_clientcert_validity": "X-Amzn-Mtls-Clientcert-Validity",
        "x_amzn_mtls_clientcert_leaf": "X-Amzn-Mtls-Clientcert-Leaf",
        "x_amzn_mtls_clientcert": "X-Amzn-Mtls-Clientcert",
        "x_amzn_tls_version": "X-Amzn-Tls-Version",
        "x_amzn_tls_cipher_suite": "X-Amzn-Tls-Cipher-Suite",
    }
    request = secure if protocol == "HTTPS" else {}
    return {
        "routing.http.response.server.enabled": "true",
        **{f"routing.http.response.{name}.header_value": "" for name in response},
        **{f"routing.http.request.{name}.header_name": header for name, header in request.items()},
    }
