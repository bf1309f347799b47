"""Tasks and school contexts of the sample region are what the region was made of, in any order of delivery."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from warehouse import ask, dump, installation, target

from dbt_project.runner import build
from rsoko.base.settings import Settings
from rsoko.ops import pipeline
from sample_region import generate
from sample_region.region import YEARS, Region
from sample_region.region import build as build_region
from sample_region.works import OGE, vpr_works

SOURCES = (
    "municipality", "organisation", "vpr", "gia", "task_catalogue", "codifier", "mark_scale", "textbook",
    "school_context",
)  # fmt: skip
MODELS = ("dim_task", "dim_school_context", "dim_codifier", "dim_textbook")
SEED, SCALE = 20261, 0.1


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    target = tmp_path_factory.mktemp("region")
    generate.write(target, seed=SEED, scale=SCALE)
    found = [file for source in SOURCES for file in sorted((target / "inbox" / source).glob("*"))]
    return [file for file in found if not file.name.endswith(".yml")]


@pytest.fixture(scope="module")
def region() -> Region:
    return build_region(SEED, SCALE)


def built(settings: Settings, files: list[Path]) -> None:
    assert [o.message for o in pipeline.load(settings, files) if o.status not in ("published", "superseded")] == []
    select = " ".join(f"+{model}" for model in (*MODELS, "int_work__region_scale"))
    build(settings.database_url, select=select, target_path=target(settings))


@pytest.fixture(scope="module")
def warehouse(server: Settings, files: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    with installation(server, tmp_path_factory.mktemp("tasks")) as settings:
        built(settings, files)
        yield settings


def test_items_are_those_of_the_works(warehouse: Settings) -> None:
    """Labels and maxima by codifier or catalogue of the year; kinds as stated in the last year, else assumed."""
    found = {}
    for year, grade, subject, number, label, maximum, source, kind, status in ask(
        warehouse,
        "select year, grade, subject_code, item_no, item_label, max_score, max_score_source, item_kind, "
        "item_kind_status from core.dim_task where procedure_code = 'vpr'",
    ):
        found[year, grade, subject, number] = (label, maximum, source, kind, status)
    expected = {}
    for year in YEARS:
        for work in vpr_works(year):
            for number, (label, maximum) in enumerate(work.items, 1):
                if year != YEARS[-1]:
                    label = label.replace("(", ".").replace(")", "")
                kind = "expert" if maximum > 1 or "К" in label else "short"
                status = "stated" if year == YEARS[-1] else "assumed"
                expected[year, work.grade, work.subject, number] = (label, maximum, "catalogue", kind, status)
    assert found == expected


def test_exams_without_a_catalogue_are_known_by_their_files(warehouse: Settings) -> None:
    query = (
        "select item_kind, count(*), sum(max_score) from core.dim_task "
        "where (procedure_code, subject_code, year) = ('oge', %s, %s) group by 1 order by 1"
    )
    for exam in OGE:
        assert ask(warehouse, query, exam.subject, YEARS[0]) == [
            ("expert", len(exam.long), sum(exam.long)), ("short", len(exam.short), sum(exam.short)),
        ]  # fmt: skip


def test_content_codes_have_names(warehouse: Settings) -> None:
    unnamed = ask(
        warehouse,
        "select count(*), count(codifier.title) from core.dim_task as task "
        "cross join lateral unnest(string_to_array(task.content_code, ', ')) as content (code) "
        "left join core.dim_codifier as codifier on (codifier.region_code, codifier.grade, codifier.subject_code, "
        "codifier.codifier_kind, codifier.code) = (task.region_code, task.grade, task.subject_code, 'content', "
        "content.code)",
    )
    ((codes, named),) = unnamed
    assert codes == named > 0


def test_schools_are_compared_with_their_like(warehouse: Settings, region: Region) -> None:
    found = {
        (login, year): (group, index)
        for login, year, group, index in ask(
            warehouse, "select organisation_code, year, context_group, social_index from core.dim_school_context"
        )
    }
    for school in region.schools:
        selective = school.kind in ("gymnasium", "lyceum")
        group = "selective" if selective else "urban" if school.urban else "rural"
        for year in YEARS:
            assert found[school.login, year][0] == group
    assert len(found) == len(region.schools) * len(YEARS)
    for year in YEARS[1:]:
        told = [float(found[school.login, year][1]) for school in region.schools if school.open_in(year)]
        assert sum(told) == pytest.approx(0, abs=0.01)
        assert sum(z * z for z in told) == pytest.approx(len(told) - 1, rel=0.01)


def test_scales_of_the_region_agree_with_the_seed(warehouse: Settings) -> None:
    found = ask(
        warehouse,
        "select is_same, count(*) from core.int_work__region_scale where scale_source = 'region' group by 1 order by 1",
    )
    # The seed ends in 2024 for all works but Russian of grade 4.
    assert found == [(True, 9), (None, 3)]
    unknown = "select count(*) from core.int_work__region_scale where procedure_code = 'vpr' and min_score_3 is null"
    assert ask(warehouse, unknown) == [(0,)]


def test_order_of_delivery_changes_nothing(
    server: Settings, warehouse: Settings, files: list[Path], tmp_path_factory: pytest.TempPathFactory
) -> None:
    shuffled = random.Random(7).sample(files, len(files))
    with installation(server, tmp_path_factory.mktemp("shuffled")) as other:
        built(other, shuffled)
        for model in MODELS:
            assert dump(other, f"select * from core.{model}") == dump(warehouse, f"select * from core.{model}")
