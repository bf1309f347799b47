"""The ledger (schema `meta`): what was delivered, what became of it, what is current."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import class_row, dict_row

from ingest.read.block import ItemColumn
from ingest.rejection import Rejection
from rsoko.base import database
from rsoko.base.errors import PermanentError
from rsoko.base.planner import rows_of
from rsoko.base.settings import Settings
from rsoko.contracts.ddl import controls_sql, raw_ddl
from rsoko.contracts.model import SQL_TYPE, Contract, contracts

log = logging.getLogger(__name__)
_PREPARE_LOCK, _RESOLVE_LOCK = 7_301_001, 7_301_002
REJECTIONS_KEPT = 10_000
"""Named rejections of one load; beyond that a file is hopeless and only the counts go on."""


@dataclass
class Delivery:
    """A row of `meta.delivery`."""

    delivery_id: int
    region_code: int
    source: str
    sha256: str
    file_name: str
    byte_size: int
    options: dict[str, Any]
    archive_url: str
    file_modified_at: datetime
    received_at: datetime
    received_by: str
    precedence_at: datetime
    status: str
    message: str | None


@lru_cache
def _schema() -> str:
    ledger, reader = (
        (Path(__file__).parent / name).read_text(encoding="utf-8") for name in ("ledger.sql", "reader.sql")
    )
    return "".join([ledger, *map(raw_ddl, contracts()), reader])


_prepared: set[str] = set()


@contextmanager
def connect(settings: Settings) -> Iterator[psycopg.Connection]:
    """A connection to a warehouse whose `meta` and `raw` schemas are ready. Lost connections are TransientError."""
    url = settings.database_url
    with database.connect(url) as connection:
        if url not in _prepared:
            prepare(connection)
            _prepared.add(url)
        yield connection


def prepare(connection: psycopg.Connection) -> None:
    """Make schemas `meta` and `raw` what the ledger and the contracts say, open to the reader what it may see.

    Idempotent, safe for two at once.
    A warehouse that is so already is left alone: the DDL would wait for every load that is under way.
    """
    with connection.transaction():
        connection.execute("select pg_advisory_xact_lock(%s)", [_PREPARE_LOCK])
        row = connection.execute(
            "select obj_description(to_regnamespace('meta'), 'pg_namespace'), to_regrole('rsoko_reader') is not null"
        ).fetchone()
        found, has_reader = row or (None, False)
        wanted = hashlib.sha256(f"{_schema()}{has_reader}".encode()).hexdigest()
        if found == wanted:
            return
        connection.execute("set local client_min_messages = warning")
        _add_missing_columns(connection)
        connection.execute(_schema())
        connection.execute(sql.SQL("comment on schema meta is {}").format(wanted))


def _add_missing_columns(connection: psycopg.Connection) -> None:
    """A newer contract may have columns that an older raw table lacks; nothing is ever dropped or retyped."""
    existing: dict[str, set[str]] = {}
    for table, column in connection.execute(
        "select table_name, column_name from information_schema.columns where table_schema = 'raw'"
    ).fetchall():
        existing.setdefault(table, set()).add(column)
    for contract in contracts():
        types = {column.name: SQL_TYPE[column.type] for column in contract.stored_columns}
        types |= dict.fromkeys(contract.items.columns if contract.items else [], "smallint")
        if contract.source in existing:
            for name in types.keys() - existing[contract.source]:
                connection.execute(
                    sql.SQL("alter table raw.{} add column {} {}").format(
                        sql.Identifier(contract.source), sql.Identifier(name), sql.SQL(types[name])
                    )
                )


def moment(connection: psycopg.Connection) -> datetime:
    """The time of a new batch: now, or just after the latest one where the clock was set back, so that what arrives
    later wins all the same.
    """
    latest, now = _latest(connection), datetime.now(UTC)
    if latest < now:
        return now
    log.warning("the clock is %s behind the ledger: check this machine's time", latest - now)
    return latest + timedelta(microseconds=1)


def clock_lag(connection: psycopg.Connection) -> timedelta | None:
    """How far the clock is behind the latest arrival; None where it is right to the minute."""
    lag = _latest(connection) - datetime.now(UTC)
    return lag if lag > timedelta(minutes=1) else None


def _latest(connection: psycopg.Connection) -> datetime:
    row = connection.execute("select max(greatest(precedence_at, received_at)) from meta.delivery").fetchone()
    return row[0] if row and row[0] else datetime.fromtimestamp(0, UTC)


def set_verification(connection: psycopg.Connection, kind: str, checked: int, faults: list[str]) -> None:
    """Remember what a verification of the `archive` or of the `rows` found."""
    connection.execute(
        "insert into meta.verification (kind, checked_at, checked, faults) values (%s, %s, %s, %s) "
        "on conflict (kind) do update "
        "set checked_at = excluded.checked_at, checked = excluded.checked, faults = excluded.faults",
        [kind, datetime.now(UTC), checked, faults],
    )


def set_mended(connection: psycopg.Connection, archive_url: str) -> None:
    """An archived file is whole again: the last verification need not name it any more."""
    connection.execute(
        "update meta.verification set faults = array_remove(faults, %s) where kind = 'archive'", [archive_url]
    )


def find(connection: psycopg.Connection, delivery_id: int, *, lock: bool = False) -> Delivery | None:
    """`lock` keeps the row to this transaction, after waiting for any other that has it."""
    query = "select * from meta.delivery where delivery_id = %s" + (" for update" if lock else "")
    with connection.cursor(row_factory=class_row(Delivery)) as cursor:
        return cursor.execute(query, [delivery_id]).fetchone()


def get(connection: psycopg.Connection, delivery_id: int, *, lock: bool = False) -> Delivery:
    if delivery := find(connection, delivery_id, lock=lock):
        return delivery
    raise PermanentError(f"no delivery {delivery_id} in the ledger")


def add(connection: psycopg.Connection, delivery: Delivery) -> None:
    values = {**vars(delivery), "options": json.dumps(delivery.options, ensure_ascii=False)}
    connection.execute(
        sql.SQL("insert into meta.delivery ({}) values ({}) on conflict (delivery_id) do nothing").format(
            sql.SQL(", ").join(map(sql.Identifier, values)), sql.SQL(", ").join(map(sql.Placeholder, values))
        ),
        values,
    )


def set_status(
    connection: psycopg.Connection,
    delivery_id: int,
    status: str,
    message: str | None = None,
    load_id: int | None = None,
) -> None:
    connection.execute(
        "update meta.delivery set status = %s, message = %s where delivery_id = %s", [status, message, delivery_id]
    )
    if load_id is not None:
        connection.execute("update meta.load set status = %s where load_id = %s", [status, load_id])


def open_load(connection: psycopg.Connection, load_id: int, delivery: Delivery, contract: Contract) -> None:
    """Begin a load from nothing: whatever an attempt that died left behind is gone first."""
    for table in ("rejection", "control_total", "gate_result", "load_item", "slice_load"):
        connection.execute(sql.SQL("delete from meta.{} where load_id = %s").format(sql.Identifier(table)), [load_id])
    if connection.execute("delete from meta.load where load_id = %s", [load_id]).rowcount:
        connection.execute(
            sql.SQL("delete from raw.{} where load_id = %s").format(sql.Identifier(contract.source)), [load_id]
        )
    connection.execute(
        "insert into meta.load (load_id, delivery_id, source, contract_version, status) "
        "values (%s, %s, %s, %s, 'received')",
        [load_id, delivery.delivery_id, contract.source, contract.version],
    )


def close_load(
    connection: psycopg.Connection, load_id: int, *, layouts: list[str], rows_read: int, rows_staged: int,
    rows_rejected: int, cells_rejected: int,
) -> None:  # fmt: skip
    connection.execute(
        "update meta.load set layouts = %s, rows_read = %s, rows_staged = %s, rows_rejected = %s, cells_rejected = %s "
        "where load_id = %s",
        [layouts, rows_read, rows_staged, rows_rejected, cells_rejected, load_id],
    )


def add_rejections(connection: psycopg.Connection, load_id: int, rejections: list[Rejection]) -> None:
    if not rejections:
        return
    with (
        connection.cursor() as cursor,
        cursor.copy(
            "copy meta.rejection (load_id, stage, sheet, row_no, column_name, code, severity, is_row_rejected, "
            "message) from stdin"
        ) as copy,
    ):
        for r in rejections[:REJECTIONS_KEPT]:
            copy.write_row(
                [load_id, "read", r.sheet, r.row_no, r.column_name, r.code, r.severity, r.is_row_rejected, r.message]
            )


def add_items(connection: psycopg.Connection, load_id: int, items: dict[tuple[int, int, str, int], ItemColumn]) -> None:
    if not items:
        return
    with (
        connection.cursor() as cursor,
        cursor.copy(
            "copy meta.load_item (load_id, year, grade, subject_code, item_no, item_label, item_text, item_kind, "
            "max_score) from stdin"
        ) as copy,
    ):
        for (year, grade, subject, position), item in sorted(items.items()):
            copy.write_row([load_id, year, grade, subject, position, item.label, item.text, item.kind, item.max_score])


def set_controls(connection: psycopg.Connection, load_id: int, stage: str, totals: dict[str, int]) -> None:
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into meta.control_total (load_id, stage, measure, value) values (%s, %s, %s, %s) "
            "on conflict (load_id, stage, measure) do update set value = excluded.value",
            [(load_id, stage, measure, value) for measure, value in totals.items()],
        )


def count_slices(connection: psycopg.Connection, contract: Contract, load_id: int) -> dict[int, dict[str, int]]:
    """Control totals of each slice of the load, from its rows in the raw table, in one scan."""
    measures = controls_sql(contract)
    query = (
        f"select slice_id, {', '.join(measures.values())} from {contract.table} "
        f"where {rows_of(load_id)} group by slice_id"
    )
    rows = connection.execute(query).fetchall()
    return {slice_id: dict(zip(measures, map(int, values), strict=True)) for slice_id, *values in rows}


def total(contract: Contract, by_slice: dict[int, dict[str, int]]) -> dict[str, int]:
    """Control totals of a load from those of its slices."""
    return {measure: sum(totals[measure] for totals in by_slice.values()) for measure in contract.controls}


def add_slices(
    connection: psycopg.Connection, contract: Contract, load_id: int, slices: dict[int, str],
    by_slice: dict[int, dict[str, int]],
) -> dict[str, int]:  # fmt: skip
    """Record the load's slices (id → key) with their control totals; the totals of what is recorded."""
    with connection.cursor() as cursor:
        cursor.execute(
            "insert into meta.slice (slice_id, region_code, source, slice_key) "
            "select id, (key ->> 'region_code')::smallint, %s, key "
            "from unnest(%s::bigint[], %s::jsonb[]) as given (id, key) "
            "order by id on conflict (slice_id) do nothing",
            [contract.source, list(slices), list(slices.values())],
        )
        cursor.execute(
            "insert into meta.slice_load (slice_id, load_id, row_count, controls, is_current) "
            "select id, %s, (controls ->> 'rows')::integer, controls, false "
            "from unnest(%s::bigint[], %s::jsonb[]) as given (id, controls) order by id",
            [load_id, list(by_slice), [json.dumps(totals) for totals in by_slice.values()]],
        )
        totals = ", ".join(f"coalesce(sum((controls ->> '{name}')::bigint), 0)" for name in contract.controls)
        row = cursor.execute(f"select {totals} from meta.slice_load where load_id = %s", [load_id]).fetchone()
    return {name: int(value) for name, value in zip(contract.controls, row or [], strict=True)}


