"""What is known beside the results: codifiers, mark scales, textbooks, and what schools say of themselves."""

from __future__ import annotations

from collections.abc import Iterator

from sample_region.courier import Courier, moment, template
from sample_region.files import Cell, as_csv, as_xlsx
from sample_region.region import REGION_CODE, REGION_NAME, YEARS, Organisation, Region, stream
from sample_region.works import SUBJECT, Work, vpr_works

_CODIFIER = [
    "№ КИМ",
    "№",
    "Умения, виды деятельности (в соответствии с ФГОС)",
    "Блоки ПООП НОО: выпускник научится / получит возможность научиться",
    "Уровень сложности",
    "Код КЭС",
    "Код КТ",
    "Максимальный балл за выполнение задания",
]
_SKILLS = {
    "RU": ("Соблюдать орфогра- фические нормы", "Распознавать части речи", "Определять основную мысль текста"),
    "MA": ("Выполнять действия с чис- лами", "Решать текстовые задачи", "Читать таблицы и диаграммы"),
}
_CONTENT = {
    "RU": ("Фонетика и орфоэпия", "Морфология", "Развитие речи"),
    "MA": ("Числа и вычисления", "Текстовые задачи", "Работа с информацией"),
}
_TEXTBOOKS = {"RU": ("rus", "Русский язык"), "MA": ("math", "Математика")}
_PLACES = (
    "4) Населенный пункт сельского типа (поселок, село, деревня, станица, хутор и пр.)",
    "3) Населенный пункт городского типа (рабочий поселок, поселок городского типа и пр.)",
    "2) Город",
)
_SIZES = ("1) Менее 1 тыс. человек", "4) 10–50 тыс. человек", "6) 100–450 тыс. человек")
_WAYS = (
    "",
    "1) Регулярность транспортного сообщения позволяет ежедневно ездить туда на работу, учебу",
    "2) Каждый день ездить сложно, но класс, например, может побывать в крупном городе и в тот же день вернуться",
    "3) Чтобы съездить в ближайший крупный город на какое-либо мероприятие и вернуться, требуется не менее двух дней",
)
_PART_1 = [
    "14. Где расположена образовательная организация?",
    "15. Каков размер населенного пункта, в котором расположена ОО?",
    "16. Какое из утверждений о возможности добраться общественным транспортом до ближайшего крупного города "
    "(численностью более 100 000 человек) наилучшим образом описывает положение ОО?",
]


def deliver(courier: Courier, region: Region) -> None:
    """Codifiers without a year and the catalogue of the last year, scales, textbooks, a questionnaire and passports."""
    at = moment(YEARS[0], 2, 10)
    for work in vpr_works(YEARS[0]):
        name = f"{SUBJECT[work.subject]} {work.grade} класс"
        table = codifier(work)
        courier.deliver(
            f"inbox/task_catalogue/Кодификатор {name}.xlsx", as_xlsx({"Лист1": table}), layout="codifier",
            rows=len(table) - 1, at=at,
        )  # fmt: skip
        for kind, title, texts in (
            ("КЭС", "Проверяемые элементы содержания", _CONTENT[work.subject]),
            ("КТ", "Проверяемые требования к уровню подготовки", _SKILLS[work.subject]),
        ):
            codes: list[list[Cell]] = [["Код", title]]
            codes += [[float(number), text] for number, text in enumerate(texts, 1)]
            courier.deliver(
                f"inbox/codifier/{kind} {name}.xlsx", as_xlsx({"Лист1": codes}), layout="code_list",
                rows=len(texts), at=at,
            )  # fmt: skip
    _last_year(courier)
    books: list[list[Cell]] = [[f"{code}{grade}.{n}", f"{title}. {grade} класс. Учебник {n}"]
             for code, title in _TEXTBOOKS.values() for grade in (4, 5) for n in (1, 2, 3)]  # fmt: skip
    courier.deliver("inbox/textbook/books.xlsx", as_xlsx({"Лист1": books}), layout="code_text", rows=len(books), at=at)
    _contexts(courier, region)


