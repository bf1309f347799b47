"""`rsoko status`: what was delivered, what is current, what is broken now and what to do about it, on one screen."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg.rows import dict_row
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from dbt_project.owed import Debt, owed
from ingest.load import ledger
from ingest.load.landing import Landing
from rsoko.base.errors import RsokoError
from rsoko.base.settings import Settings
from rsoko.contracts.model import contracts
from rsoko.ops import pipeline
from rsoko.ops.airflow import services

_SOURCES = """
select
    source,
    count(*) filter (where status = 'published') as current_files,
    count(*) filter (where status = 'superseded') as superseded_files,
    coalesce(sum(rows_current) filter (where status = 'published'), 0) as current_rows,
    coalesce(sum(rows_quarantined) filter (where status = 'published'), 0) as quarantined_rows,
    max(received_at) filter (where status = 'published') as last_at
from meta.delivery_summary
group by source
"""
_BROKEN = """
select delivery_id, source, file_name, status, message
from meta.delivery_summary
where is_broken
order by received_at desc, file_name
"""
_VERIFIED = {
    "archive": ("файлов архива", "Доставьте эти файлы ещё раз (rsoko load): те же байты исправят архив. Витрины целы."),
    "rows": ("строк", "Строки raw изменены мимо rsoko: docs/runbooks/maintenance.md, раздел Rows."),
}
_TO_DO = {
    "rejected": "Отклонённое: сообщить поставщику; исправленный файл доставить: rsoko load ФАЙЛ",
    "received": "Ещё не обработанное: rsoko load ФАЙЛ ещё раз или запустить DAG ingest_<источник>",
}


def show(settings: Settings, console: Console, limit: int = 5) -> None:
    """Print the three answers."""
    with pipeline.connect(settings) as connection:
        by_source = {row["source"]: row for row in _rows(connection, _SOURCES)}
        broken = _rows(connection, _BROKEN)
        provisional = _provisional(connection)
        show_clock(connection, console)
        show_verifications(connection, console)
        debts = owed(connection)
    narrow = Column("источник", max_width=console.width // 3, no_wrap=True)
    table = Table(narrow, "файлов", "строк", "отложено", "заменено", Column("последняя", no_wrap=True))
    for contract in contracts():
        if (row := by_source.get(contract.source)) is None:
            continue
        last = f"{row['last_at']:%d.%m.%Y}" if row["last_at"] else ""
        table.add_row(
            contract.title, str(row["current_files"]), f"{row['current_rows']:,}".replace(",", " "),
            str(row["quarantined_rows"] or ""), str(row["superseded_files"] or ""), last,
        )  # fmt: skip
    if by_source:
        console.print(table)
    if never := [contract.source for contract in contracts() if contract.source not in by_source]:
        console.print(f"[dim]Поставок ещё не было: {', '.join(never)}[/]")
    for text in (unfit := _unfit(settings))[:limit]:
        console.print(f"[red]Не принимается:[/] {escape(text)}", highlight=False)
    if len(unfit) > limit:
        console.print(f"… и ещё {len(unfit) - limit} в зоне приёма")
    running = services.is_up(settings)
    console.print(f"Airflow: {services.addresses(settings).url if running else 'не запущен (rsoko up)'}")
    if provisional:
        console.print(f"[yellow]Организаций, которых нет в реестре: {provisional}.[/] Доставьте свежий реестр.")
    _print_debts(console, debts)
    if not broken:
        console.print("[green]Сломанного нет.[/]")
        return
    console.print(f"[red]Сломано сейчас: {len(broken)}[/]")
    faults = Table(Column("файл", max_width=console.width // 3, no_wrap=True), "что случилось")
    for row in broken[:limit]:
        said = textwrap.shorten(row["message"] or row["status"], console.width, placeholder=" …")
        faults.add_row(escape(row["file_name"]), escape(said))
    console.print(faults)
    if len(broken) > limit:
        console.print(f"… и ещё {len(broken) - limit}: они все — в отчёте шлюза (rsoko up)")
    for status in dict.fromkeys("rejected" if row["status"] == "rejected" else "received" for row in broken):
        console.print(_TO_DO[status])


def show_verifications(connection: psycopg.Connection, console: Console) -> bool:
    """Print what the last verification of archive and rows found; whether all was well."""
    found = _rows(connection, "select * from meta.verification order by kind")
    for row in found:
        what, to_do = _VERIFIED[row["kind"]]
        said = f"Сверка {row['checked_at']:%d.%m.%Y %H:%M}: {what} {row['checked']:,}".replace(",", " ")
        if not row["faults"]:
            console.print(f"{said}, всё сходится.", highlight=False)
            continue
        first = textwrap.shorten(row["faults"][0], console.width, placeholder=" …")
        console.print(f"[red]{said}, не сходится {len(row['faults'])}:[/] {escape(first)}", highlight=False)
        console.print(to_do)
    return not any(row["faults"] for row in found)


def show_clock(connection: psycopg.Connection, console: Console) -> None:
    """Say that this machine's clock is behind what has arrived already."""
    if lag := ledger.clock_lag(connection):
        console.print(
            f"[yellow]Часы отстают от журнала поставок на {str(lag).split('.')[0]}:[/] проверьте время. Порядок "
            "поставок сохранён: что пришло позже, то и действует."
        )


def _unfit(settings: Settings) -> list[str]:
    """What lies in the inbox and cannot be received, or why the landing zone cannot be looked at."""
    landing, found = Landing(settings.landing_url), []
    for contract in contracts():
        try:
            waiting = landing.waiting(contract.source)
        except RsokoError as error:
            return [str(error)]
        for path in waiting:
            try:
                landing.examine(path)
            except RsokoError as error:
                found.append(f"inbox/{contract.source}: {error}")
    return found


def _print_debts(console: Console, debts: Sequence[Debt]) -> None:
    if behind := [debt for debt in debts if not debt.held_back]:
        sources = sorted({source for debt in behind for source in debt.sources})
        why = [f"опубликовано новое: {', '.join(sources)}"] * bool(sources)
        why += ["изменились модели или справочники"] * any(debt.code_has_changed for debt in behind)
        names = ", ".join(debt.mechanism for debt in behind)
        console.print(f"[yellow]Витрины отстают: {names}[/] ({'; '.join(why)}). Пересчитать: rsoko build")
    for debt in debts:
        if debt.held_back:
            said = escape(textwrap.shorten(debt.held_back, 2 * console.width, placeholder=" …"))
            console.print(
                f"[red]Витрины {debt.mechanism} задержаны и остались прежними:[/] {said}\n"
                "Что делать: docs/runbooks/transform.md"
            )


def _rows(connection: psycopg.Connection, query: Any) -> list[dict[str, Any]]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query).fetchall()


def _provisional(connection: psycopg.Connection) -> int:
    """Organisations that only results know; 0 while the marts were never built."""
    if connection.execute("select to_regclass('core.dim_organisation')").fetchone() == (None,):
        return 0
    row = connection.execute("select count(*) from core.dim_organisation where is_provisional").fetchone()
    return row[0] if row else 0
