"""What moto's IAM lets through or lacks: principals nobody knows, roles that are in no profile, and the simulation of policies."""

import re
from collections.abc import Iterator
from typing import Any

from moto.core.responses import ActionResult
from moto.iam.exceptions import IAMException, MalformedPolicyDocument, NotFoundException
from moto.iam.models import AWSManagedPolicy, IAMBackend
from moto.iam.responses import IamResponse

from policies import ALLOWED, EXPLICIT_DENY, IMPLICIT_DENY, Decision, Policy, as_list, decide, statements_of

# "If you do not include this parameter, the number of items defaults to 100" (IAM API Reference, SimulatePrincipalPolicy).
ITEMS_MAX = 100
PRINCIPAL = re.compile(r"arn:[\w-]+:(?:iam|sts)::\d{12}:([\w-]+)(?:/(?:.*/)?([^/]+))?")
OWN_PRINCIPAL = re.compile(r"arn:[\w-]+:iam::(\d{12}):(role|user)/(.+/)?([^/]+)")


class InvalidInput(IAMException):
    code = "InvalidInput"


def close_gaps() -> None:
    """Called once, before the first IAM request is served."""
    create_role, update_trust, remove_role = (
        IAMBackend.create_role,
        IAMBackend.update_assume_role_policy,
        IAMBackend.remove_role_from_instance_profile,
    )

    def create(backend: Any, role_name: str, document: str, *rest: Any, **options: Any) -> Any:
        assert_principals_exist(backend, document)
        return create_role(backend, role_name, document, *rest, **options)

    def update_assume_role_policy(backend: Any, role_name: str, document: str) -> None:
        backend.get_role(role_name)
        assert_principals_exist(backend, document)
        update_trust(backend, role_name, document)

    def remove_role_from_instance_profile(backend: Any, profile_name: str, role_name: str) -> None:
        if all(role.name != role_name for role in backend.get_instance_profile(profile_name).roles):
            raise NotFoundException(f"Role {role_name} in Instance Profile {profile_name} cannot be found.")
        remove_role(backend, profile_name, role_name)

    IAMBackend.create_role = create
    IAMBackend.update_assume_role_policy = update_assume_role_policy
    IAMBackend.remove_role_from_instance_profile = remove_role_from_instance_profile
    IamResponse.simulate_principal_policy = simulate_principal_policy


def assert_principals_exist(backend: Any, document: str) -> None:
    """AWS stores the principals of a role by their IDs, so the account's own must exist."""
    try:
        statements = statements_of(document)
    except (ValueError, AttributeError):
        return  # moto says what is wrong with it.
    for statement in statements:
        principal = statement.get("Principal", {})
        for arn in as_list(principal.get("AWS", [])) if isinstance(principal, dict) else []:
            found = OWN_PRINCIPAL.fullmatch(str(arn))
            if found and found[1] == backend.account_id and not exists(backend, found[2], found[4]):
                raise MalformedPolicyDocument(f'Invalid principal in policy: "AWS":"{arn}"')


def exists(backend: Any, kind: str, name: str) -> bool:
    if kind == "user":
        return name in backend.users
    return any(role.name == name for role in backend.roles.values())


def simulate_principal_policy(response: Any) -> ActionResult:
    backend = response.backend
    own, boundary = policies_of(backend, response._get_param("PolicySourceArn"))
    added = [Policy(f"PolicyInputList.{index}", "none", text) for index, text in enumerate(response._get_param("PolicyInputList", []), 1)]
    boundaries = response._get_param("PermissionsBoundaryPolicyInputList", [])
    if boundaries:
        boundary = [Policy(f"PermissionsBoundaryPolicyInputList.{index}", "none", text) for index, text in enumerate(boundaries, 1)]
    context = {entry["ContextKeyName"]: entry["ContextKeyValues"] for entry in response._get_param("ContextEntries", [])}
    results = [
        result_of(within(decide([*own, *added], action, resource, context), boundary, (action, resource, context)), action, resource)
        for action in response._get_param("ActionNames", [])
        for resource in response._get_param("ResourceArns", []) or ["*"]
    ]
    start, count = int(response._get_param("Marker") or 0), int(response._get_param("MaxItems") or ITEMS_MAX)
    more = start + count < len(results)
    page = {"EvaluationResults": results[start : start + count], "IsTruncated": more}
    return ActionResult({**page, **({"Marker": str(start + count)} if more else {})})


def within(decision: Decision, boundary: list[Policy] | None, request: Any) -> Decision:
    """A permissions boundary allows nothing by itself, and what it does not allow, nothing else does."""
    if boundary is None or decision.verdict == EXPLICIT_DENY:
        return decision
    limit = decide(boundary, *request)
    if limit.verdict == ALLOWED or decision.verdict == IMPLICIT_DENY:
        return decision
    return Decision(limit.verdict, limit.matched, limit.missing)


def result_of(decision: Decision, action: str, resource: str) -> dict[str, Any]:
    return {
        "EvalActionName": action,
        "EvalResourceName": resource,
        "EvalDecision": decision.verdict,
        "MatchedStatements": [{"SourcePolicyId": policy.name, "SourcePolicyType": policy.source} for policy in decision.matched],
        "MissingContextValues": decision.missing,
    }


def policies_of(backend: Any, arn: str) -> tuple[list[Policy], list[Policy] | None]:
    """The identity policies of a role, user or group, and its boundary. The sandbox's own caller, whom nobody made, may do all."""
    found = PRINCIPAL.fullmatch(arn or "")
    kind, name = (found[1], found[2]) if found else ("", "")
    if kind == "root" or (kind == "user" and ":sts:" in arn):
        return [Policy("AdministratorAccess", "aws-managed", {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}})], None
    if kind == "role":
        role = backend.get_role(name)
        inline = [Policy(f"role_{name}_{policy}", "role", document) for policy, document in role.policies.items()]
        return [*inline, *managed_of(role)], boundary_of(backend, role)
    if kind == "user":
        user = backend.get_user(name)
        inline = [Policy(f"user_{name}_{policy}", "user", document) for policy, document in user.policies.items()]
        groups = [policy for group in backend.get_groups_for_user(name) for policy in group_policies(group)]
        return [*inline, *managed_of(user), *groups], None
    if kind == "group":
        return list(group_policies(backend.get_group(name))), None
    raise InvalidInput(f"Invalid Entity Arn: {arn} does not clearly define entity type and name.")


def group_policies(group: Any) -> Iterator[Policy]:
    yield from (Policy(f"group_{group.name}_{policy}", "group", document) for policy, document in group.policies.items())
    yield from managed_of(group)


def managed_of(entity: Any) -> list[Policy]:
    return [managed(policy) for policy in entity.managed_policies.values()]


def boundary_of(backend: Any, role: Any) -> list[Policy] | None:
    arn = role.permissions_boundary_arn
    if not arn:
        return None
    return [managed(backend.managed_policies[arn])] if arn in backend.managed_policies else []


def managed(policy: Any) -> Policy:
    source = "aws-managed" if isinstance(policy, AWSManagedPolicy) else "user-managed"
    [document] = [version.document for version in policy.versions if version.version_id == policy.default_version_id]
    return Policy(policy.name, source, document)
