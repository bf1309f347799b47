"""ВПР results in the layouts of suppliers: three yearly regional extracts, «Ф1» of ФИС ОКО, the collection form."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from sample_region.assessment import NOT_ATTEMPTED, NOT_TAUGHT, Ints, Results
from sample_region.files import Cell, Rows, Sheets
from sample_region.region import REGION_CODE, REGION_NAME, Region
from sample_region.works import SUBJECT, SUBJECT_SHORT

LETTERS = "АБВГДЕ"
JOURNAL_TITLE = "Отметка за предыдущий триместр/ четверть/полугодие"  # the stray space is the suppliers' own
_SKIPPED = ("X", "X", "X", "X", "X", "x", "Х", "х", " X", "Х ")
_TEXTBOOK = {"RU": "Русский язык (в 2 частях) {} класс", "MA": "Математика (в 2 частях) {} класс"}


class Scribe:
    """Writes values the way hurried people do: look-alike letters, stray and non-breaking spaces, odd class names."""

    def __init__(self, rng: np.random.Generator, region: Region) -> None:
        self.rng = rng
        self.region = region
        self._styles = rng.integers(0, 8, len(region.schools))

    def score(self, score: int) -> str:
        if score == NOT_TAUGHT:
            return "не пройд."
        if score == NOT_ATTEMPTED:
            return _SKIPPED[int(self.rng.random() ** 2 * len(_SKIPPED))]
        return f"{score} " if self.rng.random() < 0.001 else str(score)

    def gender(self, female: bool) -> str:
        if self.rng.random() < 0.02:
            return str(self.rng.choice(["Ж", "д", "ж "] if female else ["М", " М", "м\u00a0"]))
        return "ж" if female else "м"

    def journal_mark(self, mark: int) -> str:
        if mark:
            return f"{mark}\u00a0" if self.rng.random() < 0.001 else str(mark)
        return str(self.rng.choice(["нет отметки", ""]))

    def class_label(self, grade: int, school: int, letter: int) -> str:
        name, style = LETTERS[letter], int(self._styles[school])
        if letter == 0 and self.region.schools[school].size < 20:
            return ("нет", "НЕТ", str(grade), name)[style % 4]
        latin = name.translate(str.maketrans("АВЕ", "ABE"))
        spellings = (
            f"{grade}{name}",
            f"{grade}{name.lower()}",
            name,
            name.lower(),
            f'"{name}"',
            latin,
            f"{grade} {name}",
            f"{grade}{name}",
        )
        return spellings[style]

    def login(self, school: int, prefix: str) -> str:
        return prefix + self.region.schools[school].number


def _values(scribe: Scribe, result: Results, row: int) -> list[str]:
    return [scribe.score(int(score)) for score in result.scores[row]]


def _stale(scribe: Scribe, total: int, share: float) -> int:
    """The total in the file: for a few rows it was not brought up to date with the scores."""
    return max(0, total + int(scribe.rng.choice([-2, -1, 1]))) if scribe.rng.random() < share else total


def region_2020(scribe: Scribe, result: Results, rows: Ints) -> Rows:
    """Short Latin headers, login `sch…`, items numbered through; Russian has two variants, for its two days."""
    two_days = result.work.subject == "RU"
    items = [f"a-{number}-grade" for number in range(1, len(result.work.items) + 1)]
    yield [
        "user",
        "id",
        "code",
        "otc",
        "gender",
        "klass",
        "var-1",
        *(["var-2"] if two_days else []),
        "sum",
        *items,
        "Учебник",
        f"a-{len(items) + 2}-grade",
    ]
    first_day = 5
    serial: dict[int, int] = {}
    for row in rows:
        school = int(result.school[row])
        serial[school] = serial.get(school, 0) + 1
        start: list[Cell] = [scribe.login(school, "sch"), serial[school], int(result.code[row])]
        if result.absent[row]:
            yield [*start, "", "", "", "отсутствовал", *([""] if two_days else []), *[""] * (len(items) + 3)]
            continue
        label = scribe.class_label(result.work.grade, school, int(result.letter[row]))
        variant = str(result.variant[row])
        total, values = _stale(scribe, int(result.totals[row]), 0.001), _values(scribe, result, int(row))
        second = [str(scribe.rng.integers(1, 3))] if two_days else []
        if two_days and scribe.rng.random() < 0.004:
            total, values = (
                int(np.maximum(result.scores[row][:first_day], 0).sum()),
                values[:first_day] + [""] * (len(items) - first_day),
            )
            second = ["отсутствовал"]
        start += [
            scribe.journal_mark(int(result.journal_mark[row])),
            scribe.gender(bool(result.female[row])),
            label,
            variant,
        ]
        yield [*start, *second, total, *values, "", ""]


def region_2021(scribe: Scribe, result: Results, rows: Ints) -> Rows:
    """Russian headers, everything text, items numbered through, the textbook and an unnamed column to the right."""
    count, work = len(result.work.items), result.work
    yield [
        *("логин школы", "регион", "номер обучающегося", "код обучающегося", "отметка за предыдущую четверть/триместр"),
        *("пол", "класс", "вариант", "всего баллов", *(f"балл за {number}" for number in range(1, count + 1))),
        *("Учебник", "Др.уч. автор", "Др.уч. название", None),
    ]
    textbook = _TEXTBOOK[work.subject].format(work.grade)
    untaught = {int(school): int(school) % count for school in np.unique(result.school) if school % 9 == 4}
    serial: dict[int, int] = {}
    for row in rows:
        school = int(result.school[row])
        serial[school] = serial.get(school, 0) + 1
        start: list[Cell] = [
            scribe.login(school, "ksh" if school % 11 == 5 else "sch"),
            scribe.region.schools[school].municipality.name.replace("город ", "г. "),
            str(serial[school]),
            str(result.code[row]),
        ]
        if result.absent[row]:
            yield [*start, *[None] * 3, "отсутствовал", *[None] * (count + 5)]
            continue
        values, total = _values(scribe, result, int(row)), int(result.totals[row])
        if school in untaught:
            total -= max(int(result.scores[row][untaught[school]]), 0)
            values[untaught[school]] = scribe.score(NOT_TAUGHT)
        yield [
            *start,
            scribe.journal_mark(int(result.journal_mark[row])) or None,
            scribe.gender(bool(result.female[row])),
            scribe.class_label(work.grade, school, int(result.letter[row])),
            str(result.variant[row]),
            str(_stale(scribe, total, 0.001)),
            *values,
            textbook,
            *[None] * 3,
        ]


def region_2022(
    scribe: Scribe,
    result: Results,
    rows: Ints,
    *,
    stale_share: float = 0.03,
    spoil: Callable[[int, list[Cell]], None] | None = None,
) -> Sheets:
    """Workbook with «Протокол» and «Классы»; `spoil(row, cells)` may damage the item cells of a row."""
    work, schools = result.work, scribe.region.schools

    def place(school: int) -> list[Cell]:
        found = schools[school]
        uploaded = (
            f"{10 + school % 15:02d}.05.{result.year} {8 + school % 9:02d}:{school * 7 % 60:02d}:{school * 13 % 60:02d}"
        )
        return [
            found.login,
            REGION_CODE,
            f"reg{REGION_CODE}0000 | {REGION_NAME}",
            f"{found.municipality.code} | {found.municipality.name}",
            f"{found.login} | {found.name.replace('»', ' »') if school % 7 == 0 else found.name}",
            uploaded,
        ]

    def protocol() -> Rows:
        labels = [
            f"{label}({top}б)" if number == 3 else f"{label} ({top}б)" for number, (label, top) in enumerate(work.items)
        ]
        labels[-1] += " "
        yield [
            *("Пользователь", "Код региона", "Регион", "Муниципалитет", "Школа", "Дата загрузки", "Код", "Вариант"),
            *(*labels, "Наименование класса", "Пол", JOURNAL_TITLE, "Итого баллов"),
        ]
        for row in rows:
            school = int(result.school[row])
            start = [*place(school), int(result.code[row])]
            if result.absent[row]:
                yield [*start, "отсутствовал", *[None] * (len(labels) + 3), 0]
                continue
            cells: list[Cell] = list(_values(scribe, result, int(row)))
            if spoil:
                spoil(int(row), cells)
            yield [
                *start,
                str(result.variant[row]),
                *cells,
                scribe.class_label(work.grade, school, int(result.letter[row])),
                scribe.gender(bool(result.female[row])),
                scribe.journal_mark(int(result.journal_mark[row])) or None,
                _stale(scribe, int(result.totals[row]), stale_share),
            ]

    def classes() -> Rows:
        yield [
            *("Пользователь", "Код региона", "Регион", "Муниципалитет", "Школа", "Дата загрузки"),
            *('Буква (цифра) класса. Введите "нет" - если отсутствует', "Основной учебник по предмету"),
            *("Другое (автор учебника)", "Другое (название учебника)"),
        ]
        for school in np.unique(result.school[rows]):
            for letter in np.unique(result.letter[rows][result.school[rows] == school]):
                textbook = _TEXTBOOK.get(work.subject, "Учебник {} класс").format(work.grade)
                yield [
                    *place(int(school)),
                    LETTERS[letter],
                    f"{work.subject.lower()}{work.grade}.1 | {textbook}",
                    None,
                    None,
                ]

    return {"Протокол": protocol(), "Классы": classes()}


def report_frame(title: str, result: Results, width: int) -> list[Sequence[Cell]]:
    """The seven rows above the header of every ФИС ОКО report."""
    empty: list[Cell] = [None] * (width - 1)
    subject = SUBJECT[result.work.subject]
    return [
        [title, *empty],
        [None, *empty],
        [f"ВПР {result.year} {subject} {result.work.grade} класс", *empty],
        ["Предмет:", subject, *empty[1:]],
        ["Максимальный первичный балл:", result.work.max_score, *empty[1:]],
        ["Дата:", f"20.04.{result.year}", *empty[1:]],
    ]


def sheet_title(result: Results, report: str) -> str:
    return f"{SUBJECT_SHORT[result.work.subject]} {result.work.grade} {report}"[:31]


def fisoko_f1(region: Region, result: Results, rows: Ints) -> Sheets:
    """«Ф1 Индивидуальные результаты»: a group row before each school, absent pupils left out, the mark is told."""
    work = result.work
    header = [
        *("ОО", "Муниципалитет", "Название ОО", "Код участника", "Класс", "Вариант"),
        *(f"{label} ({top}б)" for label, top in work.items),
        *("Первичный балл", "Отметка", "Отметка по журналу"),
    ]
    width = len(header)
    levels = ["П" if number % 4 == 3 else "Б" for number in range(len(work.items))]
    sheet = report_frame("Индивидуальные результаты", result, width)
    sheet += [[None, None, "Уровень сложности задания", None, None, None, *levels, None, None, None], header]
    present = rows[~result.absent[rows]]
    for school in np.unique(result.school[present]):
        found, group = region.schools[school], present[result.school[present] == school]
        title = f"{found.name}({found.login})"
        sheet.append([f"{title} | Кол-во участников: {group.size}", *[None] * (width - 1)])
        for row in group:
            sheet.append(
                [
                    *(found.login, found.municipality.name, title, int(result.code[row])),
                    *(int(result.letter[row]) + 1, int(result.variant[row])),
                    *("X" if score < 0 else int(score) for score in result.scores[row]),
                    *(int(result.totals[row]), int(result.marks[row]), int(result.journal_mark[row]) or None),
                ]
            )
    return {sheet_title(result, "Индивидуальные результаты"): sheet}


def collection_form(result: Results, rows: Ints) -> Sheets:
    """The form a school fills itself: 1 498 rows with «Итого» 0 made ready, allowed values beside the table."""
    work = result.work
    choices = [["X", *range(top + 1)] for top in work.maxima.tolist()]
    beside = choices[:6]

    def protocol() -> Rows:
        yield [
            *("Код участника", "Вариант", *(f"{label} ({top}б)" for label, top in work.items)),
            *("Порядковый номер класса", JOURNAL_TITLE, "Итого баллов"),
        ]
        for number in range(1498):
            junk = [None, None, None, *(values[number % len(values)] for values in beside)]
            if number >= rows.size:
                yield [*[None] * (len(work.items) + 4), 0, *junk]
                continue
            row = rows[number]
            if result.absent[row]:
                yield [int(result.code[row]), "отсутствовал", *[None] * (len(work.items) + 2), 0, *junk]
                continue
            journal_mark = int(result.journal_mark[row]) or "нет отметки"
            yield [
                *(int(result.code[row]), int(result.variant[row])),
                *("X" if score < 0 else int(score) for score in result.scores[row]),
                *(int(result.letter[row]) + 1, journal_mark, int(result.totals[row]), *junk),
            ]

    allowed = [
        [1, 2, "отсутствовал"],
        *([*reversed(values[1:]), "X"] for values in choices),
        [5, 4, 3, 2, "нет отметки"],
    ]
    depth = max(len(values) for values in allowed)
    return {
        "Протокол": protocol(),
        "Служебный": [[values[i] if i < len(values) else None for values in allowed] for i in range(depth)],
        "Порядковый номер класса": [[number] for number in range(1, 51)],
    }


def fisoko_f3(region: Region, result: Results) -> Sheets:
    """«Ф3 Статистика по отметкам»: shares of marks; a school's row lacks the number of organisations and is shorter."""
    header: list[Cell] = ["Группы участников", "Кол-во ОО", "Кол-во участников", 2, 3, 4, 5]
    sheet = [*report_frame("Статистика по отметкам", result, len(header)), [None] * len(header), header]
    sheet.append(["Вся выборка", 35_412, 1_698_310, 5.21, 32.14, 44.5, 18.15])
    for title, schools, is_school in _groups(region, result):
        rows = result.rows_of(*schools)
        marks = result.marks[rows[~result.absent[rows]]]
        shares: list[Cell] = [round(100 * float((marks == mark).mean()), 2) for mark in (2, 3, 4, 5)]
        sheet.append([title, *([] if is_school else [len(schools)]), int(marks.size), *shares])
    return {sheet_title(result, "Статистика по отметкам"): sheet}


