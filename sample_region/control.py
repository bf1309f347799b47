"""What checks results from outside: federal list, observers, re-marked works, yearly marks, medals, explanations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

import numpy as np

from sample_region import exams
from sample_region.assessment import Generation, Ints, Results
from sample_region.courier import Courier, moment, template
from sample_region.exams import ExamResults, Graduates
from sample_region.files import Cell, as_csv, as_xlsx
from sample_region.region import YEARS, Organisation, stream
from sample_region.works import SUBJECT

_LIST_COLUMNS = (("RU", 4), ("MA", 4), ("RU", 5), ("MA", 5))
_FOUND_BY_LIST = ("inflated_answers", "copied_answers")
_RECHECKED = ("boundary_marks", "inflated_answers", "copied_answers")
_PERSON = ["ris_code", "last_name", "first_name", "middle_name", "document_series", "document_number"]


def deliver(courier: Courier, generation: Generation, results: list[Results]) -> None:
    """One file of each source a year; the federal list is one book of all years, as it is published."""
    _federal_list(courier, generation)
    for year in YEARS:
        _observation(courier, generation, year)
        _recheck(courier, generation, [result for result in results if result.year == year])
        _yearly_marks(courier, generation, year)
        _medals(courier, generation, year)
    _explanations(courier, generation)


def _federal_list(courier: Courier, generation: Generation) -> None:
    """Schools that cheat in answers, and a few honest ones: the list is no truth."""
    rng = stream(generation.region.seed, "federal list")
    cheats = {login for sign in _FOUND_BY_LIST for login in generation.schemes.of(sign)}
    header: list[Cell] = ["Год", "Логин", "Муниципалитет", "ОО", "4 РУ", "4 МА", "5 РУ", "5 МА", "Количество маркеров"]
    rows: list[list[Cell]] = [header]
    for year in YEARS:
        for school in generation.region.schools:
            chance = 0.6 if school.login in cheats else 0.02
            marked = rng.random(len(_LIST_COLUMNS)) < chance
            if school.open_in(year) and marked.any():
                named = [str(year), school.login, school.municipality.name, school.full_name]
                rows.append([*named, *(1 if mark else None for mark in marked), int(marked.sum())])
    file = "inbox/federal_bias_list/Признаки необъективности.xlsx"
    content = as_xlsx({"Признаки необъективности": rows})
    courier.deliver(file, content, layout="published_list", rows=len(rows) - 1, at=moment(2025, 9, 15))


def _observation(courier: Courier, generation: Generation, year: int) -> None:
    """Whole schools under federal observers, some works of grade 4 under municipal ones: nobody cheats there."""
    rng, cheats = stream(generation.region.seed, "observation", year), generation.schemes.signs
    schools = [school for school in generation.region.schools if school.open_in(year) and school.login not in cheats]
    order = rng.permutation(len(schools))
    federal, municipal = order[: max(2, len(schools) // 15)], order[-max(2, len(schools) // 20) :]
    day = date(year, 4, 16)
    rows: list[list[Cell]] = [
        [year, schools[number].login, "федеральный", None, None, day, None] for number in sorted(federal)
    ]
    rows += [
        [year, schools[number].login, "муниципальный", 4, "Математика", day, "да" if place else "нет"]
        for place, number in enumerate(sorted(municipal))
    ]
    columns = ["year", "organisation_code", "observer_kind", "grade", "subject_code", "observed_on", "is_observed"]
    _template(courier, "observation", f"Наблюдение {year}", columns, rows, year, 6)


def _recheck(courier: Courier, generation: Generation, results: list[Results]) -> None:
    """Works of grade 4 marked again: over the boundary none of the added points stands, elsewhere experts agree."""
    schemes = generation.schemes
    logins = [login for sign in _RECHECKED for login in schemes.of(sign)[:2]]
    rows: list[list[Cell]] = []
    for result in results:
        work = result.work
        if work.grade != 4:
            continue
        rng = stream(generation.region.seed, "recheck", result.year, work.subject)
        for number, school in enumerate(generation.region.schools):
            if school.login not in logins:
                continue
            pushed = school.login in schemes.of("boundary_marks")
            present = result.rows_of(number)
            for row in sorted(rng.permutation(present[~result.absent[present]])[:20]):
                score = int(result.totals[row])
                lifted = pushed and any(0 <= score - least <= 1 for least in work.least)
                again = score - (int(rng.integers(2, 4)) if lifted else int(rng.integers(-1, 2)))
                again = min(max(again, 0), work.max_score)
                named: list[Cell] = [result.year, work.grade, SUBJECT[work.subject], school.login, "муниципальная"]
                rows.append([*named, int(result.code[row]), score, again, date(result.year, 8, 20)])
    columns = ["year", "grade", "subject_code", "organisation_code", "rechecked_by"]
    columns += ["participant_code", "school_score", "recheck_score", "rechecked_on"]
    year = results[0].year
    _template(courier, "recheck", f"Перепроверка {year}", columns, rows, year, 8)


def _yearly_marks(courier: Courier, generation: Generation, year: int) -> None:
    """Marks of the year in Russian and mathematics; some schools are kinder than their exams turn out."""
    kind = set(generation.schemes.of("inflated_journal"))
    rows: list[list[Cell]] = []
    for grade in (9, 11):
        found = exams.graduates(generation, year, grade)
        rng = stream(generation.region.seed, "yearly marks", year, grade)
        for subject in ("RU", "MA"):
            seen = found.ability + rng.normal(0.15, 0.5, found.ability.size)
            marks = np.maximum(2 + np.searchsorted([-2.2, -0.2, 1.0], seen), 3)
            for person, cells in _people(generation, found):
                school = generation.region.schools[found.school[person]]
                mark = min(int(marks[person]) + (school.login in kind), 5)
                rows.append([year, grade, SUBJECT[subject], *cells, mark])
    columns = ["year", "grade", "subject_code", *_PERSON, "yearly_mark"]
    _template(courier, "yearly_mark", f"Годовые отметки {year}", columns, rows, year, 5)


def _medals(courier: Courier, generation: Generation, year: int) -> None:
    """The best of every school claim a medal; two schools give it whatever the exams say."""
    found = exams.graduates(generation, year, 11)
    ordinary = [school.login for school in generation.region.schools if school.kind == "secondary" and school.urban]
    generous = ordinary[:2]
    russian, best = _scores(found, exams.ege(generation, found))
    rows: list[list[Cell]] = []
    for person, cells in _people(generation, found):
        ability = found.ability[person]
        if ability < 1.1:
            continue
        degree = 1 if ability >= 1.4 or year < 2024 else 2
        least = 70 if degree == 1 else 60
        issued = (russian[person] >= least and best[person] >= least) or (
            generation.region.schools[found.school[person]].login in generous
        )
        rows.append([year, *cells, "I степени" if degree == 1 else "II степени", "да" if issued else "нет"])
    columns = ["year", *_PERSON, "degree", "is_issued"]
    _template(courier, "medal", f"Медали {year}", columns, rows, year, 7)


def _scores(found: Graduates, results: Iterable[ExamResults]) -> tuple[Ints, Ints]:
    """Test scores of ЕГЭ by graduate: Russian, and the best of the other subjects; −1 where there is none."""
    russian, best = np.full(found.school.size, -1), np.full(found.school.size, -1)
    for result in results:
        if result.test_scores is None:
            continue
        target = russian if result.exam.subject == "RU" else best
        target[result.person] = np.maximum(target[result.person], result.test_scores)
    return russian, best


def _people(generation: Generation, found: Graduates) -> Iterator[tuple[int, list[Cell]]]:
    """Every graduate with the cells of `_PERSON`, as the protocols of that grade name them."""
    for person, named in enumerate(found.persons):
        school: Organisation = generation.region.schools[found.school[person]]
        code = school.ris_code_ege if found.grade == 11 else school.ris_code
        yield person, [code, named.last_name, named.first_name, named.middle_name, *found.document(person)]


def _explanations(courier: Courier, generation: Generation) -> None:
    """What schools said about their signs, and what was decided."""
    answers = {
        "inflated_answers": ("другое", "Школа с результатами согласна, причин не назвала", "наблюдение"),
        "boundary_marks": ("ошибка проверки", "Критерии пограничных работ поняты неверно", "перепроверка"),
        "copied_answers": ("нарушение порядка", "Рассадка не соблюдалась", "профилактика"),
    }
    rows: list[list[Cell]] = [
        [YEARS[-1], login, 4, "Математика", reason, comment, decision, date(YEARS[-1], 10, 20)]
        for sign, (reason, comment, decision) in answers.items()
        for login in generation.schemes.of(sign)
    ]
    gymnasium = next(school for school in generation.region.schools if school.kind == "gymnasium")
    cells: list[Cell] = [YEARS[-1], gymnasium.login, 4, "Русский язык", "профильный класс", None, "принято", None]
    rows.append(cells)
    columns = ["year", "organisation_code", "grade", "subject_code"]
    columns += ["reason_code", "public_comment", "decision", "decided_on"]
    _template(courier, "objectivity_explanation", f"Пояснения {YEARS[-1]}", columns, rows, YEARS[-1], 11)


def _template(
    courier: Courier, source: str, name: str, columns: list[str], rows: list[list[Cell]], year: int, month: int
) -> None:
    """Deliver rows in the source's own template, the last year as a workbook, the years before as csv."""
    table, file, at = template(source, columns, rows), f"inbox/{source}/{name}", moment(year, month, 25)
    if year == YEARS[-1]:
        file, content = f"{file}.xlsx", as_xlsx({"Данные": table})
    else:
        file, content = f"{file}.csv", as_csv(table, encoding="utf-8-sig", delimiter=";")
    courier.deliver(file, content, layout="template", rows=len(rows), at=at)
