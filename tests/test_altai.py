"""All real ВПР works of a region, a million rows: every sum agrees with an independent reading of the same files."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import altai
import psycopg
import pytest
from conftest import SHARED

from dbt_project import runner
from rsoko.base.settings import Settings
from rsoko.ops import pipeline, postgres

REGISTERS = ("logins.xlsx", "context_oo_2022_1_noPD.csv")


@dataclass
class Count:
    """What an independent reading of one work says."""

    rows: int = 0
    present: int = 0
    score: int = 0
    bad_cells: int = 0
    over_maximum: int = 0


@dataclass
class Truth:
    counts: dict[str, Count] = field(default_factory=dict)
    scores: dict[tuple[int, int, str], dict[str, list[int]]] = field(default_factory=dict)
    pairs: dict[tuple[int, int, str], dict[str, list[tuple[int, int]]]] = field(default_factory=dict)


@pytest.fixture(scope="module")
def truth() -> Truth:
    """The independent reading: file by file, and the scores and journal marks of the works that markers read."""
    if not (SHARED / "data").is_dir():
        pytest.skip(f"the real data are not here: there is no folder {SHARED}/data beside the project")
    truth = Truth()
    for path in altai.works(SHARED / "data/vpr_altai/wide_csv_gz"):
        _, year, grade, subject = path.name.split(".")[0].split("_")
        work = (int(year), int(grade[1:]), subject)
        maximum = altai.MAXIMUM.get(work[1:])
        count = truth.counts[path.name] = Count()
        scores = truth.scores.setdefault(work, {})
        pairs = truth.pairs.setdefault(work, {})
        for row in altai.rows(path):
            count.rows += 1
            count.bad_cells += row.bad_cells
            count.present += row.present
            if row.score is None:
                continue
            count.score += row.score
            if maximum is None:
                continue
            if row.score > maximum:
                count.over_maximum += 1
                continue
            scores.setdefault(row.school, []).append(row.score)
            if row.mark is not None:
                pairs.setdefault(row.school, []).append((row.mark, row.score))
    return truth


@pytest.fixture(scope="module")
def warehouse(server: Settings, tmp_path_factory: pytest.TempPathFactory, truth: Truth) -> Iterator[Settings]:
    """A warehouse with all the works loaded and the marts built."""
    name = f"altai_{uuid.uuid4().hex}"
    with psycopg.connect(postgres.admin_url(server), autocommit=True) as connection:
        connection.execute(f"create database {name} owner rsoko")
        settings = Settings(
            home=tmp_path_factory.mktemp("altai"),
            region_code=22,
            external_database_url=server.embedded_url(name),
            given_pseudonym_key="key of the tests",
        )
        folder = SHARED / "data/vpr_altai"
        pipeline.load(settings, [folder / register for register in REGISTERS])
        outcomes = pipeline.load(settings, altai.works(folder / "wide_csv_gz"))
        assert [o.message for o in outcomes if o.status != "published"] == []
        runner.build(settings.database_url, target_path=settings.home / "dbt")
        yield settings
        connection.execute(f"drop database {name} with (force)")


def test_rows_sums_and_rejected_cells_of_every_file(warehouse: Settings, truth: Truth) -> None:
    with psycopg.connect(warehouse.database_url) as connection:
        ledger = {
            name: Count(rows, present, score, cells, quarantined)
            for name, rows, present, score, cells, quarantined in connection.execute(
                "select file_name, rows_read, (control_totals -> 'present' ->> 'read')::int, "
                "(control_totals -> 'sum_primary_score' ->> 'read')::int, cells_rejected, rows_quarantined "
                "from meta.delivery_summary where source = 'vpr'"
            )
        }
    assert len(ledger) == len(truth.counts) == 44
    for name, expected in truth.counts.items():
        found = ledger[name]
        assert (found.rows, found.present, found.score, found.bad_cells) == (
            expected.rows,
            expected.present,
            expected.score,
            expected.bad_cells,
        ), name
        if any(f"_{subject}." in name and f"_g{grade}_" in name for grade, subject in altai.MAXIMUM):
            assert found.over_maximum == expected.over_maximum, name


def test_control_totals_reconcile_all_the_way(warehouse: Settings) -> None:
    with psycopg.connect(warehouse.database_url) as connection:
        broken = connection.execute(
            "select file_name, measure, totals "
            "from meta.delivery_summary, jsonb_each(control_totals) as each (measure, totals) where source = 'vpr' "
            "and (totals -> 'read' <> totals -> 'staged' or totals -> 'published' <> totals -> 'core')"
        ).fetchall()
    assert broken == []


def marker_rows(settings: Settings, code: str, year: int) -> dict[str, altai.Marker]:
    with psycopg.connect(settings.database_url) as connection:
        rows = connection.execute(
            "select organisation_code, n, value, lower_bound, upper_bound, is_marked "
            "from mart.mart_objectivity__marker where marker_code = %s and year = %s and region_code = 22",
            [code, year],
        ).fetchall()
    return {
        school: altai.Marker(n, *(None if v is None else float(v) for v in (value, lower, upper)), is_marked)
        for school, n, value, lower, upper, is_marked in rows
    }


def assert_same(found: dict[str, altai.Marker], expected: dict[str, altai.Marker], bounds: bool) -> None:
    """School by school: the same schools, the same n, value and bounds to nine digits, the same verdict."""
    assert set(found) == set(expected)
    for school, marker in expected.items():
        other = found[school]
        assert (other.n, other.is_marked) == (marker.n, marker.is_marked), school
        assert other.value == pytest.approx(marker.value, abs=1e-6), school
        if bounds:
            assert other.lower == pytest.approx(marker.lower, abs=1e-6), school
            assert other.upper == pytest.approx(marker.upper, abs=1e-6), school


@pytest.mark.parametrize("year", [2020, 2021])
@pytest.mark.parametrize("work", [(4, "RU"), (4, "MA"), (5, "RU"), (5, "MA")])
def test_inflated_means_school_by_school(warehouse: Settings, truth: Truth, work: tuple[int, str], year: int) -> None:
    grade, subject = work
    expected = altai.inflated_means(truth.scores[year, grade, subject])
    found = marker_rows(warehouse, f"inflated_mean_vpr_{subject.lower()}{grade}", year)
    assert 50 < sum(marker.is_marked for marker in expected.values()) < 200
    assert_same(found, expected, bounds=True)


@pytest.mark.parametrize("year", [2020, 2021])
@pytest.mark.parametrize("work", [(4, "RU"), (4, "MA"), (5, "RU"), (5, "MA")])
def test_mark_mismatches_school_by_school(warehouse: Settings, truth: Truth, work: tuple[int, str], year: int) -> None:
    grade, subject = work
    expected = altai.mark_mismatches(truth.pairs[year, grade, subject])
    found = marker_rows(warehouse, f"mark_mismatch_vpr_{subject.lower()}{grade}", year)
    assert_same(found, expected, bounds=False)


@pytest.mark.parametrize("subject", ["RU", "MA"])
def test_sharp_changes_of_one_cohort_school_by_school(warehouse: Settings, truth: Truth, subject: str) -> None:
    """Autumn 2020 «4 класс» and spring 2021 «5 класс» are one cohort; logins sch…, ksh… and edu… are one school."""
    expected = altai.sharp_changes(truth.scores[2020, 4, subject], truth.scores[2021, 5, subject], subject)
    for kind, markers in expected.items():
        assert len(markers) > 500
        assert_same(marker_rows(warehouse, f"sharp_{kind}_{subject.lower()}", 2021), markers, bounds=True)


def test_index_is_the_share_of_marked_schools(warehouse: Settings) -> None:
    with psycopg.connect(warehouse.database_url) as connection:
        rows = connection.execute(
            "select year, organisations, marked_organisations, objectivity_index from mart.mart_objectivity__index "
            "where object_level = 'region' order by year"
        ).fetchall()
        marked = dict(
            connection.execute(
                "select year, count(distinct organisation_code) from mart.mart_objectivity__marker "
                "where is_marked group by 1"
            ).fetchall()
        )
        seen = dict(
            connection.execute(
                "select year, count(distinct organisation_code) from mart.mart_objectivity__marker group by 1"
            ).fetchall()
        )
    assert [year for year, *_ in rows] == [2020, 2021]
    for year, organisations, marked_organisations, index in rows:
        assert (organisations, marked_organisations) == (seen[year], marked[year])
        assert float(index) == pytest.approx(100 - 100 * marked[year] / seen[year], abs=1e-4)


def test_a_value_is_traced_to_files(warehouse: Settings) -> None:
    """From a mart row to the core rows behind it, their loads and the names of the files."""
    with psycopg.connect(warehouse.database_url) as connection:
        rows = connection.execute(
            """
            select marker.n, count(*), array_agg(distinct delivery.file_name)
            from mart.mart_objectivity__marker as marker
            inner join core.dim_organisation_code as code using (region_code, organisation_code)
            inner join core.fct_assessment_result as result
                on result.region_code = code.region_code
                and result.code_system = code.code_system
                and result.source_organisation_code = code.code
                and result.year = marker.year and result.procedure_code = 'vpr'
                and result.grade = 4 and result.subject_code = 'RU'
            inner join meta.load using (load_id)
            inner join meta.delivery using (delivery_id)
            where marker.marker_code = 'inflated_mean_vpr_ru4' and marker.year = 2021 and marker.is_marked
                and result.primary_score is not null
            group by marker.organisation_code, marker.n
            """
        ).fetchall()
    assert rows
    for n, counted, files in rows:
        assert (counted, files) == (n, ["vpr_2021_g4_RU.csv.gz"])


def test_every_workbook_and_export_gets_its_answer(settings: Settings, shared: Path) -> None:
    """The original workbooks and the exports of ФИС ОКО and РЦОИ: all load, the empty form is told that it is empty."""
    files = [
        *sorted((shared / "data/vpr_altai/raw_xlsx").iterdir()),
        *sorted((shared / "data/fisoko_exports").iterdir()),
    ]
    outcomes = {outcome.file_name: outcome for outcome in pipeline.load(settings, files)}
    assert len(outcomes) == 14
    form = outcomes.pop("collection_form_EN8_2026_empty.xlsx")
    assert form.status == "rejected"
    assert "пустая" in (form.message or "")
    assert {name: outcome.message for name, outcome in outcomes.items() if outcome.status != "published"} == {}
