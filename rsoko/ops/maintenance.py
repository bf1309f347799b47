"""What keeps the warehouse quick and its past trustworthy; the DAG `maintenance` runs it every night."""

from __future__ import annotations

import logging

from psycopg import sql

from ingest.load import ledger
from ingest.load.landing import Landing
from rsoko.base.errors import PermanentError
from rsoko.base.settings import Settings, private_folder
from rsoko.contracts.model import contracts
from rsoko.ops.pipeline import connect

log = logging.getLogger(__name__)
NAMED = 20
"""Faults that an error names one by one; the rest are counted."""


def vacuum(settings: Settings) -> None:
    """Free the space of rolled-back loads and refresh the planner's statistics."""
    with connect(settings) as connection:
        connection.execute("vacuum (analyze, skip_locked)")


def verify_archive(settings: Settings) -> int:
    """Compare the archived bytes of every delivery with the hash in the ledger; the number of files compared.

    What it found is remembered for `rsoko status`. Raises PermanentError that names the damaged and missing ones.
    """
    landing = Landing(settings.landing_url)
    with connect(settings) as connection:
        files = connection.execute("select distinct archive_url, sha256 from meta.delivery order by 1").fetchall()
    damaged, faults = [], []
    for archive_url, sha256 in files:
        try:
            with landing.archived(archive_url, sha256):
                pass
        except PermanentError as fault:
            damaged.append(archive_url)
            faults.append(str(fault))
    with connect(settings) as connection:
        ledger.set_verification(connection, "archive", len(files), damaged)
    _raise(faults, "archived files are not what was delivered")
    log.info("%d archived files are as delivered", len(files))
    return len(files)


def verify_rows(settings: Settings) -> int:
    """Compare the rows of every raw table with what the ledger says was published; the number of rows compared.

    Raises PermanentError that names the slices with rows lost, added or without a load.
    """
    faults, total = [], 0
    with connect(settings) as connection:
        for contract in contracts():
            rows = connection.execute(
                sql.SQL(
                    """
                    with raw_rows as (
                        select slice_id, load_id, count(*) as row_count from {} group by slice_id, load_id
                    ),
                    published as (
                        select slice_load.* from meta.slice_load inner join meta.load using (load_id) where source = {}
                    )
                    select slice_id, load_id, coalesce(published.row_count, 0), coalesce(raw_rows.row_count, 0)
                    from raw_rows full join published using (slice_id, load_id)
                    order by load_id, slice_id
                    """
                ).format(sql.Identifier("raw", contract.source), sql.Literal(contract.source))
            ).fetchall()
            total += sum(found for *_, found in rows)
            faults += [
                f"{contract.table}, load {load_id}, slice {slice_id}: {expected} rows published, {found} found"
                for slice_id, load_id, expected, found in rows
                if expected != found
            ]
        ledger.set_verification(connection, "rows", total, faults)
    _raise(faults, "slices are not what was published")
    log.info("%d raw rows are as published", total)
    return total


def render_page(settings: Settings) -> None:
    """Write the page with the gate's results to `settings.gate_report`."""
    from rsoko.publish.gate_page import render

    private_folder(settings.gate_report.parent)
    with connect(settings) as connection:
        render(connection, settings.gate_report)


def _raise(faults: list[str], what: str) -> None:
    if faults:
        more = f"; and {len(faults) - NAMED} more" if len(faults) > NAMED else ""
        raise PermanentError(f"{len(faults)} {what}: {'; '.join(faults[:NAMED])}{more}")
