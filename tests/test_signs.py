"""Statistical signs: tails against scipy, one corrected work recomputes alone, order does not matter."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
import psycopg
import pytest
from conftest import ROOT
from scipy import stats
from warehouse import ask, dump, installation, participant, target, write_csv

from dbt_project.runner import build
from rsoko.base.settings import Settings
from rsoko.ops import pipeline


@pytest.fixture(scope="module")
def macros() -> Any:
    """The macros of the distributions; they need nothing of dbt."""
    text = (ROOT / "dbt_project" / "macros" / "distributions.sql").read_text("utf-8")
    return jinja2.Environment(extensions=["jinja2.ext.do"]).from_string(text).module


def computed(server: Settings, expression: str, values: list[float]) -> list[float]:
    with psycopg.connect(server.database_url) as connection:
        query = f"select {expression} from unnest(%s::double precision[]) with ordinality as t(x, n) order by n"
        return [row[0] for row in connection.execute(query, (values,))]  # type: ignore[call-overload]


def test_tails_are_right_far_out(server: Settings, macros: Any) -> None:
    z = [-9.0, -3.0, -0.5, 0.0, 0.4, 1.0, 2.33, 3.09, 5.0, 7.94, 12.0]
    assert computed(server, macros.normal_tail("x"), z) == pytest.approx(list(stats.norm.sf(z)), rel=1e-6)
    p = [1 - 1e-9, 0.99, 0.93, 0.6, 0.5, 0.2, 0.07, 1e-3, 1e-8, 1e-15, 1e-100]
    assert computed(server, macros.normal_quantile("x"), p) == pytest.approx(list(stats.norm.isf(p)), rel=1e-6)
    t = [-60.0, -5.0, -1.0, 0.0, 1.0, 3.0, 4.999, 5.001, 8.0, 20.0, 55.0]
    assert computed(server, macros.student_12_tail("x"), t) == pytest.approx(list(stats.t.sf(t, 12)), rel=1e-5)


def test_mid_p_of_counts(server: Settings, macros: Any) -> None:
    grid = [
        (k, mean, phi)
        for mean in (0.003, 0.5, 3.0, 40.0, 400.0)
        for phi in (0.0, 0.02, 0.5, 8.0)
        for k in sorted({0, 1, 2, int(mean), int(mean) + 1, int(2 * mean) + 3, int(mean + 9 * math.sqrt(mean)) + 4})
    ]
    query = macros.negative_binomial_mid_p("given", "no")
    with psycopg.connect(server.database_url) as connection:
        connection.execute("create temporary table given (no int, k int, lambda numeric, phi numeric)")
        with connection.cursor() as cursor:
            cursor.executemany("insert into given values (%s, %s, %s, %s)", [(n, *row) for n, row in enumerate(grid)])
        found = dict(connection.execute(f"select no, mid_p from ({query}) as answer").fetchall())  # type: ignore[call-overload]
    for number, (k, mean, phi) in enumerate(grid):
        law = stats.nbinom(1 / phi, 1 / (1 + phi * mean)) if phi else stats.poisson(mean)
        expected = float(law.sf(k) + law.pmf(k) / 2)
        if expected > 1e-15:
            assert found[number] == pytest.approx(expected, rel=1e-4), (k, mean, phi)


@pytest.fixture
def warehouse(server: Settings, tmp_path: Path) -> Iterator[Settings]:
    with installation(server, tmp_path / "home") as settings:
        yield settings


def work(path: Path, seed: int, *, twins: bool = False) -> Path:
    """Twelve schools of twenty pupils; with `twins` the first school's pupils all wrote the same."""
    chance = random.Random(seed)
    rows = []
    for school in range(12):
        for pupil in range(20):
            scores = [int(chance.random() < 0.6), chance.randint(0, 2), chance.randint(0, 3)]
            if twins and school == 0:
                scores = [0, 2, 1]
            rows.append(participant(1000 + pupil, scores, school=f"edu99{school:04d}", variant=1 + pupil % 2))
    return write_csv(path, rows)


SIGNS = "select * from mart.mart_objectivity__sign"


def test_one_corrected_work_recomputes_alone(server: Settings, warehouse: Settings, tmp_path: Path) -> None:
    files = [work(tmp_path / name, seed) for seed, name in enumerate(("vpr_2024_g5_MA.csv", "vpr_2024_g6_RU.csv"))]
    pipeline.load(warehouse, files, "vpr")
    build(warehouse.database_url, tests="none", target_path=target(warehouse))

    def held(grade: int) -> set[tuple[Any, ...]]:
        tables = ("participant", "item_curve", "item_deviation", "misfit", "string_class", "pair_count")
        return {
            (table, *row)
            for table in tables
            for row in ask(
                warehouse,
                f"select held.ctid::text, held.xmin::text from core.int_sign__{table} as held"
                f" inner join core.int_sign__test using (region_code, test_id) where grade = {grade}",
            )
        }

    before = {grade: held(grade) for grade in (5, 6)}
    assert all(before.values())
    corrected = work(tmp_path / "later" / "vpr_2024_g5_MA.csv", 7, twins=True)
    pipeline.load(warehouse, [corrected], "vpr")
    build(warehouse.database_url, tests="none", target_path=target(warehouse))
    assert held(6) == before[6]
    assert not held(5) & before[5]
    flagged = ask(
        warehouse,
        "select organisation_code, mechanism from mart.mart_objectivity__sign where grade = 5 and flag = 'red'",
    )
    assert [school for school, _ in flagged] == ["edu990000"]
    assert flagged[0][1] in ("sim_dup", "sim_pairs", "profile", "misfit")

    with installation(server, tmp_path / "other") as other:
        for file in (corrected, files[1]):
            pipeline.load(other, [file], "vpr")
        build(other.database_url, tests="none", target_path=target(other))
        assert dump(other, SIGNS) == dump(warehouse, SIGNS)


def test_small_groups_have_no_verdict(warehouse: Settings, tmp_path: Path) -> None:
    rows = [participant(1000 + n, (1, 1, 1), school="edu990001") for n in range(4)]
    rows += [participant(1000 + n, (n % 2, n % 3, 2), school="edu990002") for n in range(9)]
    pipeline.load(warehouse, [write_csv(tmp_path / "vpr_2024_g5_MA.csv", rows)], "vpr")
    build(warehouse.database_url, tests="none", target_path=target(warehouse))
    found = ask(
        warehouse, "select organisation_code, n, flag, score, p, mechanism, profile_z from mart.mart_objectivity__sign"
    )
    small, large = sorted(found)
    assert small == ("edu990001", 4, "insufficient", None, None, None, None)
    assert large[1] == 9
    assert large[2] in ("none", "amber")
    assert np.isfinite(float(large[3]))
