"""Small files as suppliers write them, installations to load them into, and what these then hold."""

from __future__ import annotations

import atexit
import csv
import multiprocessing
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import openpyxl
import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from ingest.load import ledger
from rsoko.base.settings import READER, Settings
from rsoko.contracts.model import load_contract, sources
from rsoko.ops import postgres

Row = Sequence[Any]
_STALL = 7_301_999

VPR_HEADER = [
    "Пользователь", "Дата загрузки", "Код", "Вариант", "1 (1б)", "2 (2б)", "3К1 (3б)", "Наименование класса", "Пол",
    "Отметка за предыдущий триместр/ четверть/полугодие", "Итого баллов",
]  # fmt: skip
F1_HEADER = [
    "ОО", "Муниципалитет", "Название ОО", "Код участника", "Класс", "Вариант", "1 (1б)", "2 (2б)", "3К1 (3б)",
    "Первичный балл", "Отметка", "Отметка по журналу",
]  # fmt: skip
GIA_HEADER = [
    "SchoolCode", "ClassCode", "StationCode", "AuditoriumCode", "GovernmentCell", "SurnameCell", "NameCell",
    "SecondNameCell", "DocumentSeriesCode", "DocumentNumberCode", "TestResultBCell", "TestResultCCell", "PrimaryMark",
    "Mark5", "Mark100",
]  # fmt: skip


def participant(
    code: int | str, scores: Row = (1, 2, 3), *, school: str = "edu990001", variant: Any = 1, total: Any = None
) -> list[Any]:
    """A row under `VPR_HEADER`."""
    known = sum(score for score in scores if isinstance(score, int))
    return [school, "20.05.2024 10:00:00", code, variant, *scores, "5А", "ж", 4, known if total is None else total]


def write_csv(path: Path, rows: Iterable[Row], *, header: Row = VPR_HEADER, encoding: str = "utf-8") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file, delimiter=";").writerows([header, *rows])
    return path


def write_workbook(path: Path, rows: Iterable[Row], *, header: Row = VPR_HEADER, sheet: str = "Протокол") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    book = openpyxl.Workbook()
    page = book.worksheets[0]
    page.title = sheet
    for row in [header, *rows]:
        page.append(list(row))
    book.save(path)
    return path


def write_f1(path: Path, codes: Iterable[int], *, title: str = "ВПР 2024 Математика 5 класс") -> Path:
    """The «Ф1» export of one school: year, subject and grade stand inside the file."""
    school = "Школа № 1(edu990001)"
    rows = [["edu990001", "Город", school, code, 1, 1, 1, 2, 3, 6, 5, 5] for code in codes]
    frame = [[title], ["Предмет:", "Математика"], [], F1_HEADER]
    return write_workbook(path, [*frame, *rows], header=["Индивидуальные результаты"], sheet="Ф1")


def template(path: Path, source: str, rows: Iterable[dict[str, Any]]) -> Path:
    """A csv in the layout `template` of the source: columns of the contract under their Russian titles."""
    rows = list(rows)
    known = load_contract(source).column
    supplied = [name for name, column in known.items() if not column.derived]
    return write_csv(path, [[row.get(name, "") for name in supplied] for row in rows],
                     header=[known[name].title for name in supplied])  # fmt: skip


def changed_at(path: Path, day: int) -> Path:
    """The same file with a time of change of its own."""
    moment = datetime(2024, 5, day, tzinfo=UTC).timestamp()
    os.utime(path, (moment, moment))
    return path


PREPARED = "prepared"
"""A database with the empty schemas `meta` and `raw`."""
_TARGETS = Path(tempfile.mkdtemp(prefix="rsoko-dbt-"))
atexit.register(shutil.rmtree, _TARGETS, ignore_errors=True)
_taken: set[str] = set()


def target(settings: Settings) -> Path:
    """Where builds of this warehouse keep dbt's files: one folder a name, so that the project is parsed once for it."""
    return _TARGETS / database_name(settings)


def database_name(settings: Settings) -> str:
    return str(conninfo_to_dict(settings.database_url)["dbname"])


@contextmanager
def free_name() -> Iterator[str]:
    """The first database name that no test of this process uses now: few names, each parsed by dbt once."""
    name = next(name for number in count(1) if (name := f"test_{number}") not in _taken)
    _taken.add(name)
    try:
        yield name
    finally:
        _taken.remove(name)


