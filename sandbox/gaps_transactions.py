"""moto copies the whole table once for every item of a transaction, in order to take it back; a transaction of a hundred
items on a table of a thousand then takes seconds, and holds up everybody else. Here a table is copied once for a
transaction, and its items, which puts and deletes replace and never change, are shared with the copy."""

import copy
from collections import defaultdict
from typing import Any

from moto.dynamodb import models
from moto.dynamodb.models.table import Table


def close_gaps() -> None:
    """Called once, before the first DynamoDB request is served."""
    original = models.DynamoDBBackend.transact_write_items

    def transact_write_items(backend: Any, items: Any) -> None:
        changes_in_place = any("Update" in item for item in items)
        models.copy = copy if changes_in_place else TableCopies()
        try:
            original(backend, items)
        finally:
            models.copy = copy

    models.DynamoDBBackend.transact_write_items = transact_write_items


class TableCopies:
    """Stands in for the module `copy` during one transaction. Safe because the sandbox serves one request at a time."""

    def __init__(self) -> None:
        self.copies: dict[int, Any] = {}

    def deepcopy(self, value: Any) -> Any:
        if not isinstance(value, Table):
            return copy.deepcopy(value)
        if id(value) not in self.copies:
            self.copies[id(value)] = shared(value)
        return self.copies[id(value)]


def shared(table: Any) -> Any:
    clone = copy.copy(table)
    ranges = ((key, dict(value) if table.has_range_key else value) for key, value in table.items.items())
    clone.items = defaultdict(dict, ranges)
    return clone
