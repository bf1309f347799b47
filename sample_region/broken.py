"""Files with one mistake each: what a gate has to stop, or to let through without the bad rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

import numpy as np

from sample_region import exams, gia_files, monitoring, staff, vpr, vpr_files
from sample_region.assessment import Generation, Results
from sample_region.corrections import new_school
from sample_region.courier import Courier, moment
from sample_region.files import Cell, Sheets, as_csv, as_xlsx
from sample_region.region import YEARS, Region
from sample_region.works import CHEMISTRY, WORLD_AROUND

_AT = moment(2025, 6, 2)


def deliver(courier: Courier, generation: Generation, results: list[Results]) -> None:
    """Mistakes sit in works that nothing else delivers, so that what is let through disturbs no other result."""
    region = generation.region
    by_work = {(result.year, result.work.grade, result.work.subject): result for result in results}
    large = [number for number, school in enumerate(region.schools) if school.size >= 50 and not school.closed_on]
    world_around = generation.write_work(YEARS[-1], WORLD_AROUND)
    _unreadable(courier, region, by_work, large)
    _unknown_school(courier, region, by_work[2025, 4, "RU"], large[0])
    _wrong_scores(courier, region, world_around, large)
    _contradiction(courier, region, world_around, large[3])
    _exam_twice(courier, generation)
    _monitoring(courier, region)


def _unreadable(
    courier: Courier, region: Region, by_work: dict[tuple[int, int, str], Results], large: list[int]
) -> None:
    result = by_work[2025, 5, "RU"]
    rows = result.rows_of(large[0])
    book = as_xlsx(vpr_files.fisoko_f1(region, result, rows))
    courier.deliver(
        "broken/vpr/Ф1_РУ5_2025_оборвана при передаче.xlsx",
        book[: len(book) * 3 // 5],
        layout="",
        rows=0,
        at=_AT,
        expected="rejected",
        why="книга оборвана при передаче и не открывается",
    )
    result = by_work[2024, 4, "MA"]
    rows = result.rows_of(large[0])
    table = vpr_files.region_2021(vpr.scribe_for(region, result), result, rows)
    courier.deliver(
        "broken/vpr/2024__4__Проведение работы по математике, 4 класс. ВПР 2024 (из старой программы).csv",
        as_csv(table, encoding="cp866", delimiter=";"),
        layout="",
        rows=rows.size,
        at=_AT,
        expected="rejected",
        why="кодировка DOS (cp866) вместо Windows-1251 или UTF-8",
    )
    leaders = staff.leader_table(region, YEARS[-1])[:20]
    courier.deliver(
        "broken/vpr/Аттестация руководителей (прислана как ВПР).xlsx",
        as_xlsx({"Руководители": leaders}),
        layout="",
        rows=len(leaders) - 1,
        at=_AT,
        expected="rejected",
        why="файл другого источника: аттестация доставлена как ВПР",
    )
    result = by_work[2025, 5, "RU"]
    school = region.schools[large[1]]
    courier.deliver(
        f"broken/vpr/{vpr.form_name(result, school, ' пустая')}",
        as_xlsx(vpr_files.collection_form(result, np.arange(0))),
        layout="collection_form",
        rows=0,
        at=_AT,
        options={"organisation_code": school.login},
        expected="rejected",
        why="форма не заполнена: ни одного участника",
    )


def _unknown_school(courier: Courier, region: Region, result: Results, like: int) -> None:
    """The rows of a known school under the login of one that the register does not have yet."""
    rows, school = result.rows_of(like)[:52], new_school(region)
    known = [*region.schools]
    known[like] = school
    stranger = Region(region.seed, region.municipalities, known, region.preschools, region.additional)
    courier.deliver(
        f"broken/vpr/2025__4__Русский язык, {school.login}.xlsx",
        as_xlsx(vpr_files.region_2022(vpr.scribe_for(stranger, result), result, rows)),
        layout="region_2022",
        rows=rows.size,
        at=_AT,
        why="школы нет в реестре: строки приняты под временной организацией до исправления реестра",
    )


def _wrong_scores(courier: Courier, region: Region, result: Results, large: list[int]) -> None:
    def extract(school: int, spoilt: Callable[[Sequence[int]], set[int]]) -> tuple[Sheets, int]:
        rows = result.rows_of(school)
        above = spoilt(rows[~result.absent[rows]].tolist())

        def spoil(row: int, cells: list[Cell]) -> None:
            if row in above:
                cells[0] = "7"

        sheets = vpr_files.region_2022(vpr.scribe_for(region, result), result, rows, stale_share=0, spoil=spoil)
        return sheets, rows.size

    sheets, count = extract(large[0], lambda rows: {rows[3]})
    courier.deliver(
        "broken/vpr/2025__4__Окружающий мир, балл выше максимума.xlsx",
        as_xlsx(sheets),
        layout="region_2022",
        rows=count,
        at=_AT,
        expected="partly",
        why="у одного участника балл за задание 1 выше максимума: его строка отложена, остальные приняты",
    )
    sheets, count = extract(large[1], lambda rows: set(rows[::3]))
    courier.deliver(
        "broken/vpr/2025__4__Окружающий мир, много ошибок.xlsx",
        as_xlsx(sheets),
        layout="region_2022",
        rows=count,
        at=_AT,
        expected="rejected",
        why="баллы выше максимума у каждого третьего: больше допустимого, файл отклонён целиком",
    )
    sheets, count = extract(large[2], lambda rows: set())
    header, *rows = sheets["Протокол"]
    courier.deliver(
        "broken/vpr/2025__4__Окружающий мир, участник дважды.xlsx",
        as_xlsx({"Протокол": [header, *rows, rows[0]]}),
        layout="region_2022",
        rows=count + 1,
        at=_AT,
        expected="partly",
        why="один код участника встречается дважды: повтор отложен, остальные приняты",
    )


def _contradiction(courier: Courier, region: Region, result: Results, school: int) -> None:
    rows = result.rows_of(school)
    courier.deliver(
        f"broken/vpr/Ф1_ОМ4_{region.schools[school].login}.xlsx",
        as_xlsx(vpr_files.fisoko_f1(region, result, rows)),
        layout="fisoko_f1",
        rows=int((~result.absent[rows]).sum()),
        at=_AT,
        options={"year": "2024"},
        expected="rejected",
        why="при доставке указан 2024 год, а внутри файла 2025-й",
    )


def _exam_twice(courier: Courier, generation: Generation) -> None:
    schools = generation.region.schools
    found = exams.graduates(generation, YEARS[-1], 9)
    result = exams.sit(generation, CHEMISTRY, found, np.arange(0, found.school.size, 12))
    header_and_rows = list(gia_files.sparse_protocol([result], schools, documents=True))
    # The rows stand between the five rows of title and header and the footer.
    twice = [*header_and_rows[:-1], header_and_rows[5], header_and_rows[-1]]
    courier.deliver(
        "broken/gia/ОГЭ 2025 Химия, участник дважды.xlsx",
        as_xlsx({"Протокол": twice}),
        layout="rcoi_protocol",
        rows=result.person.size + 1,
        at=moment(2025, 7, 12),
        expected="partly",
        why="один участник записан дважды: повтор отложен, остальные приняты",
    )


def _monitoring(courier: Courier, region: Region) -> None:
    at: datetime = moment(2025, 6, 28)
    table = [row[:-1] for row in monitoring.level_table(region, YEARS[-1], "эксперт")[:60]]
    courier.deliver(
        "broken/preschool/МКДО 2025 без уровней.xlsx",
        as_xlsx({"МКДО": table}),
        layout="template",
        rows=len(table) - 1,
        at=at,
        expected="rejected",
        why="нет обязательного столбца «Уровень»",
    )
    header, *rows = monitoring.survey_table(region, YEARS[-1])[:200]
    ten = [[*row[:4], *(2 * answer if isinstance(answer, int) else answer for answer in row[4:])] for row in rows]
    courier.deliver(
        "broken/survey/ten_point_2025.csv",
        as_csv([header, *ten]),
        layout="form",
        rows=len(ten),
        at=at,
        expected="rejected",
        why="ответы по шкале до 10, а не 1–5",
    )
