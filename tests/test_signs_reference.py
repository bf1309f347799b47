"""The signs of dbt are those of the formulas, and simulated regions are what they say they are."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl
import pytest
from warehouse import ask, installation, target

from bench.calibrate import files, metrics, product
from bench.calibrate.manipulation import INTENSITIES, KINDS, SCOPES, Deed, apply, plan
from bench.calibrate.region import Region, Settings, Written
from dbt_project import runner
from rsoko.base.settings import Settings as Installation
from rsoko.ops import pipeline
from tests import signs_reference

SMALL = Settings(seed=101, schools=120, years=(2024, 2025), manipulated=0.05)


@pytest.fixture(scope="module")
def region() -> Region:
    return Region(SMALL)


@pytest.fixture(scope="module")
def written(region: Region) -> list[Written]:
    deeds = plan(region)
    works = [region.write(work) for work in region.works()]
    for work in works:
        apply(region, work, deeds)
    return works


def test_the_same_seed_is_the_same_region(region: Region, written: list[Written]) -> None:
    again = region.write(written[0].answers.work)
    apply(region, again, plan(region))
    for name in ("school", "variant", "present", "scores", "journal"):
        assert np.array_equal(getattr(again.answers, name), getattr(written[0].answers, name))
    other = Region(Settings(seed=102, schools=120)).write(written[0].answers.work)
    assert not np.array_equal(other.answers.school, written[0].answers.school)


def test_every_kind_is_planted_at_every_intensity_and_scope() -> None:
    deeds = plan(Region(Settings(seed=1)))
    groups = 1_000 * 9 * 3
    assert 0.02 * groups <= len(deeds) < 0.02 * groups + 9
    planted = {(deed.kind, deed.intensity, deed.scope) for deed in deeds}
    assert len(planted) >= 0.9 * len(KINDS) * len(INTENSITIES) * len(SCOPES)
    assert len({(deed.school, deed.kind) for deed in deeds}) == len({deed.school for deed in deeds})


@pytest.mark.parametrize("kind", KINDS)
def test_a_deed_touches_its_class_alone(kind: str) -> None:
    region = Region(Settings(seed=3, schools=80, manipulated=0))
    work = region.works()[0]
    honest, tampered = region.write(work), region.write(work)
    school = int(np.argmax(region.size))
    apply(region, tampered, [Deed(work.year, work.grade, work.subject, school, kind, "strong", "class", letter=1)])
    changed = (honest.answers.scores != tampered.answers.scores).any(axis=1)
    changed |= honest.answers.present != tampered.answers.present
    assert changed.any()
    assert set(zip(honest.answers.school[changed], honest.letter[changed], strict=True)) == {(school, 1)}
    maxima = tampered.answers.work.maxima
    assert (tampered.answers.scores <= maxima).all()


@pytest.fixture(scope="module")
def built(
    server: Installation, region: Region, written: list[Written], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    """The small region, delivered as files and built."""
    folder = tmp_path_factory.mktemp("region")
    with installation(server, folder / "home") as settings:
        delivered = files.beside(folder, region, region.works())
        delivered["vpr"] = [files.results(folder, region, work) for work in written]
        for source, paths in delivered.items():
            assert {outcome.status for outcome in pipeline.load(settings, paths, source)} == {"published"}
        selected = "+mart_objectivity__sign +mart_objectivity__marker"
        runner.build(settings.database_url, select=selected, tests="none", target_path=target(settings))
        yield settings


def test_the_warehouse_holds_what_was_written(built: Installation, written: list[Written]) -> None:
    counted = ask(
        built,
        "select count(*), count(*) filter (where participation = 'absent' and journal_mark is not null), "
        "sum(primary_score) from core.fct_assessment_result",
    )
    answers = [work.answers for work in written]
    absent = sum(int((~work.present & (work.journal > 0)).sum()) for work in answers)
    assert counted == [
        (
            sum(work.school.size for work in answers),
            absent,
            sum(int(work.totals[work.present].sum()) for work in answers),
        )
    ]


def test_signs_are_those_of_the_formulas(built: Installation, region: Region, written: list[Written]) -> None:
    """Every detector's z before calibration would differ by rounding of curves only; after it a little more."""
    expected = signs_reference.detect([(work.answers, region.context()) for work in written])
    columns = [f"{name}_z" for name in (*signs_reference.DETECTORS, "level")]
    rows = ask(
        built,
        f"select organisation_code, year, grade, subject_code, n, score, flag, mechanism, {', '.join(columns)} "
        "from mart.mart_objectivity__sign where flag <> 'insufficient'",
    )
    code = {name: school for school, name in enumerate(region.codes)}
    found = pl.DataFrame(
        [(code[row[0]], *row[1:5], float(row[5]), *row[6:8], *(None if z is None else float(z) for z in row[8:]))
         for row in rows],
        schema=["school", "year", "grade", "subject", "n", "score", "flag", "mechanism", *columns], orient="row",
        infer_schema_length=None,
    )  # fmt: skip
    keys = metrics.KEY
    both = expected.with_columns(pl.col("year", "grade").cast(pl.Int64)).join(found, on=keys, suffix="_dbt", how="full")
    assert both.height == expected.height == found.height
    assert both["n"].to_list() == both["n_dbt"].to_list()
    for name in (*signs_reference.DETECTORS, "level"):
        ours, theirs = both[f"z_{name}"].to_numpy(), both[f"{name}_z"].to_numpy()
        assert np.array_equal(np.isnan(ours), np.isnan(theirs)), name
        np.testing.assert_allclose(theirs, ours, atol=1e-3, err_msg=name)
    np.testing.assert_allclose(both["score_dbt"].to_numpy(), both["score"].to_numpy(), atol=1e-3)
    assert (both["flag"] == both["flag_dbt"]).mean() > 0.999


