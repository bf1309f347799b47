"""Every file of a real region that is not a work: codifiers, textbooks, scales, questionnaires, counted anew."""

from __future__ import annotations

import csv
import re
import statistics
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest
from conftest import SHARED
from warehouse import ask, installation, target

from dbt_project import runner
from rsoko.base.settings import Settings
from rsoko.ops import pipeline

FOLDER = SHARED / "data/vpr_altai"
WORKS = ("vpr_2021_g5_MA.csv.gz", "vpr_2020_g5_RU.csv.gz")
CONTEXTS = ("context_oo_2021_noPD.csv", "context_oo_2022_1_noPD.csv", "context_oo_2022_2_noPD.csv")
EMPTY = FOLDER / "codifiers/7/Английский язык/KS.xlsx"
SUBJECT = {
    "Английский язык": "EN", "Биология": "BI", "География": "GG", "История": "IS", "Математика": "MA",
    "Немецкий язык": "DE", "Обществознание": "OB", "Окружающий мир": "OM", "Русский язык": "RU", "Физика": "FI",
    "Французский язык": "FR", "Химия": "HI",
}  # fmt: skip


def lines(path: Path) -> list[tuple[object, ...]]:
    """Rows of a workbook that have a cell."""
    sheet = openpyxl.load_workbook(path).worksheets[0]
    return [row for row in sheet.iter_rows(values_only=True) if any(cell not in (None, "") for cell in row)]


def answers(name: str) -> dict[str, list[str]]:
    """Login in its `edu…` form → cells; both schools that meet under one login are left out."""
    with (FOLDER / name).open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))[1:]
    logins = [re.sub("^(?:sch|ksh)", "edu", row[0]) for row in rows]
    met = Counter(logins)
    return {login: row for login, row in zip(logins, rows, strict=True) if met[login] == 1}


