"""What moto's DynamoDB leaves out of tables: class, on-demand limits, changed encryption, and streams switched on again."""

from typing import Any

from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.table import Table
from moto.dynamodb.responses import DynamoHandler, DynamoResult


def close_gaps() -> None:
    """Called once, before the first DynamoDB request is served."""
    describe_table, update_streams = Table.describe, DynamoDBBackend.update_table_streams
    create, update = DynamoHandler.create_table, DynamoHandler.update_table

    def describe(table: Any, base_key: str = "TableDescription") -> Any:
        answer = describe_table(table, base_key=base_key)
        answer[base_key].update(getattr(table, "sandbox_members", {}))
        return answer

    def create_table(handler: Any) -> Any:
        create(handler)
        table = table_of(handler)
        keep(table, handler.body)
        return DynamoResult(table.describe())

    def update_table(handler: Any) -> Any:
        table = table_of(handler)
        keep(table, handler.body)
        if "SSESpecification" in handler.body:
            encrypt(handler, table, handler.body["SSESpecification"])
        return update(handler)

    def update_table_streams(backend: Any, table: Any, specification: Any) -> None:
        # AWS refuses a second stream only while the first is switched on; moto remembers the first for ever.
        if not (table.stream_specification or {}).get("StreamEnabled"):
            table.latest_stream_label = None
        update_streams(backend, table, specification)

    Table.describe = describe
    DynamoHandler.create_table = create_table
    DynamoHandler.update_table = update_table
    DynamoDBBackend.update_table_streams = update_table_streams


def table_of(handler: Any) -> Any:
    return handler.dynamodb_backend.get_table(handler.body["TableName"])


def keep(table: Any, body: Any) -> None:
    members = {**getattr(table, "sandbox_members", {})}
    if "TableClass" in body:
        members["TableClassSummary"] = {"TableClass": body["TableClass"]}
    if "OnDemandThroughput" in body:
        members["OnDemandThroughput"] = {**members.get("OnDemandThroughput", {}), **body["OnDemandThroughput"]}
    table.sandbox_members = members


def encrypt(handler: Any, table: Any, specification: Any) -> None:
    key = specification.get("KMSMasterKeyId") or (table.sse_specification or {}).get("KMSMasterKeyId")
    if specification.get("Enabled") and not key:
        key = table._get_default_encryption_key(handler.current_account, handler.region)
    table.sse_specification = {**specification, "KMSMasterKeyId": key}
