"""What checks results from outside agrees with plain Python: the federal list, exams, medals, rechecks, work lists."""

from __future__ import annotations

import csv
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, comb, floor
from pathlib import Path
from typing import Any

import altai
import openpyxl
import pytest
from conftest import ROOT
from python_calamine import CalamineWorkbook
from warehouse import GIA_HEADER, ask, everything, installation, target, template, write_csv, write_workbook

from dbt_project.runner import build
from ingest.type.transforms import without_names
from rsoko.base.settings import Settings
from rsoko.ops import pipeline
from rsoko.ops.demo import QUESTIONS
from sample_region import exams, generate
from sample_region.assessment import Generation, schemes
from sample_region.exams import ExamResults
from sample_region.region import YEARS
from sample_region.region import build as build_region

SEED, SCALE = 20261, 0.1
SOURCES = (
    "organisation", "municipality", "vpr", "gia", "survey", "federal_bias_list", "observation", "recheck",
    "yearly_mark", "medal", "objectivity_explanation",
)  # fmt: skip


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("region")
    generate.write(target, seed=SEED, scale=SCALE)
    return target / "inbox"


@pytest.fixture(scope="module")
def generation() -> Generation:
    region = build_region(SEED, SCALE)
    return Generation(region, schemes(region))


@pytest.fixture(scope="module")
def warehouse(server: Settings, files: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    with installation(server, tmp_path_factory.mktemp("control")) as settings:
        found = [file for source in SOURCES for file in sorted((files / source).glob("*"))]
        outcomes = pipeline.load(settings, [file for file in found if not file.name.endswith(".yml")])
        assert [outcome.message for outcome in outcomes if outcome.status != "published"] == []
        build(settings.database_url, target_path=target(settings))
        yield settings


def cells(file: Path) -> list[dict[str, str]]:
    """Rows of a supplier's file under the titles of its header."""
    if file.suffix == ".csv":
        with file.open(encoding="utf-8-sig", newline="") as text:
            return list(csv.DictReader(text, delimiter=";"))
    header, *rows = openpyxl.load_workbook(file).worksheets[0].iter_rows(values_only=True)
    return [dict(zip(map(str, header), ("" if v is None else str(v) for v in row), strict=True)) for row in rows]


# --- the federal list -------------------------------------------------------------------------------------------------


def test_the_real_federal_list_is_what_it_says(server: Settings, shared: Path, tmp_path: Path) -> None:
    """Rows of 2024 are doubled in the file: copies are set aside and told, and every school is there once a year."""
    path = shared / "data" / "dagestan_bias" / "bias.xlsx"
    header, *rows = openpyxl.load_workbook(path).worksheets[0].iter_rows(values_only=True)
    columns = {"4 РУ": (4, "RU"), "4 МА": (4, "MA"), "5 РУ": (5, "RU"), "5 МА": (5, "MA")}
    expected = {
        (int(row["Год"]), row["Логин"], *work, row[column] == 1)
        for row in (dict(zip(header, values, strict=True)) for values in rows)
        for column, work in columns.items()
    }
    with installation(server, tmp_path) as settings:
        [outcome] = pipeline.load(settings, [path])
        assert (outcome.source, outcome.status) == ("federal_bias_list", "published")
        assert "строк не принято: 148." in str(outcome.message)
        build(settings.database_url, select="+fct_federal_listing", target_path=target(settings))
        found = ask(
            settings,
            "select year, source_organisation_code, grade, subject_code, is_listed from core.fct_federal_listing",
        )
        assert len(found) == len(expected)
        assert set(found) == expected
        schools = (
            "select year, count(distinct source_organisation_code) from core.fct_federal_listing group by 1 order by 1"
        )
        assert ask(settings, schools) == [(2023, 159), (2024, 148), (2025, 144)]
        assert ask(settings, "select count(distinct source_organisation_code) from core.fct_federal_listing") == [
            (341,)
        ]


def test_a_later_list_replaces_its_year_alone(server: Settings, tmp_path: Path) -> None:
    header = ["Год", "Логин", "Муниципалитет", "ОО", "4 РУ", "4 МА", "5 РУ", "5 МА", "Количество маркеров"]
    first = [[2023, "edu990001", "М", "Ш", 1, None, None, None, 1], [2024, "edu990002", "М", "Ш", 1, 1, None, None, 2]]
    later = [[2024, "edu990003", "М", "Ш", None, None, None, 1, 1]]
    with installation(server, tmp_path) as settings:
        for number, rows in enumerate((first, later)):
            pipeline.load(settings, [write_workbook(tmp_path / f"{number}.xlsx", rows, header=header, sheet="Лист")])
        build(settings.database_url, select="+fct_federal_listing", target_path=target(settings))
        found = ask(
            settings,
            "select year, source_organisation_code, grade, subject_code from core.fct_federal_listing where is_listed",
        )
        assert sorted(found) == [(2023, "edu990001", 4, "RU"), (2024, "edu990003", 5, "MA")]


# --- personal data ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ("Учитель Иванова М.П. вела оба класса", "Учитель […] вела оба класса"),
        ("М. П. Иванова", "[…]"),
        ("Директор Петров Пётр Петрович", "Директор […]"),
        ("сообщила Анна Ильинична Петрова", "сообщила […]"),
        ("Со слов Ивановой Марии Петровны, 8 (913) 123-45-67", "Со слов […], […]"),
        ("СНИЛС 123-456-789 00", "СНИЛС […]"),
        (
            "В 5 «А» классе школы № 12 тему 2024 года не проходили",
            "В 5 «А» классе школы № 12 тему 2024 года не проходили",
        ),
    ],
)
def test_free_text_loses_those_it_names(told: str, kept: str) -> None:
    assert without_names(told) == kept


