"""One received delivery through to published rows: stage → gate → publish.

Each delivery runs in one transaction on one connection, so a crash at any point leaves it as it was received, and the
next run starts it anew under the same ids.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from ingest.load import ledger
from ingest.load.landing import Landing
from ingest.load.ledger import Delivery
from ingest.load.outcome import ACCEPTED, UNKNOWN_SOURCE, Outcome, known_already
from ingest.load.stage import NOTES, Counts, Hopeless, stage
from ingest.rejection import Rejection
from rsoko.base.errors import PermanentError, SupplierError
from rsoko.base.identity import identity
from rsoko.base.planner import near
from rsoko.base.settings import Settings
from rsoko.contracts.gate import Gate, Verdict
from rsoko.contracts.model import Contract, load_contract


@dataclass(frozen=True)
class Judged:
    """A load that is staged and has passed by the gate, still inside its transaction."""

    counts: Counts
    slices: dict[int, str]
    by_slice: dict[int, dict[str, int]]
    verdict: Verdict
    message: str | None


def process(settings: Settings, delivery_id: int, gate: Gate) -> Outcome:
    """Run one received delivery through to published rows.

    Returns the outcome, also of a rejected delivery. Raises TransientError when a retry may help, PermanentError when
    not.
    """
    with ledger.connect(settings) as connection:
        delivery = ledger.get(connection, delivery_id)
        if delivery.source == UNKNOWN_SOURCE:
            return Outcome(delivery_id, delivery.file_name, delivery.source, delivery.status, message=delivery.message)
        contract = load_contract(delivery.source)
        load_id = identity("load", str(delivery_id), str(contract.version))
        try:
            with connection.transaction():
                # Another worker, or what a killed one left running on the server, may have it in hand: wait.
                delivery = ledger.get(connection, delivery_id, lock=True)
                # A rejected delivery is read again when somebody asks: a rule or a scale may have been corrected since.
                if delivery.status in ACCEPTED and _has_load(connection, load_id):
                    return known_already(delivery, delivery.file_name)
                outcome = _load(settings, connection, delivery, contract, load_id, gate)
        except SupplierError as error:
            with connection.transaction():
                ledger.get(connection, delivery_id, lock=True)
                return _reject(connection, delivery, contract, load_id, error)
        if outcome.published and contract.register:
            _tell_again(connection, gate)
        return outcome


def _tell_again(connection: psycopg.Connection, gate: Gate) -> None:
    """What was said of earlier deliveries for want of this register is said no longer."""
    with connection.transaction():
        for load_id in gate.check_again(connection, datetime.now(UTC)):
            connection.execute(
                "update meta.delivery set message = %s from meta.load where load.load_id = %s "
                "and delivery.delivery_id = load.delivery_id",
                [_told(connection, load_id), load_id],
            )


def _has_load(connection: psycopg.Connection, load_id: int) -> bool:
    return connection.execute("select 1 from meta.load where load_id = %s", [load_id]).fetchone() is not None


def _load(
    settings: Settings, connection: psycopg.Connection, delivery: Delivery, contract: Contract, load_id: int, gate: Gate
) -> Outcome:
    with Landing(settings.landing_url).archived(delivery.archive_url, delivery.sha256) as path:
        judged = judge(connection, path, delivery, contract, load_id, settings.pseudonym_key, gate)
    if not judged.verdict.accepted:
        connection.execute(f"delete from {contract.table} where load_id = %s", [load_id])
        ledger.set_status(connection, delivery.delivery_id, "rejected", judged.message, load_id)
        return Outcome(
            delivery.delivery_id, delivery.file_name, contract.source, "rejected", False, judged.message, load_id
        )
    published = ledger.add_slices(connection, contract, load_id, judged.slices, judged.by_slice)
    ledger.set_controls(connection, load_id, "published", published)
    _reconcile("publication", ledger.total(contract, judged.by_slice), published)
    ledger.resolve(connection, contract, list(judged.slices))
    connection.execute(
        "update meta.delivery set message = %s where delivery_id = %s", [judged.message, delivery.delivery_id]
    )
    status = ledger.get(connection, delivery.delivery_id).status
    return Outcome(
        delivery.delivery_id, delivery.file_name, contract.source, status, status == "published", judged.message,
        load_id,
    )  # fmt: skip


def judge(
    connection: psycopg.Connection, path: Path, delivery: Delivery, contract: Contract, load_id: int, key: bytes,
    gate: Gate,
) -> Judged:  # fmt: skip
    """Stage the rows of a file, reconcile them with what was read, and ask the gate. Publishes nothing."""
    ledger.open_load(connection, load_id, delivery, contract)
    counts, slices = stage(connection, path, delivery, contract, load_id, key)
    by_slice = _count_slices(connection, contract, load_id, counts.totals["rows"])
    staged = ledger.total(contract, by_slice)
    ledger.set_controls(connection, load_id, "read", counts.totals)
    ledger.set_controls(connection, load_id, "staged", staged)
    _reconcile("COPY", counts.totals, staged)
    _close(connection, load_id, counts, staged["rows"])
    ledger.set_status(connection, delivery.delivery_id, "staged", None, load_id)
    verdict = gate.check(connection, contract, load_id, datetime.now(UTC), keys_are_unique=counts.keys_are_unique)
    ledger.set_status(connection, delivery.delivery_id, "checked", None, load_id)
    _close(connection, load_id, counts, staged["rows"], quarantined=verdict.quarantined_rows)
    if not verdict.accepted:
        return Judged(counts, slices, by_slice, verdict, verdict.message)
    if verdict.quarantined_rows:
        by_slice = _count_slices(connection, contract, load_id, staged["rows"])
        left = {"rows": staged["rows"] - verdict.quarantined_rows}
        _reconcile("quarantine", left, ledger.total(contract, by_slice))
    return Judged(counts, slices, by_slice, verdict, _told(connection, load_id))


def _count_slices(
    connection: psycopg.Connection, contract: Contract, load_id: int, rows: int
) -> dict[int, dict[str, int]]:
    with near(connection, rows):
        return ledger.count_slices(connection, contract, load_id)


def _close(
    connection: psycopg.Connection, load_id: int, counts: Counts, rows_staged: int, quarantined: int = 0
) -> None:
    ledger.close_load(
        connection, load_id, layouts=counts.layouts, rows_read=counts.rows_read, rows_staged=rows_staged,
        rows_rejected=counts.rows_rejected + quarantined, cells_rejected=counts.cells_rejected,
    )  # fmt: skip


def _told(connection: psycopg.Connection, load_id: int) -> str | None:
    """What the supplier should know about an accepted file, by what the ledger holds of its load."""
    row = connection.execute(
        """
        with told as (
            select row_number() over (order by sheet nulls first, row_no nulls first, column_name) as place, *
            from meta.rejection
            where load_id = %(load_id)s
        ),
        last_result as (
            select distinct on (check_code) check_code, is_success, severity, message
            from meta.gate_result
            where load_id = %(load_id)s
            order by check_code, checked_at desc
        )
        select
            rows_rejected,
            cells_rejected,
            (
                select message from told
                where is_row_rejected or code = 'unreadable_cell'
                order by is_row_rejected desc, place
                limit 1
            ),
            (
                select string_agg(message, ' ' order by check_code)
                from last_result
                where severity = 'warn' and not is_success
            ),
            (select string_agg(message, ' ' order by place) from told where stage = 'read' and code = any(%(notes)s))
        from meta.load
        where load_id = %(load_id)s
        """,
        {"load_id": load_id, "notes": sorted(NOTES)},
    ).fetchone()
    assert row is not None
    rows, cells, first, warned, notes = row
    parts = [f"строк не принято: {rows}"] * bool(rows) + [f"ячеек не прочитано: {cells}"] * bool(cells)
    text = f"Принято; {', '.join(parts)}. {first or ''}".strip() if parts else ""
    return " ".join(filter(None, [text, warned, notes])) or None


def _reconcile(step: str, expected: dict[str, int], found: dict[str, int]) -> None:
    for measure, value in expected.items():
        if found[measure] != value:
            raise PermanentError(
                f"control total {measure!r} does not reconcile at {step}: {value} before, {found[measure]} after"
            )


def _reject(
    connection: psycopg.Connection, delivery: Delivery, contract: Contract, load_id: int, error: SupplierError
) -> Outcome:
    ledger.open_load(connection, load_id, delivery, contract)
    counts = error.counts if isinstance(error, Hopeless) else Counts()
    if not isinstance(error, Hopeless):
        counts.rejections.append(
            Rejection(error.sheet, error.row, error.column, error.code, "error", False, error.message)
        )
    ledger.add_rejections(connection, load_id, counts.rejections)
    _close(connection, load_id, counts, 0)
    ledger.set_status(connection, delivery.delivery_id, "rejected", str(error), load_id)
    return Outcome(delivery.delivery_id, delivery.file_name, contract.source, "rejected", False, str(error), load_id)


def restore(settings: Settings, delivery_id: int) -> Outcome:
    """Make an older delivery current again: it takes precedence over everything received so far."""
    with ledger.connect(settings) as connection, connection.transaction():
        delivery = ledger.get(connection, delivery_id)
        if delivery.status not in ACCEPTED:
            raise PermanentError(
                f"delivery {delivery_id} is {delivery.status}: only an accepted one can be made current"
            )
        connection.execute(
            "update meta.delivery set precedence_at = %s where delivery_id = %s",
            [ledger.moment(connection), delivery_id],
        )
        slices = connection.execute(
            "select distinct slice_id from meta.slice_load inner join meta.load using (load_id) where delivery_id = %s",
            [delivery_id],
        ).fetchall()
        ledger.resolve(connection, load_contract(delivery.source), [row[0] for row in slices])
    return Outcome(delivery_id, delivery.file_name, delivery.source, "published", True, "Снова действует.")
