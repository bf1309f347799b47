"""The gate's report: one Russian page that opens without a network, from the ledger alone."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import jinja2
import psycopg
from psycopg.rows import dict_row

from expectations.suite import load_suite
from rsoko.contracts.model import contracts

SHOWN = 12
"""Places shown for one check of one delivery; the rest is counted and stays in `meta.rejection`."""

STATUSES = {
    "rejected": "отклонено",
    "received": "ждёт обработки",
    "staged": "обрабатывается",
    "checked": "обрабатывается",
    "published": "действует",
    "superseded": "заменено",
}

_DELIVERIES = "select * from meta.delivery_summary order by received_at desc, file_name, delivery_id"
_RESULTS = """
select distinct on (load_id, check_code) *
from meta.gate_result
order by load_id, check_code, checked_at desc
"""
_PLACES = """
select load_id, code, stage, severity, sheet, row_no, message, found
from (
    select *,
        count(*) over (partition by load_id, code) as found,
        row_number() over (partition by load_id, code order by sheet, row_no, column_name) as place_no
    from meta.rejection
) as numbered
where place_no <= %s
order by load_id, severity, code, place_no
"""


def render(connection: psycopg.Connection, out: Path) -> None:
    """Write the page of everything delivered so far to the file `out`; its content depends on the ledger alone."""
    deliveries = _rows(connection, _DELIVERIES)
    results: dict[int, list[dict[str, Any]]] = {}
    for result in _rows(connection, _RESULTS):
        results.setdefault(result["load_id"], []).append(result)
    places: dict[int, dict[str, list[dict[str, Any]]]] = {}
    for place in _rows(connection, _PLACES, [SHOWN]):
        places.setdefault(place["load_id"], {}).setdefault(place["code"], []).append(place)
    titles = {contract.source: contract.title for contract in contracts()}
    for delivery in deliveries:
        checks = results.get(delivery["load_id"], [])
        delivery |= {
            "title": titles.get(delivery["source"], "источник не узнан"),
            "checks": len(checks),
            "passed": sum(check["violations"] == 0 for check in checks),
            "warnings": sum(not check["is_success"] for check in checks),
            "notable": [check for check in checks if check["violations"] != 0],
            "places": places.get(delivery["load_id"], {}),
        }
    page = _environment().get_template("gate_page.html").render(
        deliveries=deliveries,
        broken=[delivery for delivery in deliveries if delivery["is_broken"] and delivery["status"] == "rejected"],
        counts=Counter(delivery["status"] for delivery in deliveries),
        rows=sum(delivery["rows_current"] for delivery in deliveries),
        aside=sum(delivery["rows_quarantined"] or 0 for delivery in deliveries if delivery["status"] == "published"),
        statuses=STATUSES,
        suites=[(contract, load_suite(contract.source).checks) for contract in contracts()],
        as_of=max((delivery["received_at"] for delivery in deliveries), default=None),
    )  # fmt: skip
    out.write_text(page, encoding="utf-8")


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["number"] = lambda value: f"{value or 0:,}".replace(",", "\u00a0")
    environment.filters["moment"] = lambda value: f"{value:%d.%m.%Y %H:%M}"
    return environment


def _rows(connection: psycopg.Connection, query: str, parameters: list[Any] | None = None) -> list[dict[str, Any]]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query, parameters).fetchall()
