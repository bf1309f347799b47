"""Dossiers: a school whose pupils all wrote the same has a page that says so, and says no more than the marts do."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from warehouse import VPR_HEADER, ask, installation, participant, target, template, write_csv

from dbt_project.runner import build
from rsoko.base.settings import Settings
from rsoko.ops import pipeline
from rsoko.publish import dossier

TWINS, ONE_CLASS = "edu990000", "edu990001"
MARTS = " ".join(f"+mart_objectivity__{mart}" for mart in ("dossier", "item", "score", "mark_pair", "class"))


def work(path: Path, chance: random.Random) -> Path:
    """Twenty-four schools of twenty pupils; the first all have the same scores, of the second one class of two."""
    header = [*VPR_HEADER[:4], *(f"{number} (1б)" for number in range(1, 9)), *VPR_HEADER[7:]]
    rows = []
    for school in range(24):
        for pupil in range(20):
            is_second = pupil % 2 == 1
            scores = [int(chance.random() < 0.6) for _ in range(8)]
            if school == 0 or (school == 1 and is_second):
                scores = [1, 0, 1, 1, 0, 1, 0, 1]
            row = participant(71000 + pupil, scores, school=f"edu99{school:04d}")
            row[header.index("Наименование класса")] = "" if school == 0 else "5Б" if is_second else "5А"
            rows.append(row)
    return write_csv(path, rows, header=header)


@pytest.fixture(scope="module")
def warehouse(server: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Two years of a work; a school of twins has explained itself in both, and was rechecked after the first."""
    folder, chance = tmp_path_factory.mktemp("dossier"), random.Random(7)
    named = {"organisation_code": TWINS, "grade": 5, "subject_code": "русский язык"}
    explanations = [
        {**named, "year": 2024, "reason_code": "ошибка ввода", "decision": "перепроверка",
         "public_comment": "Строка скопирована при вводе"},
        {**named, "year": 2023, "reason_code": "нарушение порядка", "decision": "профилактика"},
    ]  # fmt: skip
    rechecks = [
        {**named, "year": 2023, "rechecked_by": "региональная", "participant_code": 71000 + pupil, "school_score": 5,
         "recheck_score": again}
        for pupil, again in enumerate((5, 1, 1))
    ]  # fmt: skip
    scale = {"grade": 5, "subject_code": "русский язык", "year_from": 2023, "max_score": 8,
             "min_score_3": 3, "min_score_4": 5, "min_score_5": 7}  # fmt: skip
    with installation(server, folder / "home") as settings:
        files = [
            ("mark_scale", template(folder / "Шкала.csv", "mark_scale", [scale])),
            ("vpr", work(folder / "vpr_2023_g5_RU.csv", chance)),
            ("vpr", work(folder / "vpr_2024_g5_RU.csv", chance)),
            ("objectivity_explanation", template(folder / "Пояснения.csv", "objectivity_explanation", explanations)),
            ("recheck", template(folder / "Перепроверка.csv", "recheck", rechecks)),
        ]
        for source, path in files:
            [outcome] = pipeline.load(settings, [path], source)
            assert outcome.published, outcome.message
        build(settings.database_url, select=MARTS, target_path=target(settings))
        yield settings


def words_of(page: str) -> str:
    return " ".join(re.sub(r"<style>.*?</style>|<svg.*?</svg>|<[^>]+>", " ", page, flags=re.DOTALL).split())


@pytest.fixture(scope="module")
def page(warehouse: Settings, tmp_path_factory: pytest.TempPathFactory) -> str:
    with psycopg.connect(warehouse.database_url) as connection:
        paths = dossier.write(connection, 99, tmp_path_factory.mktemp("pages"), year=2024, organisation_code=TWINS)
    assert [path.name for path in paths] == ["index.html", f"2024_{TWINS}.html"]
    assert f'href="2024_{TWINS}.html"' in paths[0].read_text("utf-8")
    return paths[1].read_text("utf-8")


def test_the_record_tells_what_was_seen_and_what_the_school_answered(warehouse: Settings) -> None:
    query = (
        "select flag, mechanism, n, explanation_reason, explanation_decision, official_checked, is_listed_federal "
        "from mart.mart_objectivity__dossier where year = 2024 and organisation_code = %s"
    )
    [(flag, mechanism, n, *answer)] = ask(warehouse, query, TWINS)
    assert (flag, n) == ("red", 20)
    assert mechanism in {"sim_dup", "sim_pairs"}
    assert answer[:2] == ["entry_error", "recheck"]
    assert answer[2] > 0
    assert answer[3] is None, "no list was delivered: that is not the same as not being on it"


