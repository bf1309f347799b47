"""`rsoko`: what a command prints, how it ends, what it leaves alone."""

from __future__ import annotations

import csv
import io
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from warehouse import ask, everything, installation, participant, template, write_csv

from dbt_project import owed
from ingest.load import ledger
from rsoko.base.settings import Settings
from rsoko.ops import cli, pipeline

ROOT = Path(__file__).parent.parent
NAME = "vpr_2024_g5_MA.csv"
GOOD = [participant(code) for code in range(1, 41)]


@pytest.fixture(scope="module")
def warehouse(server: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """An installation that the tests of this module share; each delivers files of its own."""
    with installation(server, tmp_path_factory.mktemp("cli")) as settings:
        yield settings


@pytest.fixture
def rsoko(warehouse: Settings, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    """A runner whose environment is that of the installation, on a wide terminal."""
    monkeypatch.setattr(cli.console, "width", 400)
    return CliRunner(env=warehouse.environ(), catch_exceptions=False)


def run(runner: CliRunner, *arguments: str | Path) -> Result:
    return runner.invoke(cli.main, [str(argument) for argument in arguments])


def test_help_is_in_plain_words(rsoko: CliRunner) -> None:
    shown = run(rsoko, "--help")
    assert shown.exit_code == 0
    for command in ("up", "down", "load", "check", "build", "sql", "status", "restore", "demo"):
        assert f"\n  {command} " in shown.output
    for name, command in cli.main.commands.items():
        assert any("а" <= letter <= "я" for letter in (command.help or "")), name


def test_the_console_script_answers_without_importing_the_heavy_half(warehouse: Settings) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "rsoko.ops.cli", "--help"],
        cwd=ROOT, env=os.environ | warehouse.environ(), capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "rsoko" in done.stdout
    for heavy in ("dbt", "great_expectations", "airflow", "polars"):
        assert f"| {heavy}\n" not in done.stderr


def test_load_ends_with_0_when_all_is_accepted(rsoko: CliRunner, warehouse: Settings, tmp_path: Path) -> None:
    path = write_csv(tmp_path / NAME, GOOD)
    first = run(rsoko, "load", "--no-build", "--source", "vpr", path)
    assert first.exit_code == 0
    assert NAME in first.output
    assert "принято" in first.output
    again = run(rsoko, "load", "--no-build", "--source", "vpr", path)
    assert again.exit_code == 0
    assert "повторная доставка ничего не меняет" in again.output
    assert ask(warehouse, "select received_by from meta.delivery where file_name = %s", NAME) == [(warehouse.user,)]


def test_load_ends_with_2_when_something_is_rejected_and_loads_the_rest(
    rsoko: CliRunner, warehouse: Settings, tmp_path: Path
) -> None:
    write_csv(tmp_path / "vpr" / "vpr_2024_g6_MA.csv", GOOD)
    write_csv(tmp_path / "vpr" / "vpr_2024_g6_RU.csv", [])
    write_csv(tmp_path / "vpr" / "~$vpr_2024_g7_RU.csv", GOOD)
    done = run(rsoko, "load", "--no-build", tmp_path)
    assert done.exit_code == 2
    assert "пустая" in done.output
    assert ask(
        warehouse, "select file_name, status from meta.delivery where file_name like 'vpr_2024_g6%' order by 1"
    ) == [("vpr_2024_g6_MA.csv", "published"), ("vpr_2024_g6_RU.csv", "rejected")]
    assert ask(warehouse, "select count(*) from meta.delivery where file_name like '~%'") == [(0,)]


def test_options_are_given_by_name(rsoko: CliRunner, warehouse: Settings, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "протокол.csv", GOOD)
    options = ["--set", "year=2019", "--set", "grade=7", "--set", "subject_code=история"]
    assert run(rsoko, "load", "--no-build", "--source", "vpr", *options, path).exit_code == 0
    assert ask(warehouse, "select distinct grade, subject_code from raw.vpr where year = 2019") == [(7, "IS")]
    wrong = run(rsoko, "load", "--set", "year:2019", path)
    assert wrong.exit_code == 2
    assert "нужно ИМЯ=ЗНАЧЕНИЕ" in wrong.output


def test_check_tells_everything_and_loads_nothing(rsoko: CliRunner, warehouse: Settings, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "vpr_2023_g8_MA.csv", [*GOOD, participant(90, (1, 5, 3)), participant("")])
    with pipeline.connect(warehouse):
        before = everything(warehouse)
    checked = run(rsoko, "check", "--source", "vpr", path)
    assert checked.exit_code == 0
    assert "Строка 42, столбец «задание 2»: 5 больше максимума задания 2" in checked.output
    assert "Строка 43: не заполнено или не читается «Код участника»" in checked.output
    refused = run(rsoko, "check", "--source", "vpr", write_csv(tmp_path / "vpr_2023_g8_RU.csv", []))
    assert refused.exit_code == 2
    assert "пустая" in refused.output
    assert everything(warehouse) == before


def test_sql_prints_a_table_or_csv_and_writes_nothing(rsoko: CliRunner) -> None:
    query = "select 1 as one, 'два; \"три\"' as two, null as three"
    shown = run(rsoko, "sql", query)
    assert shown.exit_code == 0
    assert "one" in shown.output
    assert 'два; "три"' in shown.output
    printed = run(rsoko, "sql", "--csv", query)
    assert list(csv.reader(io.StringIO(printed.output))) == [["one", "two", "three"], ["1", 'два; "три"', ""]]
    written = run(rsoko, "sql", "create table public.anything (id int)")
    assert written.exit_code == 1
    assert "read-only" in written.output


def test_brackets_in_answers_and_messages_are_text(rsoko: CliRunner) -> None:
    assert "[red]не цвет[/]" in run(rsoko, "sql", "select '[red]не цвет[/]' as answer").output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["sql", "select * from nowhere"], "nowhere"),
        (["sql", "select 'незакрыто"], "unterminated"),
        (["restore", "1"], "no delivery 1"),
        (["load", "нет такого файла.csv"], "нет такого файла.csv"),
        (["load", "--source", "чужой", __file__], "чужой"),
    ],
)
def test_errors_are_one_sentence(rsoko: CliRunner, arguments: list[str], said: str) -> None:
    done = run(rsoko, *arguments)
    assert done.exit_code in {1, 2}
    assert said in done.output
    assert "Traceback" not in done.output