@pytest.fixture(scope="module")
def warehouse(server: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """All files but the works, two works that the codifiers describe, and the dimensions built."""
    if not FOLDER.is_dir():
        pytest.skip(f"the real data are not here: there is no folder {FOLDER} beside the project")
    with installation(server, tmp_path_factory.mktemp("catalogue")) as installed:
        settings = replace(installed, region_code=22)
        works = {path for folder in ("raw_xlsx", "wide_csv_gz") for path in (FOLDER / folder).iterdir()}
        files = {path for path in FOLDER.rglob("*") if path.is_file()} - works - {FOLDER / "MANIFEST.csv"}
        pipeline.load(settings, sorted(files) + [FOLDER / "wide_csv_gz" / work for work in WORKS])
        pipeline.load(settings, [FOLDER / "context_oo_2022_1_noPD.csv"], "school_context")
        runner.build(
            settings.database_url, target_path=target(settings),
            select="+dim_task +dim_school_context +dim_codifier +dim_textbook +int_work__region_scale",
        )  # fmt: skip
        yield settings


def test_every_file_is_accepted_but_the_one_without_a_cell(warehouse: Settings) -> None:
    refused = ask(warehouse, "select file_name, options, message from meta.delivery where status <> 'published'")
    assert refused == [
        (
            "KS.xlsx",
            {"name.grade": "7", "name.subject_code": "Английский язык", "name.codifier_kind": "KS"},
            "Книга «KS.xlsx» пустая: ни на одном листе нет ни одной ячейки. Пришлите заполненную.",
        )
    ]
    assert lines(EMPTY) == []
    sources = dict(ask(warehouse, "select source, count(*) from meta.delivery where status = 'published' group by 1"))
    assert sources == {
        "task_catalogue": 40, "codifier": 74, "mark_scale": 1, "textbook": 1, "organisation": 2, "school_context": 3,
        "vpr": 2,
    }  # fmt: skip


def test_rows_of_every_codifier(warehouse: Settings) -> None:
    found = {
        (grade, subject, kind): (rows, maxima)
        for grade, subject, kind, rows, maxima in ask(
            warehouse,
            "select grade, subject_code, 'ALL', count(*), sum(max_score) from raw.task_catalogue group by 1, 2 "
            "union all "
            "select grade, subject_code, case codifier_kind when 'content' then 'KS' else 'KT' end, count(*), null "
            "from raw.codifier group by 1, 2, 3",
        )
    }
    expected = {}
    for path in (FOLDER / "codifiers").rglob("*.xlsx"):
        if body := lines(path)[1:]:
            key = (int(path.parts[-3]), SUBJECT[path.parts[-2]], path.stem)
            maxima = sum(int(str(row[7])) for row in body) if path.stem == "ALL" else None
            expected[key] = (len(body), maxima)
    assert len(expected) == 114
    assert found == expected
    rejected = ask(
        warehouse,
        "select count(*) from meta.rejection join meta.load using (load_id) where is_row_rejected "
        "and source in ('task_catalogue', 'codifier', 'mark_scale', 'textbook')",
    )
    assert rejected == [(0,)]


def test_texts_that_run_over_columns_and_lines_are_whole(warehouse: Settings) -> None:
    query = "select title from raw.codifier where grade = %s and subject_code = %s and codifier_kind = %s and code = %s"
    assert ask(warehouse, query, 6, "BI", "content", "3.2") == [
        ("Корень. Зоны корня. Видоизменения корней Виды корней. Корневые системы. Значение корня.",)
    ]
    assert ask(warehouse, query, 4, "OM", "requirement", "1") == [("Метапредметные",)]
    skill = "select distinct skill from raw.task_catalogue where grade = 5 and subject_code = 'IS' and item_no = 1"
    ((text,),) = ask(warehouse, skill)
    assert text.startswith("умение создавать, применять и преобразовывать знаки и")
    cut = r"_x000|[а-яё]- [а-яё]"
    for table, column in (("task_catalogue", "skill"), ("task_catalogue", "planned_result"), ("codifier", "title")):
        assert ask(warehouse, f"select count(*) from raw.{table} where {column} ~ '{cut}'") == [(0,)]


def test_textbooks_and_scales(warehouse: Settings) -> None:
    books = {
        str(code): " ".join(str(title).split()).replace("естественно- научные", "естественнонаучные")
        for code, title in lines(FOLDER / "books.xlsx")
    }
    assert len(books) == 1004
    assert dict(ask(warehouse, "select textbook_code, title from core.dim_textbook")) == books
    with (FOLDER / "mark_scales_2020_2021.csv").open(encoding="utf-8") as file:
        scales = {
            (row["work"], 2020, 2021, *(int(row[f"min_for_{mark}"]) for mark in (3, 4, 5)))
            for row in csv.DictReader(file)
        }
    assert len(scales) == 30
    columns = "subject_code || grade, year_from, year_to, min_score_3, min_score_4, min_score_5"
    assert set(ask(warehouse, f"select {columns} from raw.mark_scale")) == scales
    beside = ask(warehouse, "select grade, subject_code, is_same from core.int_work__region_scale order by 2")
    assert beside == [(5, "MA", True), (5, "RU", True)]


def test_items_of_a_work_are_those_of_its_codifier(warehouse: Settings) -> None:
    """Item by item: label, maximum (the more frequent, where rows differ) and all content codes."""
    for year, subject, name in ((2021, "MA", "Математика"), (2020, "RU", "Русский язык")):
        expected: dict[int, tuple[set[str], Counter[int], set[str]]] = {}
        for label, number, _, _, _, content, _, maximum, *_ in lines(FOLDER / f"codifiers/5/{name}/ALL.xlsx")[1:]:
            labels, maxima, codes = expected.setdefault(int(str(number)), (set(), Counter(), set()))
            labels.add(str(label))
            maxima[int(str(maximum))] += 1
            codes.add(str(content))
        found = ask(warehouse, "select item_no, item_label, max_score, string_to_array(content_code, ', '), item_kind "
                               "from core.dim_task where year = %s and subject_code = %s", year, subject)  # fmt: skip
        assert len(found) == len(expected)
        for number, label, maximum, codes, kind in found:
            assert {label} == expected[number][0]
            assert maximum == expected[number][1].most_common(1)[0][0]
            assert set(codes) == expected[number][2]
            assert kind == ("expert" if maximum > 1 or "К" in label else "short")


def test_rows_of_the_questionnaires(warehouse: Settings) -> None:
    rows = {
        name: (read, set_aside, enrolment)
        for name, read, set_aside, enrolment in ask(
            warehouse,
            "select file_name, rows_read, rows_quarantined, (control_totals -> 'sum_enrolment' ->> 'published')::int "
            "from meta.delivery_summary where source = 'school_context'",
        )
    }
    pupils = {CONTEXTS[0]: 21, CONTEXTS[2]: 16}
    assert rows == {
        name: (len(list(csv.reader((FOLDER / name).open(encoding="utf-8-sig", newline="")))) - 1, 2,
               sum(int(row[pupils[name]] or 0) for row in answers(name).values()) if name in pupils else 0)
        for name in CONTEXTS
    }  # fmt: skip
    with (FOLDER / CONTEXTS[0]).open(encoding="utf-8-sig", newline="") as file:
        doubtful = sum(
            any(row[part] and row[whole] and int(row[part]) > int(row[whole]) for part, whole in ((47, 46), (50, 49)))
            for row in list(csv.reader(file))[1:]
        )
    told = ask(
        warehouse,
        "select violations, row_count from meta.gate_result join meta.delivery_summary using (load_id) "
        "where check_code = 'part_over_whole' and file_name = %s",
        CONTEXTS[0],
    )
    assert told == [(doubtful, 733)]


def test_one_file_serves_two_sources(warehouse: Settings) -> None:
    """By itself it is the register of codes; delivered to the other source it tells where the schools are."""
    served = ask(warehouse, "select source, count(distinct sha256), sum(rows_read) from meta.delivery_summary "
                            "where file_name = %s group by 1 order by 1", CONTEXTS[1])  # fmt: skip
    assert served == [("organisation", 1, 678), ("school_context", 1, 678)]


def test_where_every_school_is(warehouse: Settings) -> None:
    found = dict(
        ask(warehouse, "select organisation_code, settlement_kind from core.dim_school_context where year = 2021")
    )
    first, second = answers(CONTEXTS[0]), answers(CONTEXTS[1])
    for login, row in first.items():
        assert found[login] == ("rural" if row[10].startswith("4") else "urban"), login
    later = second.keys() - first.keys() - {"edu220028"}
    assert len(later) > 0
    for login in later:
        assert found[login] == ("rural" if second[login][17].startswith("4") else "urban"), login


def test_which_schools_are_selective(warehouse: Settings) -> None:
    found = dict(
        ask(warehouse, "select organisation_code, is_selective from core.dim_school_context where year = 2022")
    )
    register = {re.sub("^sch", "edu", str(row[0])): str(row[1]) for row in lines(FOLDER / "logins.xlsx")[1:]}
    first, second = answers(CONTEXTS[1]), answers(CONTEXTS[2])
    checked: Counter[bool] = Counter()
    for login in second.keys() & register.keys():
        names = [register[login], first[login][7], first[login][8], first[login][4]]
        named = {bool(re.search("гимнази|лице[йяюе]", name.lower())) for name in names}
        if len(named) == 1:
            expected = named.pop() or "Да" in (second[login][13], second[login][14])
            assert found[login] == expected, login
            checked[expected] += 1
    assert checked[True] > 40
    assert checked[False] > 500


def number(text: str) -> float | None:
    return float(text) if text else None


def test_the_social_index_of_every_school(warehouse: Settings) -> None:
    """2022: adapted programmes and remoteness count against, qualified teachers by half a weight for."""
    first = answers(CONTEXTS[1])
    # One school has given the login of another region: it is compared with nobody here.
    second = {login: row for login, row in answers(CONTEXTS[2]).items() if login.startswith("edu22")}
    components: dict[str, dict[str, float]] = {"adapted": {}, "remote": {}, "qualified": {}}
    for login in second:
        cohort, adapted, cohort_2, adapted_2 = (float(second[login][place]) for place in (17, 18, 19, 20))
        teachers, qualified = number(second[login][21]), number(second[login][23])
        if adapted <= cohort and adapted_2 <= cohort_2 and cohort + cohort_2:
            components["adapted"][login] = (adapted + adapted_2) / (cohort + cohort_2)
        if first[login][19] or int(first[login][18][0]) >= 6:
            components["remote"][login] = int(first[login][19][0]) if first[login][19] else 0
        if teachers and qualified is not None and qualified <= teachers:
            components["qualified"][login] = qualified / teachers
    weights = {"adapted": -1.0, "remote": -1.0, "qualified": 0.5}
    standard = {
        name: {login: (value - statistics.fmean(values.values())) / statistics.stdev(values.values())
               for login, value in values.items()}
        for name, values in components.items()
    }  # fmt: skip
    raw = {}
    for login in second:
        known = {name: values[login] for name, values in standard.items() if login in values}
        if (weight := sum(abs(weights[name]) for name in known)) >= 0.5 * 2.5:
            raw[login] = sum(weights[name] * z for name, z in known.items()) / weight
    mean, deviation = statistics.fmean(raw.values()), statistics.stdev(raw.values())
    found = dict(ask(warehouse, "select organisation_code, social_index::float from core.int_school_context__index "
                                "where year = 2022 and region_code = 22"))  # fmt: skip
    assert found.keys() == raw.keys()
    assert found == pytest.approx({login: (value - mean) / deviation for login, value in raw.items()}, abs=1e-4)


def test_a_codifier_out_of_its_folder_says_what_is_missing(warehouse: Settings, tmp_path: Path) -> None:
    path = tmp_path / "ALL.xlsx"
    path.write_bytes((FOLDER / "codifiers/5/Математика/ALL.xlsx").read_bytes())
    outcome, _ = pipeline.check(warehouse, path)
    assert (outcome.source, outcome.status) == ("task_catalogue", "rejected")
    assert "Не известно: «Класс», «Предмет»" in str(outcome.message)
    outcome, _ = pipeline.check(warehouse, path, None, {"grade": "5", "subject_code": "математика"})
    assert outcome.status == "accepted"


def test_no_address_or_person_is_stored(warehouse: Settings) -> None:
    stored = ask(warehouse, "select column_name from information_schema.columns where table_name = 'school_context'")
    assert not {name for (name,) in stored} & {"address", "director", "phone", "email", "inn"}
