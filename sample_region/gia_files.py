"""ГИА results in the layouts of РЦОИ: sparse and compact protocols with one or several exams, the normalised csv."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sample_region.exams import ExamResults
from sample_region.files import Cell, Rows
from sample_region.region import REGION_CODE, REGION_NAME, Organisation

_LETTERS = "АБВГДЕ"


def short_mask(points: Sequence[int]) -> str:
    """One sign a task: `-` nothing, `+` one point, a digit for more."""
    return "".join("-" if point == 0 else "+" if point == 1 else str(point) for point in points)


def long_mask(points: Sequence[int], maxima: Sequence[int]) -> str:
    """Points and maximum of every criterion: `2(3)0(2)`."""
    return "".join(f"{point}({maximum})" for point, maximum in zip(points, maxima, strict=True))


def _title(result: ExamResults) -> str:
    return f"{result.exam.number:02d} - {result.exam.title} {result.day}"


def _lines(result: ExamResults, schools: list[Organisation]) -> Iterator[dict[str, Cell]]:
    """One participant after another, by school, under the names of the normalised csv."""
    found, exam = result.graduates, result.exam
    order = sorted(range(result.person.size), key=lambda row: (int(found.school[result.person[row]]), row))
    for row in order:
        person = int(result.person[row])
        school = schools[found.school[person]]
        named, (series, number) = found.persons[person], found.document(person)
        yield {
            "school": school.ris_code_ege if exam.procedure == "ege" else school.ris_code,
            "class": f"{found.grade}{_LETTERS[found.letter[person]]}",
            "station": int(result.station[row]),
            "room": f"{result.room[row]:04d}",
            "municipality": school.municipality.msu_code,
            "surname": named.last_name,
            "name": named.first_name,
            "patronymic": named.middle_name,
            "series": series,
            "number": number,
            "short": short_mask(result.short[row].tolist()),
            "long": long_mask(result.long[row].tolist(), exam.long) or None,
            "primary": int(result.primary_scores[row]),
            "mark": int(result.marks[row]) if result.marks is not None else None,
            "test": int(result.test_scores[row]) if result.test_scores is not None else None,
        }


# Column positions come from merged cells: most of them have an empty neighbour.
_SPARSE = {
    "Код ОО": (1, "school"),
    "Класс": (2, "class"),
    "Код ППЭ": (4, "station"),
    "Аудитория": (6, "room"),
    "Код МСУ": (8, "municipality"),
    "Фамилия": (10, "surname"),
    "Имя": (12, "name"),
    "Отчество": (13, "patronymic"),
}


def sparse_protocol(results: list[ExamResults], schools: list[Organisation], *, documents: bool) -> Rows:
    """Several exams under each other, the header repeated; with `documents` 25 columns, without them 21."""
    columns = dict(_SPARSE)
    if documents:
        columns |= {"серия": (14, "series"), "номер": (16, "number")}
    start = 18 if documents else 14
    columns["Задания с кратким ответом"] = (start, "short")
    columns["Задания с развёрнутым ответом"] = (start + 3, "long")
    columns["Первичный балл"] = (start + 4, "primary")
    width = start + 7
    yield _sparse_row(width, {0: "Протокол проверки результатов"})
    yield _sparse_row(width, {0: f"{REGION_CODE} - {REGION_NAME}"})
    for result in results:
        last = ("Балл", (width - 1, "test")) if result.exam.test_score else ("Оценка", (width - 1, "mark"))
        present = {**columns, last[0]: last[1]}
        if not result.exam.long:
            del present["Задания с развёрнутым ответом"]
        yield _sparse_row(width, {0: _title(result)})
        yield _sparse_row(width, {})
        yield _sparse_row(width, {0: "№", **{place: label for label, (place, _) in present.items()}})
        for number, line in enumerate(_lines(result, schools), start=1):
            yield _sparse_row(width, {0: number, **{place: line[name] for place, name in present.values()}})
        yield _sparse_row(width, {0: "Средние"})


def _sparse_row(width: int, cells: dict[int, Cell]) -> list[Cell]:
    return [cells.get(place) for place in range(width)]


def compact_protocol(results: list[ExamResults], schools: list[Organisation]) -> Rows:
    """ЕГЭ as municipalities get it: the exam in the first cell, the header below it, no empty columns."""
    for result in results:
        base = [
            "municipality",
            "school",
            "class",
            "station",
            "room",
            "surname",
            "name",
            "patronymic",
            "series",
            "number",
        ]
        header = ["Код МСУ", "Код ОО", "Класс", "Код ППЭ", "Аудитория", "Фамилия", "Имя", "Отчество", "серия", "номер"]
        names = [*base, "short", *(["long"] if result.exam.long else []), "primary"]
        header += ["Задания с кратким ответом", *(["Задания с развернутым ответом"] if result.exam.long else [])]
        header += ["Первичный балл", "Балл" if result.exam.test_score else "Отметка"]
        names.append("test" if result.exam.test_score else "mark")
        yield [_title(result)]
        yield header
        for line in _lines(result, schools):
            yield [line[name] for name in names]


_CSV = {
    "SchoolCode": "school",
    "ClassCode": "class",
    "StationCode": "station",
    "AuditoriumCode": "room",
    "GovernmentCell": "municipality",
    "SurnameCell": "surname",
    "NameCell": "name",
    "SecondNameCell": "patronymic",
    "DocumentSeriesCode": "series",
    "DocumentNumberCode": "number",
    "TestResultBCell": "short",
    "TestResultCCell": "long",
    "PrimaryMark": "primary",
}


def normalised(result: ExamResults, schools: list[Organisation]) -> Rows:
    """The export with English headers; exam and day are told by the file name alone (`csv_name`)."""
    columns = {**_CSV, **({"Mark100": "test"} if result.exam.test_score else {"Mark5": "mark"})}
    yield list(columns)
    for line in _lines(result, schools):
        yield [line[name] for name in columns.values()]


def csv_name(result: ExamResults) -> str:
    return f"{result.exam.number:02d}_{result.day}"
