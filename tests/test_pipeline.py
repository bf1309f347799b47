"""What becomes of a delivery: the promises of ledger and raw tables, on real files, PostgreSQL and gate."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest import pipeline
from ingest.pipeline import Outcome
from ingest.settings import Settings
from warehouse import ask, changed_at, contents, current, participant, write_csv, write_f1


def load_one(settings: Settings, path: Path, **options: str) -> Outcome:
    return pipeline.load(settings, [path], "vpr", options)[0]


def statuses(settings: Settings) -> dict[str, str]:
    return dict(ask(settings, "select file_name, status from meta.delivery"))


# --- delivered again --------------------------------------------------------------------------------------------------


def test_the_same_bytes_change_nothing_and_say_so(settings: Settings, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "vpr_2024_g5_MA.csv", [participant(1), participant(2)])
    first = load_one(settings, path)
    before = contents(settings)
    again = load_one(settings, path)
    assert first.status == again.status == "published"
    assert first.published
    assert not again.published
    assert again.delivery_id == first.delivery_id
    assert "уже принят" in (again.message or "")
    assert "ничего не меняет" in (again.message or "")
    assert contents(settings) == before


@pytest.mark.parametrize(
    ("name", "other"), [("vpr_2024_g5_MA.csv", "vpr_2024_g5_MA (копия).csv"), ("Ф1.xlsx", "Ф1 от школы.xlsx")]
)
def test_the_same_bytes_under_another_name_are_the_same_delivery(
    settings: Settings, tmp_path: Path, name: str, other: str
) -> None:
    first = tmp_path / name
    if first.suffix == ".csv":
        write_csv(first, [participant(1)])
    else:
        write_f1(first, [1, 2])
    renamed = first.rename(tmp_path / other)
    renamed.replace(first)
    load_one(settings, first)
    again = load_one(settings, first.rename(renamed))
    assert "уже принят" in (again.message or "")
    assert statuses(settings) == {name: "published"}


def test_the_same_bytes_said_to_be_of_another_year_are_another_delivery(settings: Settings, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "протокол.csv", [participant(1)])
    for year in ("2023", "2024"):
        load_one(settings, path, year=year, grade="5", subject_code="MA")
    assert current(settings, "year, participant_code") == [(2023, "1"), (2024, "1")]


# --- corrections ------------------------------------------------------------------------------------------------------


def test_a_correction_supersedes_exactly_the_slices_it_contains(settings: Settings, tmp_path: Path) -> None:
    name = "vpr_2024_g5_MA.csv"
    rows = [participant(1, school="edu990001"), participant(1, school="edu990002"), participant(2, school="edu990002")]
    load_one(settings, write_csv(tmp_path / "1" / name, rows))
    correction = [participant(1, (0, 0, 0), school="edu990002")]
    assert load_one(settings, write_csv(tmp_path / "2" / name, correction)).published
    scores = "organisation_code, participant_code, primary_score"
    assert current(settings, scores) == [("edu990001", "1", 6), ("edu990002", "1", 0)]
    assert [status for (status,) in ask(settings, "select status from meta.delivery")] == ["published", "published"]
    everything = [participant(1, (1, 1, 1), school=school) for school in ("edu990001", "edu990002")]
    load_one(settings, write_csv(tmp_path / "3" / name, everything))
    assert current(settings, scores) == [("edu990001", "1", 3), ("edu990002", "1", 3)]
    assert [status for (status,) in ask(settings, "select status from meta.delivery order by received_at")] == [
        "superseded", "superseded", "published",
    ]  # fmt: skip
    assert ask(settings, "select count(*) from raw.vpr") == [(6,)]  # nothing was overwritten


def test_an_older_version_can_be_made_current_again(settings: Settings, tmp_path: Path) -> None:
    name = "vpr_2024_g5_MA.csv"
    old = load_one(settings, write_csv(tmp_path / "1" / name, [participant(1)]))
    load_one(settings, write_csv(tmp_path / "2" / name, [participant(1, (0, 0, 0))]))
    told = load_one(settings, tmp_path / "1" / name)
    assert told.status == "superseded"
    assert f"rsoko restore {old.delivery_id}" in (told.message or "")
    assert pipeline.restore(settings, old.delivery_id).published
    assert current(settings, "participant_code, primary_score") == [("1", 6)]
    assert [s for (s,) in ask(settings, "select status from meta.delivery order by received_at")] == [
        "published", "superseded",
    ]  # fmt: skip


# --- parts and order --------------------------------------------------------------------------------------------------


def test_parts_of_a_slice_in_one_batch_are_current_together(settings: Settings, tmp_path: Path) -> None:
    parts = [
        write_csv(tmp_path / f"vpr_2024_g5_MA ({n}).csv", [participant(code) for code in codes])
        for n, codes in enumerate([(1, 2), (3, 4), (5,)])
    ]
    assert [outcome.status for outcome in pipeline.load(settings, parts)] == ["published"] * 3
    assert [code for (code,) in current(settings, "participant_code")] == ["1", "2", "3", "4", "5"]
