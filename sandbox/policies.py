"""What IAM policies say of a request: statements, wildcards, explicit denial and the conditions that BEACON's own policies use.

Rules as in the IAM user guide, "Policy evaluation logic" and "Condition operators". Policy variables are not replaced.
"""

import ipaddress
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

ALLOWED, EXPLICIT_DENY, IMPLICIT_DENY = "allowed", "explicitDeny", "implicitDeny"


@dataclass(frozen=True)
class Policy:
    """A document and where it comes from: `source` is one of user, group, role, aws-managed, user-managed, none."""

    name: str
    source: str
    document: Any


@dataclass
class Decision:
    verdict: str
    matched: list[Policy] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


Context = Mapping[str, list[str]]


def decide(policies: Iterable[Policy], action: str, resource: str, context: Context) -> Decision:
    """One request under all of somebody's policies: a Deny outweighs every Allow."""
    decision = Decision(IMPLICIT_DENY)
    for policy in policies:
        for statement in statements_of(policy.document):
            if not covers(statement, action, resource):
                continue
            met, missing = conditions_met(statement.get("Condition", {}), context)
            decision.missing.extend(key for key in missing if key not in decision.missing)
            if not met:
                continue
            decision.matched.append(policy)
            if statement.get("Effect") == "Deny":
                return Decision(EXPLICIT_DENY, [policy], decision.missing)
            decision.verdict = ALLOWED
    return decision


def statements_of(document: Any) -> list[dict[str, Any]]:
    parsed = json.loads(document) if isinstance(document, (str, bytes)) else document
    return as_list(parsed.get("Statement", []))


def covers(statement: Mapping[str, Any], action: str, resource: str) -> bool:
    if "NotAction" in statement:
        acts = not any(is_like(action.lower(), pattern.lower()) for pattern in as_list(statement["NotAction"]))
    else:
        acts = any(is_like(action.lower(), pattern.lower()) for pattern in as_list(statement.get("Action", [])))
    if "NotResource" in statement:
        return acts and not any(is_like(resource, pattern) for pattern in as_list(statement["NotResource"]))
    return acts and any(is_like(resource, pattern) for pattern in as_list(statement.get("Resource", "*")))


def is_like(text: str, pattern: str) -> bool:
    """`*` for any text, `?` for any one character."""
    source = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(source, text, re.DOTALL) is not None


def conditions_met(conditions: Mapping[str, Mapping[str, Any]], context: Context) -> tuple[bool, list[str]]:
    """Whether all hold, and the keys that the context does not tell. Keys are compared without regard to case."""
    known = {key.lower(): values for key, values in context.items()}
    met, missing = True, []
    for operator, keys in conditions.items():
        for key, expected in keys.items():
            actual = known.get(key.lower())
            if actual is None and not operator.startswith("Null"):
                missing.append(key)
            met = met and condition_met(operator, [text_of(value) for value in as_list(expected)], actual)
    return met, missing


def condition_met(operator: str, expected: list[str], actual: list[str] | None) -> bool:
    qualifier, _, name = operator.rpartition(":")
    if_exists = name.endswith("IfExists")
    name = name.removesuffix("IfExists")
    if name == "Null":
        return (actual is None) == (expected[0].lower() == "true")
    negated = "Not" in name
    if actual is None:
        return if_exists or negated or qualifier == "ForAllValues"
    holds = COMPARISONS.get(name.replace("Not", "", 1))
    if holds is None:
        return False
    results = [any(holds(value, wanted) for wanted in expected) != negated for value in actual]
    return all(results) if qualifier == "ForAllValues" or negated else any(results)


def number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


def in_network(address: str, network: str) -> bool:
    try:
        return ipaddress.ip_address(address) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False


COMPARISONS = {
    "StringEquals": lambda value, wanted: value == wanted,
    "StringEqualsIgnoreCase": lambda value, wanted: value.lower() == wanted.lower(),
    "StringLike": is_like,
    "ArnEquals": is_like,
    "ArnLike": is_like,
    "Bool": lambda value, wanted: value.lower() == wanted.lower(),
    "IpAddress": in_network,
    "NumericEquals": lambda value, wanted: number(value) == number(wanted),
    "NumericLessThan": lambda value, wanted: number(value) < number(wanted),
    "NumericLessThanEquals": lambda value, wanted: number(value) <= number(wanted),
    "NumericGreaterThan": lambda value, wanted: number(value) > number(wanted),
    "NumericGreaterThanEquals": lambda value, wanted: number(value) >= number(wanted),
}


def text_of(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
