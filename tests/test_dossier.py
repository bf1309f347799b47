"""Dossiers: a school whose pupils all wrote the same has a page that says so, and says no more than the marts do."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from warehouse import ask, installation, participant, template, write_csv

from bi import dossier
from dbt_project.runner import build
from ingest import pipeline
from ingest.settings import Settings

TWINS = "edu990000"
MARTS = "+mart_objectivity__dossier +mart_objectivity__item +mart_objectivity__score +mart_objectivity__mark_pair"


@pytest.fixture(scope="module")
def warehouse(server: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Twelve schools of twenty pupils; those of the first all have the same scores, and it has explained itself."""
    folder, chance = tmp_path_factory.mktemp("dossier"), random.Random(7)
    rows = []
    for school in range(12):
        for pupil in range(20):
            scores = [int(chance.random() < 0.6), chance.randint(0, 2), chance.randint(0, 3)]
            rows.append(participant(71000 + pupil, scores if school else [0, 2, 1], school=f"edu99{school:04d}"))
    explanation = {
        "year": 2024, "organisation_code": TWINS, "grade": 5, "subject_code": "русский язык",
        "reason_code": "ошибка ввода", "decision": "перепроверка", "public_comment": "Строка скопирована при вводе",
    }  # fmt: skip
    with installation(server, folder / "home") as settings:
        files = {
            "vpr": write_csv(folder / "vpr_2024_g5_RU.csv", rows),
            "objectivity_explanation": template(folder / "Пояснения.csv", "objectivity_explanation", [explanation]),
        }
        for source, path in files.items():
            [outcome] = pipeline.load(settings, [path], source)
            assert outcome.published, outcome.message
        build(settings.database_url, select=MARTS, target_path=folder / "dbt")
        yield settings


@pytest.fixture(scope="module")
def page(warehouse: Settings, tmp_path_factory: pytest.TempPathFactory) -> str:
    with psycopg.connect(warehouse.database_url) as connection:
        paths = dossier.write(connection, 99, tmp_path_factory.mktemp("pages"), organisation_code=TWINS)
    assert [path.name for path in paths] == ["index.html", f"2024_{TWINS}.html"]
    assert f'href="2024_{TWINS}.html"' in paths[0].read_text("utf-8")
    return paths[1].read_text("utf-8")


def test_the_record_tells_what_was_seen_and_what_the_school_answered(warehouse: Settings) -> None:
    query = (
        "select flag, mechanism, n, explanation_reason, explanation_decision, official_checked, is_listed_federal "
        "from mart.mart_objectivity__dossier where organisation_code = %s"
    )
    [(flag, mechanism, n, *answer)] = ask(warehouse, query, TWINS)
    assert (flag, n) == ("red", 20)
    assert mechanism in {"sim_dup", "sim_pairs"}
    assert answer[:2] == ["entry_error", "recheck"]
    assert answer[2] > 0
    assert answer[3] is None, "no list was delivered: that is not the same as not being on it"


def test_the_page_explains_itself(warehouse: Settings, page: str) -> None:
    [(k,)] = ask(warehouse, "select sim_dup_k from mart.mart_objectivity__sign where organisation_code = %s", TWINS)
    assert k == 20 * 19 // 2
    text = re.sub(r"<style>.*?</style>|<svg.*?</svg>|<[^>]+>", " ", page, flags=re.DOTALL)
    for words in (
        "просим перепроверить", "Что замечено", "Как часто такое бывает случайно", "Чем это может объясняться",
        "Как дать пояснение", "Что говорят опубликованные правила", "Строка скопирована при вводе", "История",
        "не вывод о нарушении",
    ):  # fmt: skip
        assert words in text
    assert page.count("<svg") == 4
    assert "NaN" not in page
    assert "None" not in text


def test_the_page_names_no_pupil_and_needs_no_network(page: str) -> None:
    assert not re.search(r"\b710\d\d\b", re.sub(r"<svg.*?</svg>", "", page, flags=re.DOTALL))
    assert not re.search(r"(src|href)=[\"']https?:", page)


def test_the_same_marts_make_the_same_page(warehouse: Settings, page: str, tmp_path: Path) -> None:
    with psycopg.connect(warehouse.database_url) as connection:
        paths = dossier.write(connection, 99, tmp_path / "again", organisation_code=TWINS)
        assert dossier.write(connection, 99, tmp_path / "none", year=1999) == []
    assert paths[1].read_text("utf-8") == page
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("p", "words"),
    [
        (None, "не определено"), (0.7, "обычное дело"), (0.1, "примерно один случай на 10"),
        (0.000123, "примерно один случай на 8 100"), (1e-12, "реже одного случая на 1 000 000"),
    ],
)  # fmt: skip
def test_chance_in_words(p: float | None, words: str) -> None:
    assert dossier.chance(p).replace("\u00a0", " ") == words
