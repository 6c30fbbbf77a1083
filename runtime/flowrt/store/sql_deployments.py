"""What is served by name, in SQL. In: a connection within a transaction; out: deployments, or whether."""

import json
import zlib
from collections.abc import Mapping
from functools import partial
from typing import cast

from sqlalchemy import ColumnElement, Connection, Row, and_, case, delete, select, update

from flowrt.errors import StoreCorrupt
from flowrt.store.checksum import cursor_checksum
from flowrt.store.rows import Deployment
from flowrt.store.schema import deployments
from flowrt.store.sealed_places import deployment_place
from flowrt.store.sql_insert import Columns, insert_or_replace
from flowrt.store.texts import spelt, unspelt, unspelt_or_none


def deploy(connection: Connection, new: Deployment) -> None:
    """Write a deployment; of one that is there, only the cursor of the same schedule stays.

    A cursor that is ahead of the new one was put there by a clock that was wrong: it does not stay.
    """
    name = spelt(new.name)
    values: dict[str, object] = {
        "name": name,
        "program_digest": new.program_digest,
        "labels": json.dumps(dict(new.labels)),
        "versions": json.dumps(dict(new.versions)),
        "python_path": json.dumps(list(new.python_path)),
        "snapshot": new.snapshot,
        "schedule": spelt(new.schedule),
        "cursor": new.cursor,
        "deployed_at": new.deployed_at,
        "seal": new.seal.hex(),
        **checksums(new, new.cursor),
    }
    kept = {column: partial(_kept, column) for column in ("cursor", "cursor_checksum")}
    insert_or_replace(connection, deployments, values, kept)


def _kept(column: str, there: Columns, given: Columns) -> ColumnElement[object]:
    # Where there is no schedule, nothing is the same as another.
    stays = and_(there["schedule"] == given["schedule"], there["cursor"] < given["cursor"])
    return case((stays, there[column]), else_=given[column])


def checksums(deployment: Deployment, cursor: int) -> dict[str, int]:
    """The checksums of a deployment: of all but its cursor, which moves, and of the cursor."""
    return {
        "checksum": zlib.crc32(deployment_place(deployment) + deployment.seal),
        "cursor_checksum": cursor_checksum(spelt(deployment.name), cursor),
    }


def listed(connection: Connection) -> list[Deployment]:
    """All deployments, by name, without their programs. Raises StoreCorrupt."""
    try:
        rows = [_deployment(row) for row in connection.execute(select(deployments))]
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise StoreCorrupt(f"A row of the deployments is damaged: {error}.") from error
    return sorted(rows, key=_name)


def _deployment(row: Row[*tuple[object, ...]]) -> Deployment:
    read = unchecked(row)
    right = checksums(read, row.cursor)
    if {name: getattr(row, name) for name in right} != right:
        raise StoreCorrupt(f"The deployment of `{read.name}` is damaged: its checksum is wrong.")
    return read


def unchecked(row: Row[*tuple[object, ...]]) -> Deployment:
    """The noun of a row, without a look at its checksums.

    Raises ValueError, TypeError, AttributeError or RecursionError when it can be none.
    """
    return Deployment(
        name=unspelt(row.name),
        program_digest=row.program_digest,
        program=b"",
        code={},
        labels=cast("Mapping[str, str]", json.loads(row.labels)),
        versions=cast("Mapping[str, str]", json.loads(row.versions)),
        python_path=tuple(json.loads(row.python_path)),
        snapshot=row.snapshot,
        schedule=unspelt_or_none(row.schedule),
        cursor=row.cursor,
        deployed_at=row.deployed_at,
        seal=bytes.fromhex(row.seal),
    )


def _name(one: Deployment) -> str:
    return one.name


def undeploy(connection: Connection, name: str) -> bool:
    """Remove a deployment; whether it was there."""
    return connection.execute(delete(deployments).where(deployments.c.name == spelt(name))).rowcount > 0


def move_cursor(connection: Connection, name: str, after: int, to: int) -> bool:
    """Move the cursor of a schedule from one slot to another; whether it was at the first."""
    moved = connection.execute(
        update(deployments)
        .where(
            deployments.c.name == spelt(name),
            deployments.c.cursor == after,
            deployments.c.schedule.is_not(None),
        )
        .values(cursor=to, cursor_checksum=cursor_checksum(spelt(name), to))
    )
    return moved.rowcount > 0
