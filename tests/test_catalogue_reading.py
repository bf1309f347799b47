"""Catalogues and contexts as files: what folders, ordinals, nameless columns and tables without a header tell."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from warehouse import ask, template, write_csv, write_workbook

from ingest.load.landing import Landing
from ingest.type.context import from_file_name
from rsoko.base.settings import Settings
from rsoko.contracts.model import load_contract
from rsoko.ops import pipeline

CODIFIER = ["№ КИМ", "№", "Умения, виды деятельности (в соответствии с ФГОС)", "Уровень сложности", "Код КЭС",
            "Максимальный балл за выполнение задания"]  # fmt: skip


def load(settings: Settings, path: Path, source: str | None = None, **options: str) -> pipeline.Outcome:
    return pipeline.load(settings, [path], source, options)[0]


def book(path: Path, rows: list[Sequence[Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    workbook = openpyxl.Workbook()
    for row in rows:
        workbook.worksheets[0].append(list(row))
    workbook.save(path)
    return path


def test_a_folder_tells_grade_and_subject(settings: Settings, tmp_path: Path) -> None:
    rows = [
        ["1K1", "1", "Писать под диктов- ку, со_x0002_блюдая нормы", "П", "2.10", "4"],
        ["2", 2, None, None, 6.0, 1],
    ]
    path = write_workbook(tmp_path / "4/Русский язык/ALL.xlsx", rows, header=CODIFIER, sheet="Лист1")
    outcome = load(settings, path)
    assert (outcome.source, outcome.status, outcome.message) == ("task_catalogue", "published", None)
    columns = "procedure_code, year, grade, subject_code, item_no, item_label, max_score, level, skill, content_code"
    assert ask(settings, f"select {columns} from raw.task_catalogue order by line_no") == [
        ("vpr", None, 4, "RU", 1, "1К1", 4, "advanced", "Писать под диктовку, соблюдая нормы", "2.10"),
        ("vpr", None, 4, "RU", 2, "2", 1, None, None, "6"),
    ]


def test_the_same_bytes_in_another_folder_are_another_work(settings: Settings, tmp_path: Path) -> None:
    rows = [["1", "1", None, "Б", "1", "1"]]
    for grade in (10, 11):
        path = write_workbook(tmp_path / f"{grade}/География/ALL.xlsx", rows, header=CODIFIER, sheet="Лист1")
        path.write_bytes((tmp_path / "10/География/ALL.xlsx").read_bytes())
        assert load(settings, path).status == "published"
    assert ask(settings, "select grade from raw.task_catalogue order by 1") == [(10,), (11,)]


def test_folders_of_the_inbox_tell_too(settings: Settings, tmp_path: Path) -> None:
    path = write_workbook(tmp_path / "ALL.xlsx", [["1", 1, None, "Б", 1, 1]], header=CODIFIER, sheet="Лист1")
    inbox = Path(settings.landing_url.removeprefix("file://")) / "inbox/task_catalogue/5/Математика"
    inbox.mkdir(parents=True)
    path.rename(inbox / "ALL.xlsx")
    (delivery,) = pipeline.scan(settings, "task_catalogue")
    assert pipeline.process(settings, delivery).status == "published"
    assert ask(settings, "select grade, subject_code from raw.task_catalogue") == [(5, "MA")]
    assert Landing(settings.landing_url).waiting("task_catalogue") == []


@pytest.mark.parametrize(
    ("source", "name", "folder", "told"),
    [
        ("task_catalogue", "ALL.xlsx", "4/Окружающий мир", {"grade": "4", "subject_code": "Окружающий мир"}),
        ("task_catalogue", "Кодификатор Математика 5 класс 2024.xlsx", "inbox/task_catalogue",
         {"subject_code": "Математика", "grade": "5", "year": "2024"}),
        ("task_catalogue", "Кодификатор Математика 5 класс.xlsx", "4/Физика",
         {"subject_code": "Математика", "grade": "5"}),
        ("codifier", "KS.xlsx", "8/Химия", {"codifier_kind": "KS", "grade": "8", "subject_code": "Химия"}),
        ("codifier", "КТ Химия 8 класс.xlsx", "", {"codifier_kind": "КТ", "grade": "8", "subject_code": "Химия"}),
        ("mark_scale", "mark_scales_2020_2021.csv", "", {"year_from": "2020", "year_to": "2021"}),
        ("mark_scale", "Шкалы 2025.xlsx", "", {"year_from": "2025"}),
        ("mark_scale", "Отчёт 2025.xlsx", "", {}),
        ("school_context", "context_oo_2022_1_noPD.csv", "", {"year": "2022"}),
        ("vpr", "vpr_2021_g5_MA.csv.gz", "4/Физика", {"year": "2021", "grade": "5", "subject_code": "MA"}),
    ],
)  # fmt: skip
def test_names_and_folders(source: str, name: str, folder: str, told: dict[str, str]) -> None:
    assert from_file_name(name, load_contract(source), folder) == told


def test_a_text_runs_into_columns_without_a_name(settings: Settings, tmp_path: Path) -> None:
    header = ["Код", None, "Проверяемые требования к уровню подготовки", None]
    rows = [[1, "Метапредметные", None, None], ["1.1", None, "Умение", "учиться"], [None, None, "Раздел", None]]
    outcome = load(settings, book(tmp_path / "4/Математика/KT.xlsx", [header, *rows]))
    assert (outcome.source, outcome.status) == ("codifier", "published")
    assert ask(settings, "select codifier_kind, code, title from raw.codifier order by line_no") == [
        ("requirement", "1", "Метапредметные"),
        ("requirement", "1.1", "Умение учиться"),
        ("requirement", None, "Раздел"),
    ]  # fmt: skip


def test_a_table_without_a_header_keeps_its_first_row(settings: Settings, tmp_path: Path) -> None:
    rows = [["math5.1", "Математика. 5 класс"], ["rus4.12", "Русский язык. 4 класс"]]
    workbook = load(settings, book(tmp_path / "books.xlsx", rows))
    assert (workbook.source, workbook.status) == ("textbook", "published")
    select = "select row_no, textbook_code, title from raw.textbook where load_id = %s order by 1"
    assert ask(settings, select, workbook.load_id) == [(n, *row) for n, row in enumerate(rows, 1)]
    text = load(settings, write_csv(tmp_path / "books.csv", rows[1:], header=rows[0]))
    assert (text.source, text.status) == ("textbook", "published")
    assert ask(settings, select, text.load_id) == [(n, *row) for n, row in enumerate(rows, 1)]


def test_one_cell_tells_grade_and_subject(settings: Settings, tmp_path: Path) -> None:
    header = ["work", "min_for_3", "min_for_4", "min_for_5"]
    path = write_csv(tmp_path / "mark_scales_2020_2021.csv", [["MA5", 7, 11, 15], ["GG11", 7, 11, 15]], header=header)
    assert load(settings, path).status == "published"
    columns = (
        "procedure_code, grade, subject_code, year_from, year_to, max_score, min_score_3, min_score_4, min_score_5"
    )
    assert ask(settings, f"select {columns} from raw.mark_scale order by grade") == [
        ("vpr", 5, "MA", 2020, 2021, None, 7, 11, 15), ("vpr", 11, "GG", 2020, 2021, None, 7, 11, 15),
    ]  # fmt: skip


def test_a_scale_out_of_order_is_set_aside(settings: Settings, tmp_path: Path) -> None:
    rows = [{"grade": 5, "subject_code": "MA", "year_from": 2000 + n, "min_score_3": 7, "min_score_4": 11,
             "min_score_5": 15} for n in range(20, 40)]  # fmt: skip
    bad = rows[0] | {"year_from": 2045, "min_score_4": 16}
    outcome = load(settings, template(tmp_path / "scales.csv", "mark_scale", [*rows, bad]))
    assert outcome.status == "published"
    assert "Строка 22, столбец «Отметка 4 от, баллов»: 16 выше следующей границы 15" in str(outcome.message)
    assert ask(settings, "select count(*) from raw.mark_scale") == [(20,)]


def test_a_template_may_be_short(settings: Settings, tmp_path: Path) -> None:
    """What a region would fill: five columns of the twenty-eight."""
    header = [
        "Год",
        "Логин ОО в ФИС ОКО",
        "Тип населённого пункта",
        "Повышенный уровень",
        "Индекс социального благополучия",
    ]
    rows = [[2024, "edu990001", "город", "да", "0,7"], [2024, "sch990002", "село", "нет", ""]]
    outcome = load(settings, write_csv(tmp_path / "паспорта.csv", rows, header=header))
    assert (outcome.source, outcome.status) == ("school_context", "published")
    columns = "organisation_code, questionnaire_code, settlement_type, is_selective, social_index::float"
    assert ask(settings, f"select {columns} from raw.school_context order by 1") == [
        ("edu990001", None, "city", True, 0.7), ("edu990002", None, "village", False, None),
    ]  # fmt: skip


def test_a_catalogue_in_our_own_layout(settings: Settings, tmp_path: Path) -> None:
    header = ["Год", "Класс", "Предмет", "№ задания", "Обозначение", "Максимум", "Вид проверки", "Уровень",
              "Проверяемое умение", "КЭС"]  # fmt: skip
    rows = [
        [2024, 5, "Математика", 1, "1", 1, "краткий ответ", "Б", "Считать", "1.1"],
        [2024, 5, "Математика", 2, "2К1", 2, "развёрнутый ответ", "П", "Решать", "1.2"],
        [2024, 5, "Математика", 3, "3", 2, "", "В", "", ""],
    ]
    outcome = load(settings, write_csv(tmp_path / "каталог.csv", rows, header=header))
    assert (outcome.source, outcome.status, outcome.message) == ("task_catalogue", "published", None)
    columns = "year, item_no, item_label, max_score, item_kind, level"
    assert ask(settings, f"select {columns} from raw.task_catalogue order by item_no") == [
        (2024, 1, "1", 1, "short", "basic"), (2024, 2, "2К1", 2, "expert", "advanced"), (2024, 3, "3", 2, None, "high"),
    ]  # fmt: skip


def test_a_maximum_that_differs_is_told(settings: Settings, tmp_path: Path) -> None:
    rows = [["1", 1, None, "Б", n, 1] for n in range(3)] + [["1", 1, None, "Б", 3, 3]]
    path = write_workbook(tmp_path / "4/Русский язык/ALL.xlsx", rows, header=CODIFIER, sheet="Лист1")
    outcome = load(settings, path)
    assert outcome.status == "published"
    assert ask(settings, "select row_no, message from meta.rejection") == [
        (5, "Строка 5, столбец «Максимум»: у задания максимум 3, а чаще — 1. Взят максимум, который "
            "встречается чаще; проверьте строки задания."),
    ]  # fmt: skip


def test_an_empty_workbook_says_that_it_is_empty(settings: Settings, tmp_path: Path) -> None:
    outcome = load(settings, book(tmp_path / "7/Английский язык/KS.xlsx", []))
    assert outcome.status == "rejected"
    assert "пустая: ни на одном листе нет ни одной ячейки" in str(outcome.message)