def test_free_text_is_short() -> None:
    assert len(without_names("тема не пройдена " * 50)) == 300


def test_graduates_are_known_by_document_or_name_and_stored_by_neither(server: Settings, tmp_path: Path) -> None:
    """One exam's protocol has documents, the other has none; a comment names a teacher, a reason cell a pupil."""
    person = {"last_name": "Чайкин", "first_name": "Лев", "middle_name": "Юрьевич"}
    document = {"document_series": "9900", "document_number": "765432"}
    known = {"ris_code": "101001", **person, **document, "year": 2024}

    def protocol(name: str, series: str, number: str) -> Path:
        row = ["101001", "11А", "1003", "1", "201", *person.values(), series, number, "+", "", 40, "", 66]
        return write_csv(tmp_path / "gia" / name, [row], header=GIA_HEADER)

    explained = {"year": 2024, "organisation_code": "edu990001", "grade": 4, "decision": "принято"}
    given = [
        {**explained, "subject_code": "математика", "reason_code": "другое", "public_comment": "Учитель Совина А.Б."},
        {**explained, "subject_code": "русский язык", "reason_code": "Чайкин списал"},
    ]
    paths = [
        protocol("01_2024.05.28.csv", "9900", "765432"),
        protocol("03_2024.06.07.csv", "", ""),
        template(tmp_path / "medal" / "medal.csv", "medal", [{**known, "degree": "золотая", "is_issued": "да"}]),
        template(tmp_path / "yearly_mark" / "marks.csv", "yearly_mark",
                 [{**known, "grade": 11, "subject_code": "физика", "yearly_mark": 5}]),
    ]  # fmt: skip
    refused = template(tmp_path / "objectivity_explanation" / "e.csv", "objectivity_explanation", given)
    accepted = template(tmp_path / "objectivity_explanation" / "f.csv", "objectivity_explanation", given[:1])
    with installation(server, tmp_path / "home") as settings:
        assert {outcome.status for outcome in pipeline.load(settings, [*paths, accepted])} == {"published"}
        [outcome] = pipeline.load(settings, [refused])
        assert outcome.status == "rejected"
        build(settings.database_url, select="+int_medal__confirmation", target_path=target(settings))
        scores = "select russian_score, best_other_score, is_confirmed from core.int_medal__confirmation"
        assert ask(settings, scores) == [(66, 66, False)]
        stored = everything(settings)
    assert "Учитель […]" in stored
    for secret in ("Чайкин", "Юрьевич", "765432", "Совина"):
        assert secret not in stored, secret