def resolve(connection: psycopg.Connection, contract: Contract, slice_ids: list[int]) -> None:
    """Decide which loads are current for the slices, from the ledger alone: the order of processing does not matter.

    The latest received (or restored) delivery wins. Files of its batch that hold other keys of the slice are its parts
    and current with it; where their keys meet, the one restored or else changed last wins.
    """
    # One decision at a time, each on what is committed by then; a table lock would deadlock with what two loads hold.
    connection.execute("select pg_advisory_xact_lock(%s)", [_RESOLVE_LOCK])
    contenders = connection.execute(
        """
        with last_load as (
            select distinct on (delivery_id) delivery_id, load_id
            from meta.load where source = %(source)s order by delivery_id, contract_version desc
        ),
        ranked as (
            select slice_load.slice_id, slice_load.load_id, delivery.received_at, delivery.precedence_at,
                delivery.file_modified_at, delivery.file_name, delivery.sha256,
                first_value(delivery.received_at) over (
                    partition by slice_load.slice_id order by delivery.precedence_at desc, delivery.received_at desc
                ) as batch
            from meta.slice_load
            inner join last_load using (load_id)
            inner join meta.delivery using (delivery_id)
            where slice_load.slice_id = any(%(slices)s)
        )
        select slice_id, load_id from ranked where received_at = batch
        order by precedence_at desc, file_modified_at desc, file_name desc, sha256 desc, slice_id
        """,
        {"source": contract.source, "slices": slice_ids},
    ).fetchall()
    accepted: dict[int, list[int]] = {}
    later: dict[int, list[int]] = {}
    for slice_id, load_id in contenders:
        if slice_id in accepted:
            later.setdefault(load_id, []).append(slice_id)
        else:
            accepted[slice_id] = [load_id]
    for load_id, ids in later.items():
        meeting = _meeting(connection, contract, load_id, ids, accepted)
        for slice_id in ids:
            if slice_id not in meeting:
                accepted[slice_id].append(load_id)
    pairs = [(slice_id, load_id) for slice_id, loads in accepted.items() for load_id in loads]
    parameters = {"slices": slice_ids, "ids": [p[0] for p in pairs], "loads": [p[1] for p in pairs]}
    changed = connection.execute(
        """
        with winners as (select * from unnest(%(ids)s::bigint[], %(loads)s::bigint[]) as given (slice_id, load_id))
        update meta.slice_load
        set is_current = not is_current
        where slice_id = any(%(slices)s)
            and is_current <> ((slice_id, load_id) in (select slice_id, load_id from winners))
        """,
        parameters,
    ).rowcount
    if changed:
        connection.execute("insert into meta.publication (source) values (%s)", [contract.source])
    connection.execute(
        """
        with touched as (
            select distinct delivery_id from meta.slice_load inner join meta.load using (load_id)
            where slice_id = any(%(slices)s)
        ),
        state as (
            select delivery_id, load_id, bool_or(is_current) as is_current
            from meta.slice_load inner join meta.load using (load_id) inner join touched using (delivery_id)
            group by delivery_id, load_id
        ),
        loads as (
            update meta.load set status = case when is_current then 'published' else 'superseded' end
            from state where load.load_id = state.load_id
        )
        update meta.delivery set status = case when deliveries.is_current then 'published' else 'superseded' end
        from (select delivery_id, bool_or(is_current) as is_current from state group by delivery_id) as deliveries
        where delivery.delivery_id = deliveries.delivery_id
        """,
        parameters,
    )


def _meeting(
    connection: psycopg.Connection,
    contract: Contract,
    load_id: int,
    slice_ids: list[int],
    accepted: dict[int, list[int]],
) -> set[int]:
    """Slices in which the load has a key that a load accepted before it has too."""
    before = sorted({other for slice_id in slice_ids for other in accepted[slice_id]})
    keys = " and ".join(f"mine.{name} is not distinct from other.{name}" for name in contract.key)
    rows = connection.execute(
        f"select distinct mine.slice_id from {contract.table} as mine "
        f"inner join {contract.table} as other on mine.slice_id = other.slice_id and {keys} "
        "where mine.load_id = %s and mine.slice_id = any(%s) and other.load_id = any(%s)",
        [load_id, slice_ids, before],
    ).fetchall()
    return {row[0] for row in rows}


def summary(connection: psycopg.Connection, delivery_ids: list[int] | None = None) -> list[dict[str, Any]]:
    """Rows of `meta.delivery_summary`, in order of arrival."""
    where = "" if delivery_ids is None else "where delivery_id = any(%s)"
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            f"select * from meta.delivery_summary {where} order by received_at, file_name",
            None if delivery_ids is None else [delivery_ids],
        ).fetchall()