def test_too_few_participants_are_insufficient_data(built: Installation, written: list[Written]) -> None:
    few = 0
    for work in written:
        present = work.answers.school[work.answers.present]
        everyone = np.unique(work.answers.school)
        few += int((np.bincount(present, minlength=SMALL.schools)[everyone] < signs_reference.SMALLEST).sum())
    counted = "select count(*) from mart.mart_objectivity__sign where flag = 'insufficient' and score is null"
    assert few > 0
    assert ask(built, counted) == [(few,)]


def test_flags_find_more_and_accuse_less_than_markers(built: Installation, region: Region) -> None:
    groups = metrics.with_truth(product.groups(built, region), region, plan(region))
    found = metrics.measure(groups)
    assert found["macro AUC"] > 0.75
    assert found["red: false discoveries"] < 0.15
    looked = groups.filter(pl.col("marked").is_not_null())
    red = metrics.rule(looked, pl.col("flag") == "red")
    assert red["false positives"] < metrics.rule(looked, pl.col("marked"))["false positives"] / 5


def test_region_without_manipulation_is_not_accused() -> None:
    region = Region(Settings(seed=5, schools=400, years=(2024,), manipulated=0))
    groups = signs_reference.detect([(region.write(work).answers, region.context()) for work in region.works()])
    assert (groups["flag"] == "red").sum() <= 1
    assert (groups["p"] <= 0.01).mean() < 0.012


def test_metrics_of_a_hand_made_region() -> None:
    """Two of three lifted groups are above every honest score; one honest group is red."""
    region = Region(Settings(seed=1, schools=10, manipulated=0))
    deeds = [Deed(2023, 4, "RU", school, "lift", "strong", "subject") for school in range(3)]
    groups = pl.DataFrame(
        {
            "school": range(10), "year": 2023, "grade": 4, "subject": "RU", "score": [9.0, 8, 0, 1, 2, 3, 4, 5, 6, 7],
            "p": [1e-9, 1e-8, 1] + [0.5] * 7, "flag": ["red", "red", "none", "red"] + ["none"] * 6,
            "mechanism": ["boundary", "profile"] + ["boundary"] * 8,
        }
    )  # fmt: skip
    found = metrics.measure(metrics.with_truth(groups, region, deeds))
    assert found["macro AUC"] == pytest.approx(2 / 3)
    assert found["macro recall at 1 % FPR"] == pytest.approx(2 / 3)
    assert found["red: false discoveries"] == pytest.approx(1 / 3)
    assert found["leading mechanism right"] == pytest.approx(1 / 2)