def test_a_database_that_does_not_answer_is_one_sentence(tmp_path: Path) -> None:
    environ = {"RSOKO_HOME": str(tmp_path), "RSOKO_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing"}
    done = CliRunner(env=environ, catch_exceptions=False).invoke(cli.main, ["status"])
    assert done.exit_code == 1
    assert "Ошибка" in done.output
    assert "Traceback" not in done.output


def test_status_is_one_screen_however_much_is_broken(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner = CliRunner(env=settings.environ(), catch_exceptions=False)
    for width in (80, 100, 200):
        monkeypatch.setattr(cli.console, "width", width)
        fresh = run(runner, "status")
        assert fresh.exit_code == 0
        assert "ещё не было" in fresh.output
        assert "Сломанного нет" in fresh.output
        assert len(fresh.output.splitlines()) <= 45
    empty = [write_csv(tmp_path / f"vpr_2024_g{grade}_{s}.csv", []) for grade in range(1, 10) for s in ("MA", "RU")]
    broken = [
        write_csv(tmp_path / "без имени.csv", GOOD),
        template(tmp_path / "МКДО.csv", "preschool", [{"year": 2024}]),
    ]
    pipeline.load(
        settings, [*empty, *broken, write_csv(tmp_path / "vpr_2023_g5_MA.csv", [*GOOD, participant("")])], "vpr"
    )
    for width in (80, 100, 200):
        monkeypatch.setattr(cli.console, "width", width)
        shown = run(runner, "status")
        lines = shown.output.splitlines()
        assert len(lines) <= 45
        assert max(map(len, lines)) <= width
        assert "Сломано сейчас: 20" in shown.output
        assert "rsoko load" in shown.output


def test_what_came_again_and_was_accepted_is_no_longer_broken(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cli.console, "width", 200)
    runner = CliRunner(env=settings.environ(), catch_exceptions=False)
    pipeline.load(settings, [write_csv(tmp_path / "1" / NAME, [])], "vpr")
    assert "Сломано сейчас: 1" in run(runner, "status").output
    pipeline.load(settings, [write_csv(tmp_path / "2" / NAME, GOOD)], "vpr")
    assert "Сломанного нет" in run(runner, "status").output


def test_status_does_not_wait_for_a_load_under_way(settings: Settings, tmp_path: Path) -> None:
    pipeline.load(settings, [write_csv(tmp_path / NAME, GOOD)], "vpr")
    ledger._prepared.clear()  # as in a new process
    runner = CliRunner(env=settings.environ() | {"PGOPTIONS": "-c lock_timeout=2000"}, catch_exceptions=False)
    with pipeline.connect(settings) as connection, connection.transaction():
        connection.execute("delete from meta.slice_load")  # what a load holds until it commits
        connection.execute("delete from raw.vpr")
        shown = run(runner, "status")
    assert shown.exit_code == 0
    assert "Сломанного нет" in shown.output


def test_restore_brings_an_older_delivery_back(rsoko: CliRunner, warehouse: Settings, tmp_path: Path) -> None:
    name = "vpr_2022_g5_MA.csv"
    for number, scores in enumerate([(1, 2, 3), (0, 0, 0)]):
        path = write_csv(tmp_path / str(number) / name, [participant(1, scores)])
        assert run(rsoko, "load", "--no-build", "--source", "vpr", path).exit_code == 0
    [(old,)] = ask(
        warehouse, "select delivery_id from meta.delivery where file_name = %s and status = 'superseded'", name
    )
    restored = run(rsoko, "restore", "--no-build", str(old))
    assert restored.exit_code == 0
    assert "Снова действует" in restored.output
    assert ask(warehouse, "select status from meta.delivery where delivery_id = %s", old) == [("published",)]


def test_load_goes_through_to_the_marts(rsoko: CliRunner, warehouse: Settings, tmp_path: Path) -> None:
    """Also when the load that brought the files died before it built."""
    files = [
        write_csv(tmp_path / "vpr" / f"vpr_2021_g4_{subject}.csv", [participant(c, school=school) for c in range(30)])
        for subject in ("MA", "RU") for school in ("edu990001",)
    ]  # fmt: skip
    pipeline.load(warehouse, files)
    shown = run(rsoko, "status").output
    assert "Витрины отстают: leader, objectivity, preschool" in shown
    assert "Пересчитать: rsoko build" in shown
    done = run(rsoko, "load", *files)
    assert done.exit_code == 0
    assert "Витрины построены" in done.output
    answer = run(rsoko, "sql", "--csv", "select count(*) from mart.mart_objectivity__marker where year = 2021")
    assert int(answer.output.split()[1]) > 0
    shown = run(rsoko, "status").output
    assert "Организаций, которых нет в реестре: 1" in shown
    assert "Витрины" not in shown
    assert "Витрины построены" not in run(rsoko, "load", *files).output  # nothing is owed


def test_status_says_which_marts_are_held_back(rsoko: CliRunner, warehouse: Settings) -> None:
    with pipeline.connect(warehouse) as connection, connection.transaction():
        owed.hold_back(connection, "preschool", ["test.rsoko.unique_grain: Got 3 results, configured to fail if != 0"])
    shown = run(rsoko, "status").output
    assert "Витрины preschool задержаны и остались прежними: test.rsoko.unique_grain: Got 3 results" in shown
    assert "docs/runbooks/transform.md" in shown
