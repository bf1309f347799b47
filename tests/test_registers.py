"""Results and registers of one batch, in whatever order they come, and warnings that a register answers."""

from __future__ import annotations

from pathlib import Path

from warehouse import ask, participant, template, write_csv

from rsoko.base.settings import Settings
from rsoko.ops import pipeline

WARNINGS = "select message from meta.rejection where code = 'unknown_organisation'"


def results(folder: Path) -> Path:
    rows = [participant(1), participant(2, school="edu990002")]
    return write_csv(folder / "vpr" / "vpr_2024_g5_MA.csv", rows)


def register(folder: Path, *logins: str, name: str = "register.csv") -> Path:
    rows = [
        {
            "register_code": "oo",
            "organisation_code": login,
            "organisation_name": f"Школа {login}",
            "valid_from": "2020-01-01",
        }
        for login in logins
    ]
    return template(folder / "organisation" / name, "organisation", rows)


def test_a_register_of_the_same_batch_is_known_before_the_results(settings: Settings, tmp_path: Path) -> None:
    files = [results(tmp_path), register(tmp_path, "edu990001", "edu990002")]
    outcomes = pipeline.load(settings, files)
    assert [(outcome.source, outcome.status) for outcome in outcomes] == [
        ("organisation", "published"),
        ("vpr", "published"),
    ]
    assert ask(settings, WARNINGS) == []
    assert "реестр" not in (outcomes[1].message or "")


def test_a_register_that_comes_later_answers_the_warning_about_it(settings: Settings, tmp_path: Path) -> None:
    [warned] = pipeline.load(settings, [results(tmp_path)])
    assert "Организация есть в реестре: нарушено в 2 из 2 строк" in (warned.message or "")
    assert len(ask(settings, WARNINGS)) == 2
    told = "select message from meta.delivery where source = 'vpr'"

    pipeline.load(settings, [register(tmp_path, "edu990001")])
    [(left,)] = ask(settings, WARNINGS)
    assert "edu990002" in left
    assert "нарушено в 1 из 2 строк" in ask(settings, told)[0][0]

    pipeline.load(settings, [register(tmp_path, "edu990001", "edu990002", name="full.csv")])
    assert ask(settings, WARNINGS) == []
    assert ask(settings, told) == [(None,)]
    history = ask(
        settings,
        "select is_success from meta.gate_result where check_code = 'unknown_organisation' order by checked_at",
    )
    assert history == [(False,), (False,), (True,)]


def test_what_else_was_said_of_a_delivery_stays(settings: Settings, tmp_path: Path) -> None:
    rows = [participant(number) for number in range(40)] + [participant(40, total=5)]
    path = write_csv(tmp_path / "vpr" / "vpr_2024_g5_MA.csv", rows)
    pipeline.load(settings, [path])
    pipeline.load(settings, [register(tmp_path, "edu990001")])
    [(message,)] = ask(settings, "select message from meta.delivery where source = 'vpr'")
    assert "реестр" not in message
    assert "равен сумме баллов" in message
