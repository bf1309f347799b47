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
MODELS = "+mart_objectivity__exam_result +fct_indicator_value"


@pytest.fixture(scope="module")
def warehouse(server: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """The fictional files of the cases, the later exam delivered before the earlier one."""
    with installation(server, tmp_path_factory.mktemp("identity")) as settings:
        monitoring = ["leader/leader.csv", "attestation/att_2024.csv", "survey/s_2024.csv"]
        for files in (["organisation/reg.csv", "gia/02_2024.06.25.csv"], ["gia/02_2024.06.06.csv", *monitoring]):
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


def test_an_organisation_without_a_login_is_one(warehouse: Settings) -> None:
    """A preschool stands in the register by its ИНН, and parents answer under it: gate and core know whose it is."""
    assert ask(warehouse, "select column_name, message from meta.rejection") == []
    values = """
        select distinct object_id from core.fct_indicator_value
        where indicator_code like 'survey_%' and object_level = 'organisation'
    """
    assert ask(warehouse, values) == [("inn-9900000017",)]
    known = "select organisation_name, is_provisional from core.dim_organisation where organisation_code = %s"
    assert ask(warehouse, known, "inn-9900000017") == [("Детский сад Ромашка", False)]


def test_a_leader_is_one_person_by_snils_and_by_name(warehouse: Settings) -> None:
    """The register of leaders has the СНИЛС, the attestation of 2024 the name alone: 80 and 90 points are his."""
    query = """
        select object_id, year, value from core.fct_indicator_value
        where indicator_code = 'leader_competence' and object_level = 'organisation' and year = 2024
    """
    assert ask(warehouse, query) == [("edu990001", 2024, 85)]
