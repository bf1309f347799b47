"""The gate's page tells what the ledger holds, opens without a network and believes no supplier's text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import psycopg
import pytest

from expectations import gate
from expectations.suite import load_suite
from ingest.load import ledger
from rsoko.contracts.model import load_contract, sources
from rsoko.publish import gate_page as page

NOW = datetime(2026, 5, 20, 12, 0, tzinfo=UTC)
VOID = {"meta", "input", "br", "link", "img"}


class Outline(HTMLParser):
    """Collects the visible text and every address, and checks that tags close in the order they open."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.addresses: list[str] = []
        self.ids: set[str] = set()
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.addresses += [value or "" for name, value in attrs if name in {"href", "src", "action"}]
        self.ids |= {value or "" for name, value in attrs if name == "id"}
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in {"style", "script"}:
            self.texts.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.texts))


@pytest.fixture
def connection(database_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database_url, autocommit=True) as connection:
        ledger.prepare(connection)
        yield connection


def deliver(connection: psycopg.Connection, number: int, name: str, rows: list[int], *, source: str = "survey") -> None:
    """A delivery of questionnaires with these answers, through the gate, as the pipeline leaves it."""
    at = NOW + timedelta(minutes=number)
    connection.execute(
        "insert into meta.delivery (delivery_id, source, sha256, file_name, byte_size, archive_url, file_modified_at, "
        "received_at, received_by, precedence_at, status) "
        "values (%s, %s, repeat(%s, 64), %s, 1, '', %s, %s, 'координатор', %s, 'staged')",
        [number, source, str(number), name, at, at, at],
    )
    connection.execute(
        "insert into meta.load (load_id, delivery_id, source, contract_version, rows_read, status) "
        "values (%s, %s, %s, 1, %s, 'staged')",
        [number, number, source, len(rows)],
    )
    connection.execute(
        "insert into meta.load_item (load_id, year, grade, subject_code, item_no, item_label) "
        "values (%s, 2024, 0, '', 1, '1')",
        [number],
    )
    for row_no, answer in enumerate(rows, 2):
        connection.execute(
            "insert into raw.survey (region_code, load_id, slice_id, sheet, row_no, survey_code, year, "
            "organisation_code, respondent_group, respondent_no, answer_01) "
            "values (99, %s, 1, 'Ответы', %s, 'p', 2024, 'edu990001', 'parent', %s, %s)",
            [number, row_no, str(row_no), answer],
        )
    verdict = gate.check(connection, load_contract("survey"), number, at, scales=())
    connection.execute("update meta.load set rows_rejected = %s where load_id = %s", [verdict.quarantined_rows, number])
    ledger.set_status(connection, number, "published" if verdict.accepted else "rejected", verdict.message, number)


def rendered(connection: psycopg.Connection, folder: Path) -> Outline:
    page.render(connection, folder / "gate.html")
    return Outline((folder / "gate.html").read_text(encoding="utf-8"))


def test_an_empty_warehouse_has_a_page_too(connection: psycopg.Connection, tmp_path: Path) -> None:
    text = rendered(connection, tmp_path).text
    assert "Поставок ещё не было" in text
    assert "Ни один файл не ждёт исправления" in text
    for source in sources():
        assert load_contract(source).title in text
        assert all(check.title in text for check in load_suite(source).checks)


def test_it_tells_what_became_of_every_delivery(connection: psycopg.Connection, tmp_path: Path) -> None:
    deliver(connection, 1, "хороший.csv", [5] * 40)
    deliver(connection, 2, "с плохой строкой.csv", [5] * 39 + [9])
    deliver(connection, 3, "плохой.csv", [9] * 40)
    outline = rendered(connection, tmp_path)
    for name in ("хороший.csv", "с плохой строкой.csv", "плохой.csv"):
        assert name in outline.text
    assert "Строка 41, столбец «вопрос 1»: 9 больше высшей ступени шкалы 5. Строка не загружена." in outline.text
    assert "Лист «Ответы»." in outline.text
    assert "нарушено в 40 из 40 строк" in outline.text
    assert f"и ещё {40 - page.SHOWN}" in outline.text
    broken = outline.text.split("Что сломано сейчас")[1].split("Все поставки")[0]
    assert "плохой.csv" in broken
    assert "Исправьте и пришлите файл ещё раз" in broken
    assert "с плохой строкой.csv" not in broken
    assert {"d1", "d2", "d3"} <= outline.ids


def test_a_corrected_file_is_no_longer_broken(connection: psycopg.Connection, tmp_path: Path) -> None:
    deliver(connection, 1, "опрос.csv", [9] * 40)
    deliver(connection, 2, "опрос.csv", [5] * 40)
    assert "Ни один файл не ждёт исправления" in rendered(connection, tmp_path).text


def test_it_opens_without_a_network_and_changes_only_with_the_ledger(
    connection: psycopg.Connection, tmp_path: Path
) -> None:
    deliver(connection, 1, "опрос.csv", [9] * 40)
    outline = rendered(connection, tmp_path)
    assert all(address.startswith("#d") for address in outline.addresses)
    first = (tmp_path / "gate.html").read_text(encoding="utf-8")
    assert "http" not in first
    assert "url(" not in first
    rendered(connection, tmp_path)
    assert (tmp_path / "gate.html").read_text(encoding="utf-8") == first


def test_a_file_name_is_text_and_nothing_else(connection: psycopg.Connection, tmp_path: Path) -> None:
    deliver(connection, 1, "<script>alert(1)</script>.csv", [5] * 2)
    assert "<script>alert(1)</script>.csv" in rendered(connection, tmp_path).text