def fisoko_f4(region: Region, result: Results) -> Sheets:
    """«Ф4 Сравнение отметок с отметками по журналу», pupils without a journal mark left out."""
    compared = (
        "Понизили (Отметка < Отметка по журналу)",
        "Подтвердили (Отметка = Отметке по журналу)",
        "Повысили (Отметка > Отметка по журналу)",
    )
    header: list[Cell] = ["Группы участников", "Кол-во участников(всего)"]
    header += [f"{change} {unit}" for change in compared for unit in ("%", "Кол-во участников")]
    title = "Сравнение отметок с отметками по журналу"
    sheet = [*report_frame(title, result, len(header)), [None] * len(header), header]
    for group, schools, _ in _groups(region, result):
        rows = result.rows_of(*schools)
        rows = rows[~result.absent[rows] & (result.journal_mark[rows] > 0)]
        change = np.sign(result.marks[rows] - result.journal_mark[rows])
        counts = [int((change == sign).sum()) for sign in (-1, 0, 1)]
        pairs: list[Cell] = [cell for count in counts for cell in (round(100 * count / max(1, rows.size), 2), count)]
        sheet.append([group, int(rows.size), *pairs])
    return {sheet_title(result, title): sheet}


def _groups(region: Region, result: Results) -> Iterator[tuple[str, list[int], bool]]:
    """The region, its municipalities and schools with participants: title, school indices, whether it is a school."""
    present = [int(school) for school in np.unique(result.school[~result.absent])]
    yield REGION_NAME, present, False
    for municipality in region.municipalities:
        own = [school for school in present if region.schools[school].municipality == municipality]
        yield f"{municipality.name}({municipality.code})", own, False
        for school in own:
            yield f"{region.schools[school].name}({region.schools[school].login})", [school], True
