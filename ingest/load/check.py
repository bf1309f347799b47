"""The same reading and gate without loading anything: a supplier's dry run."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from ingest.load import ledger
from ingest.load.entries import shown
from ingest.load.ledger import Delivery
from ingest.load.outcome import UNKNOWN_SOURCE, Outcome
from ingest.load.process import judge
from ingest.load.receive import arrival_of, delivery_options, recognised, region_of, why_unknown
from ingest.load.stage import Hopeless
from rsoko.base.errors import SupplierError
from rsoko.base.identity import identity
from rsoko.base.settings import Settings
from rsoko.contracts.gate import Gate
from rsoko.contracts.model import load_contract


def check(
    settings: Settings, file: Path, gate: Gate, source: str | None = None, options: dict[str, str] | None = None
) -> tuple[Outcome, list[dict[str, Any]]]:
    """The outcome and every rejection of a file; nothing of it stays in the warehouse."""
    try:
        arrived = arrival_of(file, options)
        region = region_of(arrived.options, settings)
    except SupplierError as error:
        return Outcome(0, shown(file), source or UNKNOWN_SOURCE, "rejected", message=str(error)), []
    source = source or recognised(file)
    if source == UNKNOWN_SOURCE:
        return Outcome(0, file.name, source, "rejected", message=why_unknown(arrived)), []
    contract = load_contract(source)
    now = datetime.now(UTC)
    delivery_id = identity("check", arrived.sha256, str(now.timestamp()))
    delivery = Delivery(
        delivery_id, region, source, arrived.sha256, file.name,
        arrived.byte_size, delivery_options(arrived, source), "", arrived.modified_at, now, settings.user, now,
        "received", None,
    )  # fmt: skip
    with ledger.connect(settings) as connection:
        try:
            with connection.transaction(force_rollback=True):
                ledger.add(connection, delivery)
                judged = judge(connection, file, delivery, contract, delivery_id, settings.pseudonym_key, gate)
                status = "accepted" if judged.verdict.accepted else "rejected"
                return Outcome(0, file.name, source, status, message=judged.message), _found(connection, delivery_id)
        except Hopeless as error:
            found = [vars(rejection) for rejection in error.counts.rejections]
            return Outcome(0, file.name, source, "rejected", message=str(error)), found
        except SupplierError as error:
            return Outcome(0, file.name, source, "rejected", message=str(error)), []


def _found(connection: psycopg.Connection, load_id: int) -> list[dict[str, Any]]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            "select sheet, row_no, column_name, code, severity, is_row_rejected, message from meta.rejection "
            "where load_id = %s order by sheet, row_no, column_name",
            [load_id],
        ).fetchall()
