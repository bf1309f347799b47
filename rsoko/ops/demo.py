"""`make demo`: the files of a fictional region all the way from suppliers' folders to marts, run by Airflow."""

from __future__ import annotations

import csv
import json
import time
from pathlib import Path
from typing import Any

import psycopg
from rich.console import Console
from rich.table import Table

from dbt_project.owed import owed
from ingest.load import ledger
from ingest.load.landing import Landing, file_sha256
from rsoko.base.errors import PermanentError
from rsoko.base.settings import Settings
from rsoko.contracts.model import load_contract
from rsoko.ops import pipeline, postgres
from rsoko.ops.airflow import runs
from rsoko.ops.cli import STATUS
from sample_region import generate

QUESTIONS = {
    "У каких школ больше всего официальных признаков необъективности?": """
select
    organisation_name,
    count(*) as markers,
    string_agg(marker_code, ', ' order by marker_code) as marker_codes
from mart.mart_objectivity__marker
join core.dim_organisation using (region_code, organisation_code)
where is_marked and year = 2025 and '2025-05-01' between valid_from and valid_to
group by organisation_name
order by markers desc, organisation_name
limit 5""",
    "Где признаки необъективности и какие, сколько работ перепроверить?": """
select
    municipality_name,
    mechanism_title,
    count(*) as red_flags,
    count(distinct organisation_code) as organisations,
    sum(works_to_remark) as works_to_remark
from mart.mart_objectivity__dossier
join mart.mart_objectivity__work_list using (region_code, organisation_code, year, grade, subject_code, flag)
where flag = 'red' and procedure_code = 'vpr' and year = 2025
group by municipality_name, mechanism_title
order by red_flags desc, municipality_name, mechanism_title
limit 10""",
    "Каков индекс объективности региона по годам?": """
select year, organisations, marked_organisations, objectivity_index
from mart.mart_objectivity__index
where object_level = 'region'
order by year""",
    "Где самооценка детских садов расходится с оценкой экспертов?": """
select
    area,
    round(self_level, 2) as self_level,
    round(expert_level, 2) as expert_level,
    n_biased_organisations,
    n_organisations
from mart.mart_preschool__summary
where object_level = 'region' and year = 2025
order by area_no""",
}


def demo(settings: Settings, console: Console) -> None:
    """Generate, deliver, run the DAGs, print what came of it. A second run finds everything done."""
    began = time.monotonic()
    target = settings.home / "sample_region"
    if not (target / "manifest.csv").exists():
        with console.status("Создаю файлы вымышленного региона (районы, школы, детские сады, три года)…"):
            generate.write(target)
    manifest = _manifest(target)
    console.print(f"[bold]1.[/] Вымышленный регион: файлов поставщиков {len(manifest)}, лежат в {target}")
    for wave in sorted({int(row["wave"]) for row in manifest}):
        _run_wave(settings, console, target, [row for row in manifest if int(row["wave"]) == wave], wave)
    with pipeline.connect(settings) as connection:
        debts = owed(connection)
    if debts:
        _airflow(settings, console, ["transform"], "dbt строит и проверяет витрины")
    _deliveries(settings, console)
    _marts(settings, console)
    _how_to_go_on(settings, console)
    console.print(f"[dim]Всё вместе: {time.monotonic() - began:.0f} с. Повторный запуск ничего не изменит.[/]")


def _manifest(target: Path) -> list[dict[str, str]]:
    with (target / "manifest.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _run_wave(settings: Settings, console: Console, target: Path, files: list[dict[str, str]], wave: int) -> None:
    """Deliver one wave of files and let the ingest DAGs take what is new of them."""
    landing = Landing(settings.landing_url)
    new = [row for row in files if not _is_known(settings, target / row["file"])]
    for row in new:
        landing.deliver(row["source"], target / row["file"], json.loads(row["options"] or "{}"))
    console.print(f"[bold]2.[/] Волна {wave}: в зону приёма положено новых файлов {len(new)} из {len(files)}")
    delivered = {row["source"] for row in new}
    # Registers run first, so that the gate knows the schools when their results come.
    order = sorted(delivered, key=lambda source: (not load_contract(source).register, source))
    if order:
        _airflow(settings, console, [f"ingest_{source}" for source in order], "Airflow принимает файлы")


def _is_known(settings: Settings, file: Path) -> bool:
    with pipeline.connect(settings) as connection:
        found = connection.execute(
            "select 1 from meta.delivery where sha256 = %s and status in ('published', 'superseded', 'rejected')",
            [file_sha256(file)],
        )
        return found.fetchone() is not None


def _airflow(settings: Settings, console: Console, dags: list[str], what: str) -> None:
    console.print(f"[bold]3.[/] {what}: {', '.join(dags)}")
    with console.status("…") as status:

        def echo(line: str) -> None:
            # A log file shows no spinner: there every finished task gets its line.
            status.update(line) if console.is_terminal else console.print(f"   [dim]{line}[/]")

        states = runs.run_dags(settings, dags, echo=echo)
    if failed := [dag for dag, state in states.items() if state != "success"]:
        raise PermanentError(f"DAG failed: {', '.join(failed)}; logs in {settings.home}/logs")


def _deliveries(settings: Settings, console: Console) -> None:
    with pipeline.connect(settings) as connection:
        rows = ledger.summary(connection)
    table = Table("файл", "источник", "итог", "строк", "отложено", "почему", title="Поставки")
    accepted = 0
    for row in rows:
        if row["status"] == "published" and not row["rows_quarantined"] and not row["cells_rejected"]:
            accepted += 1
            continue
        table.add_row(
            row["file_name"], row["source"], STATUS[row["status"]], str(row["rows_published"] or ""),
            str(row["rows_quarantined"] or ""), row["message"] or "",
        )  # fmt: skip
    console.print(f"Принято без замечаний файлов: {accepted}. Остальные:")
    console.print(table)


def _marts(settings: Settings, console: Console) -> None:
    with postgres.reader(settings) as connection:
        for question, query in QUESTIONS.items():
            console.print(_table(connection, question, query))


def _table(connection: psycopg.Connection, title: str, query: Any) -> Table:
    cursor = connection.execute(query)
    table = Table(*(column.name for column in cursor.description or []), title=title, title_justify="left")
    for row in cursor:
        table.add_row(*("" if value is None else str(value) for value in row))
    return table


def _how_to_go_on(settings: Settings, console: Console) -> None:
    console.print(
        "\n[bold]Что дальше[/]\n"
        f"  Подключить BI к хранилищу (только чтение): {postgres.reader_address(settings)}\n"
        "  Страница Airflow и отчёт шлюза качества: .venv/bin/rsoko up\n"
        "  Что доставлено и что сломано: .venv/bin/rsoko status\n"
        "  Страница о признаках для директора каждой организации: .venv/bin/rsoko dossier --year 2025\n"
        "  Спросить хранилище (примеры — вопросы выше):",
        highlight=False,
    )
    for question, query in QUESTIONS.items():
        example = f'  [dim]-- {question}[/]\n  .venv/bin/rsoko sql "{" ".join(query.split())}"'
        console.print(example, highlight=False, soft_wrap=True)