@contextmanager
def installation(server: Settings, home: Path, *, template: str = PREPARED) -> Iterator[Settings]:
    """An installation with a warehouse of its own on the tests' server: a copy of the database `template`."""
    with free_name() as name:
        copy_database(server, template, name)
        try:
            yield replace(
                server, home=home, landing_url=f"file://{home}/landing",
                external_database_url=server.embedded_url(name),
                external_reader_database_url=server.embedded_url(name, READER),
                given_pseudonym_key="key of the tests",
            )  # fmt: skip
        finally:
            drop_database(server, name)


def copy_database(server: Settings, template: str, name: str) -> None:
    _at_server(server, "create database {} template {} owner rsoko", name, template)
    ledger._prepared.discard(server.embedded_url(name))  # another warehouse had this name before


def drop_database(server: Settings, name: str) -> None:
    _at_server(server, "drop database {} with (force)", name)


def _at_server(server: Settings, statement: str, *names: str) -> None:
    with psycopg.connect(postgres.admin_url(server), autocommit=True) as connection:
        connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))  # type: ignore[arg-type]


def ask(settings: Settings, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
    with psycopg.connect(settings.database_url) as connection:
        return connection.execute(query, parameters or None).fetchall()  # type: ignore[call-overload]


def dump(settings: Settings, query: str) -> bytes:
    """The answer as text, in the order of all its columns."""
    with psycopg.connect(settings.database_url) as connection, connection.cursor() as cursor:
        width = len(connection.execute(f"select * from ({query}) as answer limit 0").description or [])  # type: ignore[call-overload]
        order = ", ".join(map(str, range(1, width + 1)))
        with cursor.copy(f"copy (select * from ({query}) as answer order by {order}) to stdout") as copy:  # type: ignore[call-overload]
            return b"".join(copy)


_LEDGER = {
    "delivery": "select delivery_id, source, file_name, options, archive_url, status, message from meta.delivery",
    "load": "select * from meta.load",
    "load_item": "select * from meta.load_item",
    "slice": "select * from meta.slice",
    "slice_load": "select * from meta.slice_load",
    "rejection": "select * from meta.rejection",
    "control_total": "select * from meta.control_total",
    "gate_result": "select load_id, check_code, is_success, violations, row_count, message from meta.gate_result",
}


def contents(settings: Settings) -> dict[str, bytes]:
    """The whole ledger but for its clock, and all raw rows, current or not."""
    raw = {f"raw.{source}": f"select * from raw.{source}" for source in sources()}
    return {name: dump(settings, query) for name, query in (_LEDGER | raw).items()}


def everything(settings: Settings) -> str:
    """All of the database as SQL."""
    done = subprocess.run(
        [postgres.binary("pg_dump"), settings.database_url, "--no-owner"], capture_output=True, text=True, check=True
    )
    return re.sub(r"(?m)^\\(un)?restrict .*$", "", done.stdout)


@contextmanager
def stalled(settings: Settings, when: str) -> Iterator[None]:
    """Whatever fires a trigger `when` … waits until the end of the block."""
    constraint = "constraint" if "deferrable" in when else ""
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        connection.execute(
            "create function stall() returns trigger language plpgsql as "
            f"$$ begin perform pg_advisory_xact_lock({_STALL}); return null; end $$"
        )
        connection.execute(f"create {constraint} trigger stall {when} execute function stall()")  # type: ignore[call-overload]
        connection.execute(f"select pg_advisory_lock({_STALL})")
        yield
        connection.execute(f"select pg_advisory_unlock({_STALL})")


_worker = multiprocessing.get_context("forkserver")
_worker.set_forkserver_preload(["rsoko.ops.pipeline", "expectations.validation"])  # imported once for all of them


def start(work: Callable[..., Any], *arguments: Any) -> BaseProcess:
    """A process of its own that does the work."""
    process = _worker.Process(target=work, args=arguments)
    process.start()
    return process


def wait_for_stall(settings: Settings, process: BaseProcess) -> None:
    """Until the process waits where `stalled` makes it wait."""
    waiting = f"select count(*) from pg_locks where locktype = 'advisory' and objid = {_STALL} and not granted"
    while ask(settings, waiting) == [(0,)]:
        assert process.is_alive(), "it ended without having come there"
        time.sleep(0.05)


def current(settings: Settings, columns: str, source: str = "vpr") -> list[tuple[Any, ...]]:
    """Columns of the current rows, in order."""
    joined = f"raw.{source} inner join meta.current_load using (region_code, load_id, slice_id)"
    return sorted(ask(settings, f"select {columns} from {joined}"))
