"""What moto's tagging API leaves out: repositories."""

from collections.abc import Iterator
from typing import Any

from moto.core.resource_tagging import TaggedResource


class TaggedRepositories:
    """An ECR backend as the tagging API asks backends."""

    def __init__(self, backend: Any) -> None:
        self.backend = backend

    def iter_tagged_resources(self) -> Iterator[TaggedResource]:
        for repository in self.backend.repositories.values():
            tags = self.backend.tagger.get_tag_dict_for_resource(repository.arn)
            yield TaggedResource(arn=repository.arn, tags=tags, resource_type="ecr:repository")

    def owns_arn(self, _arn: str) -> bool:
        return False


def taggable_backends(account_id: str, region: str) -> Iterator[TaggedRepositories]:
    """The registry of a region, where it was ever used."""
    from moto.ecr.models import ecr_backends

    if account_id in ecr_backends and region in ecr_backends[account_id]:
        yield TaggedRepositories(ecr_backends[account_id][region])