# --- exams ------------------------------------------------------------------------------------------------------------


def last_marks(generation: Generation, year: int) -> dict[tuple[str, str], dict[str, int]]:
    """(procedure, subject) → document → mark by the last attempt, of exams that give marks."""
    marks: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    for result in results(generation, year):
        if result.marks is not None:
            key = (result.exam.procedure, result.exam.subject)
            for person, mark in zip(result.person, result.marks, strict=True):
                marks[key][result.graduates.document(int(person))[1]] = int(mark)
    return marks


def results(generation: Generation, year: int) -> Iterator[ExamResults]:
    yield from exams.oge(generation, exams.graduates(generation, year, 9))
    yield from exams.ege(generation, exams.graduates(generation, year, 11))


@dataclass(frozen=True, order=True)
class Attempt:
    """A row of a protocol of ОГЭ, as РЦОИ wrote it."""

    day: str
    subject: str
    school: str
    person: tuple[str, ...]
    score: int


def attempts(folder: Path) -> Iterator[Attempt]:
    """Every ОГЭ in Russian and mathematics: workbooks with exams under each other, then a csv an exam."""
    numbers, named = {"01": "RU", "02": "MA"}, ("Фамилия", "Имя", "Отчество")
    for path in folder.glob("ОГЭ *.xls*"):
        exam, place = ("", ""), {}
        for cells in CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python():
            if heading := re.fullmatch(r"(\d\d) - .* (\d{4}\.\d\d\.\d\d)", str(cells[0])):
                exam = heading[1], heading[2]
            elif "Первичный балл" in cells:
                place = {str(name): number for number, name in enumerate(cells)}
            elif isinstance(cells[0], int | float) and exam[0] in numbers:
                person = tuple(str(cells[place[name]]) for name in named)
                school, score = (int(float(cells[place[name]])) for name in ("Код ОО", "Первичный балл"))
                yield Attempt(exam[1], numbers[exam[0]], str(school), person, score)
    for path in folder.glob("0[12]_*.csv"):
        number, day = path.stem.split("_")
        with path.open(encoding="utf-8-sig", newline="") as text:
            for row in csv.DictReader(text, delimiter=";"):
                if row["ClassCode"].startswith("9"):
                    person = (row["SurnameCell"], row["NameCell"], row["SecondNameCell"])
                    yield Attempt(day, numbers[number], row["SchoolCode"], person, int(row["PrimaryMark"]))


@pytest.mark.parametrize("subject", ["RU", "MA"])
@pytest.mark.parametrize("year", YEARS)
def test_inflated_means_of_exams_school_by_school(
    warehouse: Settings, files: Path, generation: Generation, year: int, subject: str
) -> None:
    """The official marker from the protocols themselves; who sat an exam twice counts by the last attempt."""
    sat = sorted(a for a in attempts(files / "gia") if a.day.startswith(str(year)) and a.subject == subject)
    last = {(attempt.school, attempt.person): attempt.score for attempt in sat}
    assert 0 < len(sat) - len(last) < len(last) / 5
    login = {str(school.ris_code): school.login for school in generation.region.schools}
    scores: dict[str, list[int]] = defaultdict(list)
    for (school, _), score in last.items():
        scores[login[school]].append(score)
    expected = altai.inflated_means(scores)
    region = altai.inflated_means({"region": list(last.values())})["region"]
    found = ask(
        warehouse,
        "select organisation_code, n, is_marked, value, lower_bound, upper_bound, region_lower_bound,"
        " region_upper_bound from mart.mart_objectivity__marker where marker_code = %s and year = %s",
        f"inflated_mean_oge_{subject.lower()}",
        year,
    )
    assert {row[0]: row[1:3] for row in found} == {s: (marker.n, marker.is_marked) for s, marker in expected.items()}
    for school, _, _, *values in found:
        marker = expected[school]
        by_hand = [marker.value, marker.lower, marker.upper, region.lower, region.upper]
        assert [value if value is None else float(value) for value in values] == pytest.approx(by_hand, abs=1e-6)
    assert {True, False} == {marker.is_marked for marker in expected.values()}


