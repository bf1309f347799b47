"""Who is meant: one pupil's exams of a year, one organisation under several codes, one person under several keys."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from conftest import ROOT
from warehouse import ask, installation, target

from dbt_project.runner import build
from rsoko.base.settings import Settings
from rsoko.ops import pipeline

CASES = ROOT / "tests" / "cases" / "resit_and_registers"
MODELS = "+mart_objectivity__exam_result"


@pytest.fixture(scope="module")
def warehouse(server: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """The fictional files of the cases, the later exam delivered before the earlier one."""
    with installation(server, tmp_path_factory.mktemp("identity")) as settings:
        for files in (["organisation/reg.csv", "gia/02_2024.06.25.csv"], ["gia/02_2024.06.06.csv"]):
            outcomes = pipeline.load(settings, [CASES / file for file in files])
            assert {outcome.status for outcome in outcomes} == {"published"}
        build(settings.database_url, select=MODELS, tests="none", target_path=target(settings))
        yield settings


def test_an_exam_that_was_missed_erases_no_result(warehouse: Settings) -> None:
    """Ten pupils have a «4» of 6 June; one of them was absent on 25 June, when an eleventh came."""
    query = """
        select participants, n, without_result, retaken, first_mean_mark, final_mean_mark
        from mart.mart_objectivity__exam_result
        where object_level = 'organisation'
    """
    assert ask(warehouse, query) == [(11, 11, 0, 0, 4, 4)]
    assert ask(warehouse, "select count(*) from core.fct_assessment_result") == [(12,)]
