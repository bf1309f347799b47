"""What a build promises beyond its SQL: only news is written, corrections and registers arrive, core reconciles."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from conftest import ROOT
from warehouse import GIA_HEADER, ask, dump, installation, participant, target, template, write_csv

from dbt_project.runner import BuildError, build
from rsoko.base.errors import PermanentError
from rsoko.base.settings import Settings
from rsoko.ops import pipeline

RESULTS = {
    "facts": "select * from core.fct_assessment_result",
    "items": "select * from core.fct_item_score",
    "counts": "select * from core.int_result__score_count",
    "indicators": "select * from core.fct_indicator_value",
    "organisations": "select * from core.dim_organisation",
    "markers": "select * from mart.mart_objectivity__marker",
    "index": "select * from mart.mart_objectivity__index",
}


def results(settings: Settings) -> dict[str, bytes]:
    return {name: dump(settings, query) for name, query in RESULTS.items()}


def trace(settings: Settings) -> list[tuple[Any, ...]]:
    """Run every query of docs/trace.md as it stands; the rows from a marker to its participants."""
    queries = re.findall(r"```sql\n(.*?)```", (ROOT / "docs" / "trace.md").read_text(encoding="utf-8"), re.DOTALL)
    answers = [ask(settings, query.replace("inflated_mean_vpr_ru4", "inflated_mean_vpr_ma5")) for query in queries]
    return next(answer for query, answer in zip(queries, answers, strict=True) if "participant_key" in query)


@pytest.fixture
def warehouse(server: Settings, tmp_path: Path) -> Iterator[Settings]:
    with installation(server, tmp_path / "home") as settings:
        yield settings


def work(path: Path, scores: dict[str, list[tuple[int, int, int]]]) -> Path:
    """ВПР of mathematics, grade 5: school → item scores of its participants."""
    rows = [participant(1000 + n, s, school=school) for school, pupils in scores.items() for n, s in enumerate(pupils)]
    return write_csv(path, rows)


FIRST = {"edu990001": [(1, 2, 3), (1, 2, 2), (1, 2, 3)], "edu990002": [(0, 0, 1), (1, 0, 0), (0, 1, 0), (1, 1, 1)]}
CORRECTED = {"edu990002": [(0, 0, 1), (1, 0, 0), (0, 1, 0)]}


def participants(settings: Settings) -> dict[str, int]:
    """Participants of a school's mean, as the mart counts them."""
    marker = "inflated_mean_vpr_ma5"
    return dict(
        ask(settings, "select organisation_code, n from mart.mart_objectivity__marker where marker_code = %s", marker)
    )


def written(settings: Settings) -> set[tuple[Any, ...]]:
    """Where on disk each fact lies and which transaction wrote it."""
    return set(ask(settings, "select source_organisation_code, row_no, ctid, xmin from core.fct_assessment_result"))


def test_corrections_and_restores_arrive_as_if_built_from_nothing(
    server: Settings, warehouse: Settings, tmp_path: Path
) -> None:
    first = work(tmp_path / "vpr_2024_g5_MA.csv", FIRST)
    corrected = work(tmp_path / "later" / "vpr_2024_g5_MA.csv", CORRECTED)

    delivery_id = pipeline.load(warehouse, [first], "vpr")[0].delivery_id
    build(warehouse.database_url, tests="none", target_path=target(warehouse))
    assert participants(warehouse) == {"edu990001": 3, "edu990002": 4}
    original, untouched = results(warehouse), {row for row in written(warehouse) if row[0] == "edu990001"}
    traced = trace(warehouse)
    assert [row[:2] for row in traced] == [("1000", 6), ("1001", 5), ("1002", 6)]
    assert {row[4] for row in traced} == {"vpr_2024_g5_MA.csv"}

    pipeline.load(warehouse, [corrected], "vpr")
    build(warehouse.database_url, tests="none", target_path=target(warehouse))
    assert participants(warehouse) == {"edu990001": 3, "edu990002": 3}
    assert untouched <= written(warehouse), "the school that was not corrected has been written again"

    with installation(server, tmp_path / "other") as other:
        for path in (first, corrected):
            pipeline.load(other, [path], "vpr")
        build(other.database_url, tests="none", target_path=target(other))
        assert results(other) == results(warehouse)

    pipeline.restore(warehouse, delivery_id)
    build(warehouse.database_url, tests="none", target_path=target(warehouse))
    assert results(warehouse) == original


def test_a_later_register_joins_what_came_before_it(warehouse: Settings, tmp_path: Path) -> None:
    person = ["Фамилия", "Имя", "Отчество", "0000"]
    protocol = [["00101", "9А", "1003", "1", "201", *person, f"{n:06}", "++-", "", 2, 3, ""] for n in range(3)]
    files = [
        work(tmp_path / "vpr" / "vpr_2024_g5_MA.csv", {"edu990001": FIRST["edu990001"]}),
        write_csv(tmp_path / "gia" / "02_2024.06.06.csv", protocol, header=GIA_HEADER),
    ]
    assert {outcome.status for outcome in pipeline.load(warehouse, files)} == {"published"}
    build(warehouse.database_url, tests="none", target_path=target(warehouse))
    known = "select organisation_code, organisation_name, municipality_code, is_provisional from core.dim_organisation"
    assert {(row[0], row[3]) for row in ask(warehouse, known)} == {("edu990001", True), ("ris-00101", True)}
    marked = "select distinct organisation_code from mart.mart_objectivity__marker order by 1"
    assert ask(warehouse, marked) == [("edu990001",), ("ris-00101",)]
    before = written(warehouse)

    school = {
        "register_code": "regional",
        "organisation_code": "edu990001",
        "ris_code": "00101",
        "organisation_name": "Школа № 1",
        "organisation_kind": "школа",
        "municipality_name": "г. Примерск",
    }
    register = template(tmp_path / "organisation" / "реестр.csv", "organisation", [school])
    assert pipeline.load(warehouse, [register])[0].status == "published"
    build(warehouse.database_url, tests="none", target_path=target(warehouse))
    assert ask(warehouse, known) == [("edu990001", "Школа № 1", "город примерск", False)]
    assert ask(warehouse, marked) == [("edu990001",)]
    municipalities = "select object_id from mart.mart_objectivity__index where object_level = 'municipality'"
    assert ask(warehouse, municipalities) == [("город примерск",)]
    assert written(warehouse) == before, "facts have been loaded again for a register"


def test_core_that_lost_a_row_stops_the_build(warehouse: Settings, tmp_path: Path) -> None:
    """The first build also computes every formula's worked example."""
    pipeline.load(warehouse, [work(tmp_path / "vpr_2024_g5_MA.csv", FIRST)], "vpr")
    build(warehouse.database_url, tests="all", target_path=target(warehouse))
    with psycopg.connect(warehouse.database_url) as connection:
        connection.execute("delete from core.fct_assessment_result where row_no = 2")
    with pytest.raises(BuildError) as failure:
        build(warehouse.database_url, layer="core", select="fct_assessment_result", target_path=target(warehouse))
    assert any("reconciles_with_ledger" in node.unique_id for node in failure.value.result.failed)
    build(
        warehouse.database_url, layer="core", select="fct_assessment_result", full_refresh=True,
        target_path=target(warehouse),
    )  # fmt: skip


def test_an_unknown_layer_is_named() -> None:
    with pytest.raises(PermanentError, match="no layer 'gold'"):
        build("postgresql://nowhere", layer="gold")