@pytest.mark.parametrize("year", YEARS)
def test_exams_against_yearly_marks_agree_with_the_files(
    warehouse: Settings, files: Path, generation: Generation, year: int
) -> None:
    """Also in 2024, when the protocols of ОГЭ had no documents."""
    [file] = (files / "yearly_mark").glob(f"*{year}*")
    given = {(row["Номер документа"], row["Предмет"]): int(row["Годовая отметка"]) for row in cells(file)}
    expected = {}
    for (procedure, subject), marks in last_marks(generation, year).items():
        taught = "Русский язык" if subject == "RU" else "Математика"
        gaps = [given[document, taught] - mark for document, mark in marks.items()]
        counted = Counter("lowered" if gap > 0 else "raised" if gap < 0 else "confirmed" for gap in gaps)
        strongly = sum(gap >= 2 for gap in gaps)
        expected[procedure, subject] = (len(gaps), *(counted[n] for n in ("lowered", "confirmed", "raised")), strongly)
    found = ask(
        warehouse,
        "select procedure_code, subject_code, sum(n), sum(lowered), sum(confirmed), sum(raised), sum(lowered_strongly)"
        " from mart.mart_objectivity__yearly_mark where year = %s group by 1, 2",
        year,
    )
    assert {row[:2]: row[2:] for row in found} == expected
    assert min(row[2] for row in found) > 0


def test_only_schools_with_kind_marks_are_asked_to_explain_them(warehouse: Settings, generation: Generation) -> None:
    asked = ask(
        warehouse, "select distinct organisation_code from mart.mart_objectivity__yearly_mark where flag = 'amber'"
    )
    assert [organisation for (organisation,) in asked] == generation.schemes.of("inflated_journal")


@pytest.mark.parametrize("year", YEARS)
def test_medals_agree_with_the_files(warehouse: Settings, files: Path, generation: Generation, year: int) -> None:
    """Order 730 from 2024 on; before, one medal with 70 in Russian and 70 in profile or «5» in base mathematics."""
    scores: dict[str, dict[str, int]] = defaultdict(dict)
    for result in exams.ege(generation, exams.graduates(generation, year, 11)):
        values = result.test_scores if result.test_scores is not None else result.marks
        assert values is not None
        for person, value in zip(result.person, values, strict=True):
            scores[result.graduates.document(int(person))[1]][result.exam.subject] = int(value)
    [file] = (files / "medal").glob(f"*{year}*")
    expected: Counter[tuple[int, bool, bool]] = Counter()
    for row in cells(file):
        own = scores[row["Номер документа"]]
        degree = 1 if row["Степень медали"] == "I степени" else 2
        least = 70 if degree == 1 else 60
        others = [score for subject, score in own.items() if subject not in ("RU", "MB")]
        if year < 2024:
            second = own.get("MA", 0) >= 70 or own.get("MB") == 5
        else:
            second = max(others, default=0) >= least or (not others and own.get("MB") == 5)
        expected[degree, row["Медаль выдана"] == "да", own["RU"] >= least and second] += 1
    found = ask(
        warehouse,
        "select degree, is_issued, is_confirmed, count(*) from core.int_medal__confirmation where year = %s"
        " group by 1, 2, 3",
        year,
    )
    assert {row[:3]: row[3] for row in found} == expected
    assert {confirmed for _, _, confirmed in expected} == {True, False}
    [(unconfirmed, issued)] = ask(
        warehouse,
        "select sum(unconfirmed), sum(issued_unconfirmed) from mart.mart_objectivity__medal where year = %s",
        year,
    )
    assert unconfirmed == sum(n for (_, _, confirmed), n in expected.items() if not confirmed)
    assert issued == sum(n for (_, given, confirmed), n in expected.items() if given and not confirmed)