def test_the_page_explains_itself(warehouse: Settings, page: str) -> None:
    query = "select sim_dup_k from mart.mart_objectivity__sign where year = 2024 and organisation_code = %s"
    assert ask(warehouse, query, TWINS) == [(20 * 19 // 2,)]
    text = words_of(page)
    for words in (
        "просим перепроверить", "Что замечено", "Как часто такое бывает случайно", "Чем это может объясняться",
        "Как дать пояснение", "Что говорят опубликованные правила", "Строка скопирована при вводе", "История",
        "не вывод о нарушении", "вся организация рассмотрена как один класс",
    ):  # fmt: skip
        assert words in text
    record = "select pool_q, is_pooled from mart.mart_objectivity__dossier where year = 2024 and organisation_code = %s"
    [(pool_q, is_pooled)] = ask(warehouse, record, TWINS)
    assert is_pooled == (pool_q <= 0.1) == ("повторяются в других работах организации" in text)
    assert page.count("<svg") == 4
    assert "NaN" not in page
    assert "None" not in text


def test_the_page_says_in_which_class_it_is(warehouse: Settings, tmp_path: Path) -> None:
    query = """
        select class_label, n, sim_dup_k, sim_dup_p < 0.001, sim_pairs_p < 0.001 from mart.mart_objectivity__class
        where year = 2024 and organisation_code = %s order by class_label
    """
    (*honest, honest_dup, honest_pairs), (*same, same_dup, _) = ask(warehouse, query, ONE_CLASS)
    assert (honest[:2], same) == (["5А", 10], ["5Б", 10, 10 * 9 // 2])
    assert same_dup
    assert not honest_dup
    assert not honest_pairs
    with psycopg.connect(warehouse.database_url) as connection:
        page = dossier.write(connection, 99, tmp_path, year=2024, organisation_code=ONE_CLASS)[1].read_text("utf-8")
    assert re.search(r"прежде всего класс 5Б — (одинаковых|похожих) пар 45 при ожидаемых", words_of(page))


def test_classes_together_are_the_school(warehouse: Settings) -> None:
    queries = [
        """
        select organisation_code, year, sum(n), sum(sim_dup_k), sum(sim_pairs_k), sum(at_boundary), sum(below_boundary),
            sum(journal_compared), sum(journal_agreed)
        from mart.mart_objectivity__class group by organisation_code, year
        """,
        """
        select sign.organisation_code, sign.year, sign.n, sign.sim_dup_k, sign.sim_pairs_k, score.at_boundary,
            score.below_boundary, pair.journal_compared, pair.journal_agreed
        from mart.mart_objectivity__sign as sign
        inner join (
            select organisation_code, year,
                coalesce(sum(participants) filter (where primary_score in (3, 5, 7)), 0) as at_boundary,
                coalesce(sum(participants) filter (where primary_score in (2, 4, 6)), 0) as below_boundary
            from mart.mart_objectivity__score group by organisation_code, year
        ) as score using (organisation_code, year)
        inner join (
            select organisation_code, year, sum(participants) as journal_compared,
                coalesce(sum(participants) filter (where journal_mark = mark), 0) as journal_agreed
            from mart.mart_objectivity__mark_pair group by organisation_code, year
        ) as pair using (organisation_code, year)
        """,
    ]
    classes, schools = (set(ask(warehouse, query)) for query in queries)
    assert len(schools) == 2 * 24
    assert classes == schools
    record = "select journal_compared, journal_agreed from mart.mart_objectivity__dossier where organisation_code = %s"
    # All twins got 5 of 8, a «4», and have a «4» in the journal.
    assert ask(warehouse, record, TWINS) == [(20, 20)] * 2


def test_the_page_tells_what_came_of_earlier_signs(page: str) -> None:
    history = words_of(page).partition("История: 2022–2024")[2]
    assert history.startswith(
        " Процедура, предмет, класс 2022 2023 2024 ВПР: Русский язык,&nbsp;5 — перепроверить участников 20"
    )
    assert "пояснение: нарушение порядка; решение: профилактика" in history
    assert "пояснение: ошибка ввода; решение: перепроверка" in history
    assert "перепроверено работ 3, больше допустимого поставлено в 2" in history


def test_the_page_names_no_pupil_and_needs_no_network(page: str) -> None:
    assert not re.search(r"\b710\d\d\b", re.sub(r"<svg.*?</svg>", "", page, flags=re.DOTALL))
    assert not re.search(r"(src|href)=[\"']https?:", page)


def test_the_same_marts_make_the_same_page(warehouse: Settings, page: str, tmp_path: Path) -> None:
    with psycopg.connect(warehouse.database_url) as connection:
        paths = dossier.write(connection, 99, tmp_path / "again", year=2024, organisation_code=TWINS)
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