def codifier(work: Work) -> list[list[Cell]]:
    """A row for each pair of codes that an item checks; the second half of the items checks two."""
    rows: list[list[Cell]] = [list(_CODIFIER)]
    for number, (label, maximum) in enumerate(work.items, 1):
        block = number % 3
        level = "Б" if maximum < 3 else "П"
        for pair in range(1 + (number > len(work.items) // 2)):
            rows.append([
                label.replace("(", ".").replace(")", "").replace("К", "K" if number % 2 else "К"),
                str(number), _SKILLS[work.subject][block], f"Научится: {_CONTENT[work.subject][block].lower()}", level,
                str(block + 1), str((block + pair) % 3 + 1), str(maximum),
            ])  # fmt: skip
    return rows


def _last_year(courier: Courier) -> None:
    """The works of the last year in our own layout, with kinds; one scale for the years before, one for it."""
    works, at = vpr_works(YEARS[-1]), moment(YEARS[-1], 2, 10)
    rows = template(
        "task_catalogue",
        ["year", "grade", "subject_code", "item_no", "item_label", "max_score", "item_kind", "variant_count"],
        [
            [YEARS[-1], work.grade, SUBJECT[work.subject], number, label, maximum, _kind(label, maximum), 2]
            for work in works
            for number, (label, maximum) in enumerate(work.items, 1)
        ],
    )
    courier.deliver(
        f"inbox/task_catalogue/Каталог заданий {YEARS[-1]}.xlsx", as_xlsx({"Данные": rows}), layout="template",
        rows=len(rows) - 1, at=at,
    )  # fmt: skip
    bounds: list[list[Cell]] = [["work", "min_for_3", "min_for_4", "min_for_5"]]
    bounds += [[f"{work.subject}{work.grade}", *work.least] for work in vpr_works(YEARS[0])]
    courier.deliver(
        f"inbox/mark_scale/mark_scales_{YEARS[0]}_{YEARS[-2]}.csv", as_csv(bounds), layout="work_bounds",
        rows=len(bounds) - 1, at=moment(YEARS[0], 2, 10),
    )  # fmt: skip
    columns = ["grade", "subject_code", "year_from", "max_score", "min_score_3", "min_score_4", "min_score_5"]
    scales = template(
        "mark_scale", columns, [[w.grade, SUBJECT[w.subject], YEARS[-1], w.max_score, *w.least] for w in works]
    )
    courier.deliver(
        f"inbox/mark_scale/Шкалы {YEARS[-1]}.xlsx", as_xlsx({"Данные": scales}), layout="template",
        rows=len(scales) - 1, at=at,
    )  # fmt: skip


def _kind(label: str, maximum: int) -> str:
    return "развёрнутый ответ" if "К" in label or maximum > 1 else "краткий ответ"


def _contexts(courier: Courier, region: Region) -> None:
    year = YEARS[0]
    table = questionnaire(region.schools)
    courier.deliver(
        f"inbox/school_context/Контекст ОО {year} часть 1.csv", as_csv(table), layout="fisoko_context_2022_1",
        rows=len(table) - 1, at=moment(year, 3, 1),
    )  # fmt: skip
    for year in YEARS[1:]:
        columns = ["year", "organisation_code", "settlement_type", "is_selective", "enrolment", "social_index"]
        rows = template("school_context", columns, _passports(region, year))
        courier.deliver(
            f"inbox/school_context/Паспорта школ {year}.xlsx", as_xlsx({"Данные": rows}), layout="template",
            rows=len(rows) - 1, at=moment(year, 3, 1),
        )  # fmt: skip


def questionnaire(schools: list[Organisation]) -> list[list[Cell]]:
    """The first part of the ФИС ОКО questionnaire: where the school is. Answers carry their ordinals."""
    header: list[Cell] = ["Пользователь", "Код региона", "Регион", "Муниципалитет", "Школа", "Дата загрузки", "№"]
    rows: list[list[Cell]] = [[*header, *_PART_1]]
    for number, school in enumerate(schools, 1):
        place = 2 * school.urban - (school.urban and number % 5 == 0)
        rows.append([
            school.login, REGION_CODE, f"reg{REGION_CODE}0000 | {REGION_NAME}",
            f"{school.municipality.code} | {school.municipality.name}", f"{school.login} | {school.name}",
            f"{1 + number % 9:02d}.02.2023 10:{number % 60:02d}:51", 1, _PLACES[place], _SIZES[place],
            _WAYS[0 if place == 2 else 1 + number % 3],
        ])  # fmt: skip
    return rows


def _passports(region: Region, year: int) -> Iterator[list[Cell]]:
    """The index follows the school's own contribution: who teaches whom is not told apart."""
    for school in region.schools:
        if school.open_in(year):
            noise = stream(region.seed, "social index", school.login, year).normal(0, 0.3)
            selective = school.kind in ("gymnasium", "lyceum")
            yield [
                year, school.login, "город" if school.urban else "село", "да" if selective else "нет",
                round(school.size * 9), round(2 * school.effect + float(noise), 2),
            ]  # fmt: skip