def test_those_over_the_threshold_agree_with_the_exams(warehouse: Settings, generation: Generation) -> None:
    shares = {}
    for year in YEARS:
        for (procedure, subject), marks in last_marks(generation, year).items():
            if procedure == "oge":
                shares[subject, year] = (len(marks), sum(mark >= 3 for mark in marks.values()))
    found = ask(
        warehouse,
        "select subject_code, year, n, passed, change, slope from mart.mart_objectivity__threshold"
        " where object_level = 'region' and procedure_code = 'oge'",
    )
    assert {(subject, year): (n, passed) for subject, year, n, passed, _, _ in found} == shares
    assert len(shares) == 6

    def share(subject: str, year: int) -> Fraction:
        n, passed = shares[subject, year]
        return Fraction(100 * passed, n)

    for subject, year, _, _, change, slope in found:
        if year == YEARS[0]:
            assert (change, slope) == (None, None)
        else:
            assert float(change) == pytest.approx(float(share(subject, year) - share(subject, year - 1)), abs=1e-6)
        if year == YEARS[2]:
            assert float(slope) == pytest.approx(float(share(subject, year) - share(subject, year - 2)) / 2, abs=1e-6)


def test_forms_agree_with_a_count_one_by_one(warehouse: Settings) -> None:
    names = ", ".join(f"answer_{number:02d}" for number in range(1, 41))
    raw = ask(
        warehouse,
        f"select year, survey_code, organisation_code, respondent_group, {names} from raw.survey"
        " inner join meta.current_load using (region_code, load_id, slice_id)",
    )
    forms: dict[Any, list[tuple[Any, ...]]] = defaultdict(list)
    for row in raw:
        forms[row[:4]].append(row[4:])
    expected = {}
    for key, answers in forms.items():
        judged = [form for form in answers if sum(1 <= (answer or 0) <= 5 for answer in form) >= 5]
        straight = [form for form in judged if len({answer for answer in form if 1 <= (answer or 0) <= 5}) == 1]
        varied = [form for form in judged if form not in straight]
        expected[key] = (len(answers), len(judged), len(straight), len(varied) - len(set(varied)))
    found = ask(
        warehouse,
        "select year, survey_code, organisation_code, respondent_group, forms, n, straight, copied"
        " from mart.mart_objectivity__survey",
    )
    assert {row[:4]: row[4:] for row in found} == expected
    assert sum(row[6] for row in found) > 0


# --- rechecks ---------------------------------------------------------------------------------------------------------


def at_least(raised: int, remarked: int, of_them: int, works: int) -> Fraction:
    """P(X ≥ raised) in a draw of `remarked` of `works`, `of_them` of which are raised."""
    ways = sum(comb(of_them, k) * comb(works - of_them, remarked - k) for k in range(raised, remarked + 1))
    return Fraction(ways, comb(works, remarked))


