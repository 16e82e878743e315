"""What moto's EC2 leaves out of what instances are launched from: versions of launch templates, fingerprints, ages of images, interfaces."""

import base64
import hashlib
import re
from datetime import UTC, datetime
from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.exceptions import InvalidKeyPairNameError, InvalidLaunchTemplateIdNotFound, InvalidLaunchTemplateVersionNotFound
from moto.ec2.models import EC2Backend
from moto.ec2.models.amis import Ami
from moto.ec2.models.instances import Instance
from moto.ec2.models.launch_templates import LaunchTemplate, LaunchTemplateVersion
from moto.ec2.responses import EC2Response

# "This value can be between 1 and 200" (EC2 API Reference, DescribeLaunchTemplates and DescribeLaunchTemplateVersions).
PAGE_MAX = 200
# Amazon's images carry the day they were made in their names: al2023-ami-2023.12.20260930.0-kernel-6.18-x86_64.
DAY_IN_NAME = re.compile(r"\b(20\d\d)(\d\d)(\d\d)\b")


def close_gaps() -> None:
    """Called once, before the first EC2 request is served."""
    close_key_gaps()
    close_template_gaps()
    Ami.creation_date = property(created, lambda image, value: setattr(image, "sandbox_created", value))
    terminate = Instance.terminate

    def terminate_with_interfaces(instance: Any) -> Any:
        # What RunInstances makes is deleted with the instance, unless a launch says otherwise; moto would keep it for ever.
        for interface in instance.nics.values():
            interface.delete_on_termination = True
        return terminate(instance)

    Instance.terminate = terminate_with_interfaces


def created(image: Any) -> datetime:
    day = DAY_IN_NAME.search(image.name or "")
    return datetime(*map(int, day.groups()), tzinfo=UTC) if day else image.sandbox_created


def close_key_gaps() -> None:
    import_key_pair = EC2Backend.import_key_pair

    def import_with_fingerprint(backend: Any, key_name: str, public_key_material: bytes, tags: Any) -> Any:
        pair = import_key_pair(backend, key_name, public_key_material, tags)
        if pair.key_type == "ed25519":  # "the base64-encoded SHA-256 digest, which is the default for OpenSSH" (KeyPairInfo)
            digest = hashlib.sha256(base64.b64decode(public_key_material.split()[1])).digest()
            pair.key_fingerprint = base64.b64encode(digest).decode()
        return pair

    EC2Backend.import_key_pair = import_with_fingerprint
    EC2Response.delete_key_pair = delete_key_pair


def delete_key_pair(response: Any) -> Any:
    name, wanted = response._get_param("KeyName"), response._get_param("KeyPairId")
    pairs = response.ec2_backend.key_pairs
    found = next((pair for pair in pairs.values() if wanted in (None, pair.id) and name in (None, pair.key_name)), None)
    if not name and not wanted:
        raise InvalidKeyPairNameError(name)
    if found:
        del pairs[found.key_name]
    return ActionResult({"Return": True, "KeyPairId": found.id if found else None})


def close_template_gaps() -> None:
    create = EC2Response.create_launch_template
    describe_versions = EC2Backend.describe_launch_template_versions
    describe = EC2Backend.describe_launch_templates

    def create_launch_template(response: Any) -> Any:
        answer = create(response)
        template = response.ec2_backend.get_launch_template_by_name(response._get_param("LaunchTemplateName"))
        data = template.versions[0].data  # moto puts the template's own tags among those of what it launches.
        kept = [tags for tags in data.pop("TagSpecifications", []) if tags["ResourceType"] != "launch-template"]
        data.update({"TagSpecifications": kept} if kept else {})
        return answer

    def describe_launch_templates(backend: Any, template_names: Any = None, template_ids: Any = None, filters: Any = None) -> Any:
        for wanted in template_ids or []:
            if wanted not in backend.launch_templates:
                raise InvalidLaunchTemplateIdNotFound(wanted)
        return describe(backend, template_names, template_ids, filters)

    def describe_launch_template_versions(backend: Any, **asked: Any) -> Any:
        least, most = asked.pop("min_version"), asked.pop("max_version")
        found = describe_versions(backend, **{**asked, "min_version": None, "max_version": None, "max_results": None})
        return [pair for pair in found if (least or 0) <= pair[1].number <= (most or pair[1].number)]

    EC2Response.create_launch_template = create_launch_template
    EC2Response.delete_launch_template_versions = delete_launch_template_versions
    EC2Response.describe_launch_templates = paged(EC2Response.describe_launch_templates, "LaunchTemplates")
    EC2Response.describe_launch_template_versions = paged(EC2Response.describe_launch_template_versions, "LaunchTemplateVersions")
    EC2Backend.describe_launch_templates = describe_launch_templates
    EC2Backend.describe_launch_template_versions = describe_launch_template_versions
    LaunchTemplate.create_version = create_version
    LaunchTemplate.get_version = get_version
    LaunchTemplate.default_version = lambda template: template.get_version(template.default_version_number)
    # moto keeps the tags that a template began with.
    LaunchTemplate.tags = property(lambda template: template.get_tags(), lambda _template, _tags: None)


def paged(describe: Any, member: str) -> Any:
    """moto cuts lists at 15, and has no token for the rest."""

    def page(response: Any) -> Any:
        start = int(response._get_param("NextToken") or 0)
        size = response._get_int_param("MaxResults") or PAGE_MAX
        original = response._get_int_param
        response._get_int_param = lambda name, default=None: 10**9 if name == "MaxResults" else original(name, default)
        try:
            answer = describe(response).result
        finally:
            response._get_int_param = original
        found = answer[member]
        rest = {"NextToken": str(start + size)} if len(found) > start + size else {}
        return ActionResult({**answer, member: found[start : start + size], **rest})

    return page


def create_version(template: Any, data: Any, description: str) -> Any:
    # Numbers are never given twice, whatever is deleted.
    template.sandbox_number = getattr(template, "sandbox_number", 0) + 1
    version = LaunchTemplateVersion(template, template.sandbox_number, data, description)
    template.versions.append(version)
    return version


def get_version(template: Any, wanted: Any) -> Any:
    if str(wanted).lower() == "$latest":
        return template.versions[-1]
    number = str(template.default_version_number) if str(wanted).lower() == "$default" else str(wanted)
    found = next((version for version in template.versions if str(version.number) == number), None)
    if found is None:
        raise InvalidLaunchTemplateVersionNotFound(template_id=template.id, version=wanted)
    return found


def delete_launch_template_versions(response: Any) -> Any:
    backend = response.ec2_backend
    name, wanted = response._get_param("LaunchTemplateName"), response._get_param("LaunchTemplateId")
    template = backend.get_launch_template_by_name(name) if name else backend.get_launch_template(wanted)
    deleted, kept = [], []
    for number in response._get_param("Versions", []):
        item = {"LaunchTemplateId": template.id, "LaunchTemplateName": template.name, "VersionNumber": int(number)}
        version = next((version for version in template.versions if str(version.number) == number), None)
        if version is None:
            kept.append(refused(item, "launchTemplateVersionDoesNotExist", f"Version {number} does not exist."))
        elif template.is_default(version):
            kept.append(refused(item, "unexpectedError", f"Version {number} is the default version."))
        else:
            template.versions.remove(version)
            deleted.append(item)
    return ActionResult(
        {"SuccessfullyDeletedLaunchTemplateVersions": deleted, "UnsuccessfullyDeletedLaunchTemplateVersions": kept}
    )


def refused(item: dict[str, Any], code: str, message: str) -> dict[str, Any]:
    return {**item, "ResponseError": {"Code": code, "Message": message}}
