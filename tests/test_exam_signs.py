"""Signs of exams: the same answers give the same numbers as in ВПР, and a room that wrote together is found."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg
import pytest
from warehouse import GIA_HEADER, VPR_HEADER, ask, installation, target, template, write_csv

from dbt_project.runner import build
from rsoko.base.settings import Settings
from rsoko.ops import pipeline
from rsoko.publish import dossier

ITEMS, SCHOOLS, PUPILS = 14, 16, 20
SCALE = {"max_score": ITEMS, "min_score_3": 5, "min_score_4": 8, "min_score_5": 11, "year_from": 2024, "year_to": 2024}
DETECTORS = ("profile", "misfit", "boundary", "sim_dup", "sim_pairs")


@dataclass(frozen=True)
class Paper:
    """One participant: rooms hold sixteen, four of each of four schools."""

    school: int
    number: int
    scores: tuple[int, ...]

    @property
    def room(self) -> str:
        return f"{self.school // 4 + 1:02d}{self.number // 4 + 1:02d}"

    @property
    def mark(self) -> int:
        return 2 + sum(sum(self.scores) >= SCALE[f"min_score_{mark}"] for mark in (3, 4, 5))


def papers() -> list[Paper]:
    """Answers of one region: abilities and difficulties differ, nobody helps anybody."""
    chance = random.Random(5)

    def answers() -> tuple[int, ...]:
        ability = chance.gauss(0, 0.15)
        return tuple(int(chance.random() < 0.85 - 0.05 * item + ability) for item in range(ITEMS))

    return [Paper(school, number, answers()) for school in range(SCHOOLS) for number in range(PUPILS)]


def exam(path: Path, written: list[Paper]) -> Path:
    rows = []
    for paper in written:
        mask = "".join("-+"[score] for score in paper.scores)
        named = [f"Фамилия{paper.school}", f"Имя{paper.number}", "", "9900", 100 * paper.school + paper.number]
        points = sum(paper.scores)
        rows.append([990101 + paper.school, "9А", 12, paper.room, 1, *named, mask, "", points, paper.mark, ""])
    return write_csv(path, rows, header=GIA_HEADER)


def work(path: Path, written: list[Paper]) -> Path:
    header = [*VPR_HEADER[:4], *(f"{item + 1} (1б)" for item in range(ITEMS)), *VPR_HEADER[-4:]]
    rows = [
        [f"edu99{paper.school:04d}", "20.05.2024 10:00:00", 1000 + paper.number, 1, *paper.scores,
         f"5{'АБВГД'[paper.number // 4]}", "", "", sum(paper.scores)]
        for paper in written
    ]  # fmt: skip
    return write_csv(path, rows, header=header)


@pytest.fixture
def warehouse(server: Settings, tmp_path: Path) -> Iterator[Settings]:
    with installation(server, tmp_path / "home") as settings:
        yield settings


def signs(settings: Settings, mart: str, named: str) -> list[tuple[object, ...]]:
    columns = ", ".join(f"{detector}_z" for detector in DETECTORS)
    counts = "sim_dup_k, sim_dup_lambda, sim_pairs_k, sim_pairs_lambda"
    return ask(settings, f"select n, {columns}, {counts} from mart.mart_objectivity__{mart} order by {named}")


def test_an_exam_is_judged_as_a_work_is(warehouse: Settings, tmp_path: Path) -> None:
    written = papers()
    copied = [replace(paper, scores=written[0].scores) if paper.number < 3 else paper for paper in written[:PUPILS]]
    written = [*copied, *written[PUPILS:]]
    scales = [
        {"procedure_code": "ВПР", "grade": 5, "subject_code": "Математика", **SCALE},
        {"procedure_code": "ОГЭ", "grade": 9, "subject_code": "Математика", **SCALE},
    ]
    pipeline.load(warehouse, [template(tmp_path / "scale.csv", "mark_scale", scales)], "mark_scale")
    pipeline.load(warehouse, [exam(tmp_path / "02_2024.06.06.csv", written)], "gia")
    pipeline.load(warehouse, [work(tmp_path / "vpr_2024_g5_MA.csv", written)], "vpr")
    build(warehouse.database_url, tests="none", target_path=target(warehouse))
    as_exam = signs(warehouse, "exam_sign", "organisation_code")
    assert len(as_exam) == SCHOOLS
    assert all(value is not None for row in as_exam for value in row)
    assert as_exam == signs(warehouse, "sign", "organisation_code")


def test_a_room_that_wrote_together(warehouse: Settings, tmp_path: Path) -> None:
    written = papers()
    model = next(paper for paper in written if paper.room == "0203" and 5 <= sum(paper.scores) <= 10)
    # Three of each of four schools: no school has a sign of its own.
    together = [paper for paper in written if paper.room == "0203" and paper.number % 4 < 3]
    spoiled = [replace(paper, scores=model.scores) if paper in together else paper for paper in written]
    alone = [replace(paper, number=92 + paper.number) for paper in written[:3]]
    pipeline.load(warehouse, [exam(tmp_path / "02_2024.06.06.csv", [*spoiled, *alone])], "gia")
    build(warehouse.database_url, tests="none", target_path=target(warehouse))
    rooms = ask(
        warehouse,
        "select room_code, n, flag, mechanism, score is null from mart.mart_objectivity__exam_room"
        " where procedure_code = 'oge' and station_code = '12' and exam_date = '2024-06-06'",
    )
    assert len(rooms) == SCHOOLS // 4 * PUPILS // 4 + 1
    assert [(room, n) for room, n, flag, *_ in rooms if flag == "red"] == [("0203", 16)]
    assert next(mechanism for room, _, _, mechanism, _ in rooms if room == "0203") in ("sim_dup", "sim_pairs")
    assert [(room, n, empty) for room, n, flag, _, empty in rooms if flag == "insufficient"] == [("0124", 3, True)]
    assert not ask(warehouse, "select from mart.mart_objectivity__sign")


def test_a_sign_of_an_exam_has_its_page(warehouse: Settings, tmp_path: Path) -> None:
    written = papers()
    written = [replace(paper, scores=written[4].scores) if paper.school == 0 else paper for paper in written]
    pipeline.load(warehouse, [exam(tmp_path / "02_2024.06.06.csv", written)], "gia")
    build(warehouse.database_url, tests="none", target_path=target(warehouse))
    [(organisation, procedure)] = ask(
        warehouse, "select organisation_code, procedure_code from mart.mart_objectivity__dossier where flag = 'red'"
    )
    assert (organisation, procedure) == ("ris-990101", "oge")
    answer = {
        "procedure_code": "ОГЭ", "year": 2024, "grade": 9, "subject_code": "Математика",
        "organisation_code": organisation, "reason_code": "нарушение порядка", "decision": "профилактика",
    }  # fmt: skip
    file = template(tmp_path / "e.csv", "objectivity_explanation", [answer])
    assert [outcome.message for outcome in pipeline.load(warehouse, [file]) if not outcome.published] == []
    build(warehouse.database_url, tests="none", target_path=target(warehouse))
    with psycopg.connect(warehouse.database_url) as connection:
        pages = dossier.write(connection, 99, tmp_path / "pages", year=2024, organisation_code=organisation)
    text = " ".join(
        re.sub(r"<style>.*?</style>|<svg.*?</svg>|<[^>]+>", " ", pages[1].read_text(), flags=re.DOTALL).split()
    )
    for words in ("ОГЭ: Математика, 9 класс", "Пояснение получено: нарушение порядка", "Решение: профилактика"):
        assert words in text
    assert "None" not in text