def test_the_plan_marks_the_fewest_works_that_keep_both_risks(warehouse: Settings) -> None:
    plans = ask(
        warehouse,
        "select works, works_to_remark, raised_to_confirm, acceptable_works, unacceptable_works, accuse_risk, miss_risk"
        " from mart.mart_objectivity__recheck_plan where year = 2025 order by works",
    )
    assert [plan[0] for plan in plans] == list(range(1, 121))
    for works, remarked, raised, few, many, accuse, miss in plans:
        assert (few, many) == (floor(works / 10), max(ceil(Fraction(3 * works, 10)), works // 10 + 1))
        risks = at_least(raised, remarked, few, works), 1 - at_least(raised, remarked, many, works)
        assert (float(accuse), float(miss)) == pytest.approx([float(100 * risk) for risk in risks], abs=1e-6)
        assert max(risks[0] - Fraction(5, 100), risks[1] - Fraction(10, 100)) <= 0
        for fewer in range(min(works, 5), remarked):
            assert not any(
                at_least(critical, fewer, few, works) <= Fraction(5, 100)
                and 1 - at_least(critical, fewer, many, works) <= Fraction(10, 100)
                for critical in range(fewer + 1)
            ), (works, fewer)


def test_rechecks_confirm_who_pushed_works_over_the_boundary(warehouse: Settings, generation: Generation) -> None:
    found = ask(
        warehouse,
        "select distinct organisation_code from mart.mart_objectivity__recheck_group where recheck_outcome = 'raised'",
    )
    assert {organisation for (organisation,) in found} <= set(generation.schemes.of("boundary_marks"))
    assert found
    [(groups, decided)] = ask(
        warehouse, "select sum(rechecked_groups), sum(n + undecided_groups) from mart.mart_objectivity__recheck"
    )
    assert groups == decided > 0


def test_samples_hold_as_many_works_as_the_plan_asks(warehouse: Settings) -> None:
    planned = ask(
        warehouse,
        "select year, grade, subject_code, organisation_code, works_to_remark from mart.mart_objectivity__work_list"
        " where action = 'remark'",
    )
    drawn = ask(
        warehouse,
        "select year, grade, subject_code, organisation_code, count(*), count(distinct participant_key)"
        " from mart.mart_objectivity__recheck_sample group by 1, 2, 3, 4",
    )
    assert {row[:4]: (row[4], row[4]) for row in planned} == {row[:4]: row[4:] for row in drawn}
    assert planned
    # Who marks again must not see what the school gave, and nobody needs a single pupil's score to find a work.
    told = ask(
        warehouse,
        "select column_name from information_schema.columns where table_name = 'mart_objectivity__recheck_sample'"
        " and column_name ~ 'score|mark'",
    )
    assert told == []


def test_lists_and_checks_hold_every_flag_once(warehouse: Settings) -> None:
    [(flagged,)] = ask(warehouse, "select count(*) from mart.mart_objectivity__sign where flag in ('red', 'amber')")
    [(listed,)] = ask(warehouse, "select count(*) from mart.mart_objectivity__work_list")
    assert listed == flagged > 0
    places = ask(
        warehouse,
        "select count(*), max(priority), count(distinct priority) from mart.mart_objectivity__work_list"
        " group by region_code, year, municipality_code",
    )
    assert all(n == last == different for n, last, different in places)
    for year, observed, n, red, amber in ask(
        warehouse, "select year, is_observed, n, red, amber from mart.mart_objectivity__observed"
    ):
        counted = ask(
            warehouse,
            "select count(*), count(*) filter (where flag = 'red'), count(*) filter (where flag = 'amber')"
            " from mart.mart_objectivity__sign"
            " where flag <> 'insufficient' and is_observed = %s and year = coalesce(%s::smallint, year)",
            observed,
            year,
        )
        assert counted == [(n, red, amber)]


# --- what the demo asks -----------------------------------------------------------------------------------------------


def test_the_warehouse_answers_what_the_demo_and_the_readme_ask(warehouse: Settings) -> None:
    question = next(query for query in QUESTIONS.values() if "mart_objectivity__dossier" in query)
    for readme in ("README.md", "README.ru.md"):
        assert " ".join(question.split()) in " ".join((ROOT / readme).read_text(encoding="utf-8").split())
    answer = ask(warehouse, question.removesuffix("limit 10"))
    [(red,)] = ask(
        warehouse, "select count(*) from mart.mart_objectivity__sign where flag = 'red' and year = %s", YEARS[-1]
    )
    assert sum(flags for _, _, flags, _, _ in answer) == red > 0
    assert all(organisations <= flags for _, _, flags, organisations, _ in answer)
    for query in QUESTIONS.values():
        ask(warehouse, query)


def test_the_room_that_wrote_together_is_found(warehouse: Settings, generation: Generation) -> None:
    year, subject = exams.COPIED_EXAM
    found = exams.graduates(generation, year, 9)
    result = next(result for result in exams.oge(generation, found) if result.exam.subject == subject)
    seats = sorted({(str(station), f"{room:04d}") for station, room in zip(result.station, result.room, strict=True)})
    rooms = ask(
        warehouse,
        "select station_code, room_code, flag, mechanism from mart.mart_objectivity__exam_room"
        " where procedure_code = 'oge' and subject_code = %s and exam_date = to_date(%s, 'YYYY.MM.DD')",
        subject,
        result.day,
    )
    assert sorted((station, room) for station, room, *_ in rooms) == seats
    red = [(station, room, mechanism) for station, room, flag, mechanism in rooms if flag == "red"]
    assert [room[:2] for room in red] == seats[:1]
    assert red[0][2] in ("sim_dup", "sim_pairs")
