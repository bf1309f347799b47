"""The command line: `rsoko --help`."""

from __future__ import annotations

import csv
import logging
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from rsoko.base.errors import RsokoError
from rsoko.base.settings import Settings
from rsoko.contracts.model import sources

console = Console()
STATUS = {
    "published": "[green]принято[/]",
    "superseded": "заменено более новым",
    "rejected": "[red]отклонено[/]",
    "not received": "[red]не принято, наш сбой[/]",
    "accepted": "[green]принято бы[/]",
    "received": "[yellow]ждёт[/]",
    "staged": "[yellow]прочитано[/]",
    "checked": "[yellow]проверено[/]",
}
_FILES = click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
_SOURCE = click.option("--source", type=click.Choice(sources()), help="Чей это файл; по умолчанию — по содержанию.")
_SET = click.option(
    "--set", "settings_given", multiple=True, metavar="ИМЯ=ЗНАЧЕНИЕ", help="Чего нет в файле: --set year=2021."
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("-v", "--verbose", is_flag=True, help="Показывать журнал работы.")
def main(verbose: bool) -> None:
    """rsoko — хранилище региональной системы оценки качества образования.

    Начните с `rsoko up`, потом `rsoko load ФАЙЛ…`, потом `rsoko sql "…"`.
    Состояние лежит в RSOKO_HOME (по умолчанию ./var).
    """
    os.umask(0o077)  # state, logs and dossiers are their owner's alone
    logging.basicConfig(
        level=logging.INFO if verbose else logging.ERROR, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )


def _ready() -> Settings:
    """Settings of this installation with its database running."""
    from rsoko.ops import postgres

    settings = Settings.from_env()
    postgres.ensure(settings)
    return settings


def _files(paths: tuple[Path, ...]) -> list[Path]:
    from ingest.load.entries import is_left_alone, walk

    found = [file for path in paths for file in (walk(path) if path.is_dir() else [path])]
    return [file for file in found if not is_left_alone(file.name)]


def _given(pairs: tuple[str, ...]) -> dict[str, str]:
    if wrong := [pair for pair in pairs if "=" not in pair]:
        raise click.BadParameter(f"«{wrong[0]}»: нужно ИМЯ=ЗНАЧЕНИЕ, например year=2021")
    return dict(pair.split("=", 1) for pair in pairs)


def _guarded(command: Callable[..., None]) -> Callable[..., None]:
    """Errors of ours end with one line and exit code 1, not with a traceback."""
    from functools import wraps

    @wraps(command)
    def run(*args: Any, **kwargs: Any) -> None:
        try:
            command(*args, **kwargs)
        except RsokoError as error:
            console.print(f"[red]Ошибка:[/] {escape(str(error))}", highlight=False)
            sys.exit(1)

    return run


@main.command()
@_guarded
def up() -> None:
    """Поднять базу и Airflow со страницей; напечатать адреса и логин."""
    from rsoko.ops.airflow import services

    settings = _ready()
    with console.status("Поднимаю Airflow (около минуты)…"):
        state = services.up(settings)
    _print_addresses(settings, state)


def _print_addresses(settings: Settings, state: Any) -> None:
    from rsoko.ops import postgres

    lines = {
        "Airflow": state.url,
        "логин / пароль": f"{state.user} / {state.password}",
        "отчёт о поставках": state.report_url,
        "хранилище, чтение (BI)": postgres.reader_address(settings),
        "остановить": "rsoko down",
    }
    for name, value in lines.items():
        # Whole on one line whatever the terminal's width: addresses are there to be copied.
        console.print(f"{name:<24}{value}", highlight=False, soft_wrap=True)


@main.command()
@_guarded
def down() -> None:
    """Остановить Airflow и базу."""
    from rsoko.ops import postgres
    from rsoko.ops.airflow import services

    settings = Settings.from_env()
    services.down(settings)
    postgres.stop(settings)
    console.print("Остановлено. Данные целы: " + str(settings.home))


@main.command()
@_FILES
@_SOURCE
@_SET
@click.option("--no-build", is_flag=True, help="Только загрузить, витрины не пересчитывать.")
@_guarded
def load(paths: tuple[Path, ...], source: str | None, settings_given: tuple[str, ...], no_build: bool) -> None:
    """Доставить файлы (или папки) и провести их до витрин. Код выхода 2, если что-то отклонено.

    Витрины пересчитываются и тогда, когда нового не пришло, но прежнее до них не дошло.
    """
    from rsoko.ops import pipeline

    settings = _ready()
    files = _files(paths)
    _warn_of_clock(settings)
    with console.status("Принимаю…") as status:
        outcomes = []
        received = pipeline.receive_files(settings, files, source, _given(settings_given))
        for number, outcome in enumerate(pipeline.settle_all(settings, received), 1):
            status.update(f"[{number}/{len(received)}] {outcome.file_name}")
            outcomes.append(outcome)
    print_outcomes(outcomes)
    failed = any(outcome.status not in {"published", "superseded"} for outcome in outcomes)
    if not no_build:
        _build_what_is_owed(settings)
    sys.exit(2 if failed else 0)


def _warn_of_clock(settings: Settings) -> None:
    from ingest.load import ledger
    from rsoko.ops import status as report

    with ledger.connect(settings) as connection:
        report.show_clock(connection, console)


def print_outcomes(outcomes: list[Any]) -> None:
    """Table of results, one row a file."""
    table = Table("файл", "источник", "итог", "что сказать поставщику")
    for outcome in outcomes:
        table.add_row(
            escape(outcome.file_name),
            outcome.source,
            STATUS.get(outcome.status, outcome.status),
            escape(outcome.message or ""),
        )
    console.print(table)


@main.command()
@_FILES
@_SOURCE
@_SET
@_guarded
def check(paths: tuple[Path, ...], source: str | None, settings_given: tuple[str, ...]) -> None:
    """Прочитать и проверить файлы, ничего не загружая: пробный прогон для поставщика."""
    from rsoko.ops import pipeline

    settings = _ready()
    failed = False
    for file in _files(paths):
        outcome, rejections = pipeline.check(settings, file, source, _given(settings_given))
        failed |= outcome.status == "rejected"
        print_outcomes([outcome])
        for rejection in rejections[:50]:
            console.print(f"  {escape(rejection['message'])}", highlight=False)
        if len(rejections) > 50:
            console.print(f"  … и ещё {len(rejections) - 50}")
    sys.exit(2 if failed else 0)


@main.command()
@click.option("--full-refresh", is_flag=True, help="Пересчитать всё с начала, а не только изменившееся.")
@_guarded
def build(full_refresh: bool) -> None:
    """Пересчитать витрины."""
    _build(_ready(), full_refresh)


def _build_what_is_owed(settings: Settings) -> None:
    from dbt_project.owed import owed
    from rsoko.ops import pipeline

    with pipeline.connect(settings) as connection:
        debts = owed(connection)
    if debts:
        _build(settings)


def _build(settings: Settings, full_refresh: bool = False) -> None:
    from dbt_project import runner

    with console.status("Строю витрины (dbt)…"):
        result = runner.build(settings.database_url, full_refresh=full_refresh)
    console.print(f"Витрины построены: моделей и проверок {len(result.nodes)}, замечаний {len(result.warned)}.")


@main.command()
@click.argument("query")
@click.option("--csv", "as_csv", is_flag=True, help="Вывести как CSV (UTF-8).")
@_guarded
def sql(query: str, as_csv: bool) -> None:
    """Выполнить запрос к хранилищу: только чтение, схемы mart, core и meta."""
    import psycopg

    from rsoko.ops import postgres

    settings = _ready()
    try:
        with postgres.reader(settings) as connection:
            cursor = connection.execute(query)
            names = [column.name for column in cursor.description or []]
            rows = cursor.fetchall() if cursor.description else []
    except psycopg.Error as error:
        raise RsokoError(str(error).strip()) from error
    if as_csv:
        writer = csv.writer(sys.stdout)
        writer.writerow(names)
        writer.writerows(rows)
        return
    table = Table(*map(escape, names))
    for row in rows:
        table.add_row(*("" if value is None else escape(str(value)) for value in row))
    console.print(table)


@main.command()
@_guarded
def verify() -> None:
    """Сверить архив и строки хранилища с журналом поставок. Код выхода 1, если что-то повреждено."""
    from rsoko.base.errors import PermanentError
    from rsoko.ops import maintenance, pipeline
    from rsoko.ops import status as report

    settings = _ready()
    with console.status("Сверяю архив и строки…"):
        for check in (maintenance.verify_archive, maintenance.verify_rows):
            # What is damaged is told below, in Russian, from what the verification has written down.
            with suppress(PermanentError):
                check(settings)
    with pipeline.connect(settings) as connection:
        sys.exit(0 if report.show_verifications(connection, console) else 1)


@main.command()
@_guarded
def status() -> None:
    """Что доставлено, что действует, что сломано сейчас и что с этим делать."""
    from rsoko.ops import status as report

    report.show(_ready(), console)


@main.command()
@click.argument("delivery_id", type=int)
@click.option("--no-build", is_flag=True, help="Витрины не пересчитывать.")
@_guarded
def restore(delivery_id: int, no_build: bool) -> None:
    """Снова сделать действующей более старую поставку; номера: rsoko sql "select * from meta.delivery_summary"."""
    from rsoko.ops import pipeline

    settings = _ready()
    print_outcomes([pipeline.restore(settings, delivery_id)])
    if not no_build:
        _build_what_is_owed(settings)


@main.command()
@click.option("--year", type=int, help="Год работ; по умолчанию все.")
@click.option("--organisation", metavar="ЛОГИН", help="Одна организация, edu…; по умолчанию все с признаками.")
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), default=Path("dossier"), show_default=True,
    help="Папка для страниц.",
)  # fmt: skip
@_guarded
def dossier(year: int | None, organisation: str | None, out: Path) -> None:
    """Написать досье: страницу о признаках необъективности каждой организации, у которой они есть."""
    from rsoko.ops import postgres
    from rsoko.publish import dossier as pages

    settings = _ready()
    with postgres.reader(settings) as connection, console.status("Пишу досье…"):
        paths = pages.write(connection, settings.region_code, out, year=year, organisation_code=organisation)
    if paths:
        console.print(f"Досье: {len(paths) - 1}. Начните с {escape(str(paths[0]))}. Страницы не для публикации.")
    else:
        console.print("Признаков, о которых просим пояснений, нет.")


@main.command()
@_guarded
def demo() -> None:
    """Показать всё на вымышленном регионе: файлы, DAG в Airflow, шлюз качества, витрины."""
    from rsoko.ops import demo as run

    run.demo(_ready(), console)


if __name__ == "__main__":
    main()
