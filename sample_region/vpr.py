"""Deliveries of ВПР: each year in the layout it had, some schools of the last year by «Ф1» or by collection forms."""

from __future__ import annotations

from datetime import datetime

import numpy as np

from sample_region import vpr_files
from sample_region.assessment import Ints, Results
from sample_region.courier import Courier, moment
from sample_region.files import Cell, as_csv, as_xlsx
from sample_region.region import Organisation, Region, stream
from sample_region.vpr_files import Scribe
from sample_region.works import SUBJECT, SUBJECT_DATIVE, SUBJECT_SHORT


def deliver(courier: Courier, region: Region, results: list[Results]) -> None:
    """Twelve works of three years and a few summary reports on them."""
    for result in results:
        {2023: _in_2023, 2024: _in_2024, 2025: _in_2025}[result.year](courier, scribe_for(region, result), result)
        work, at = result.work, moment(result.year, 6, 20)
        short = f"{SUBJECT_SHORT[work.subject]}{work.grade}_{result.year}"
        groups = 1 + len(region.municipalities) + np.unique(result.school[~result.absent]).size
        if (result.year, work.grade, work.subject) in ((2025, 4, "RU"), (2024, 5, "MA")):
            content = as_xlsx(vpr_files.fisoko_f3(region, result))
            file = f"inbox/vpr_summary/Ф3_{short}.xlsx"
            courier.deliver(file, content, layout="fisoko_f3", rows=groups + 1, at=at)
        if (result.year, work.grade, work.subject) == (2025, 4, "MA"):
            content = as_xlsx(vpr_files.fisoko_f4(region, result))
            courier.deliver(f"inbox/vpr_summary/Ф4_{short}.xlsx", content, layout="fisoko_f4", rows=groups, at=at)


def scribe_for(region: Region, result: Results) -> Scribe:
    return Scribe(stream(region.seed, "scribe", result.year, result.work.grade, result.work.subject), region)


def form_name(result: Results, school: Organisation, suffix: str = "") -> str:
    """A school names its form after the work; people who collect them add the login."""
    work = result.work
    title = f"Форма сбора результатов {SUBJECT[work.subject]} {work.grade} класс ВПР {result.year}"
    return f"{title} {school.login}{suffix}.xlsx"


def form_schools(region: Region) -> list[int]:
    """Schools that sent their forms themselves: the first of four municipalities."""
    return [_first_school(region, municipality) for municipality in (3, 4, 5, 6)]


def _first_school(region: Region, municipality: int) -> int:
    return next(number for number, school in enumerate(region.schools) if school.municipality.number == municipality)


def _in_2023(courier: Courier, scribe: Scribe, result: Results) -> None:
    rows, name = np.arange(result.school.size), f"inbox/vpr/vpr_2023_g{result.work.grade}_{result.work.subject}.csv"
    table = vpr_files.region_2020(scribe, result, rows)
    if result.work.subject == "RU":
        name, content = f"{name}.gz", as_csv(table, compressed=True)
    else:
        content = as_csv(table, encoding="cp1251", delimiter=";")
    courier.deliver(name, content, layout="region_2020", rows=rows.size, at=moment(2023, 5, 25))


def _in_2024(courier: Courier, scribe: Scribe, result: Results) -> None:
    work, at = result.work, moment(2024, 5, 24)
    name = f"Проведение работы по {SUBJECT_DATIVE[work.subject]}, {work.grade} класс. ВПР 2024"
    parts = [np.arange(result.school.size)]
    if (work.grade, work.subject) == (5, "RU"):
        content = as_xlsx({"Sheet": vpr_files.region_2021(scribe, result, parts[0])})
        courier.deliver(f"inbox/vpr/{name}.xlsx", content, layout="region_2021", rows=parts[0].size, at=at)
        return
    if (work.grade, work.subject) == (5, "MA"):
        parts = np.split(parts[0], [int(np.searchsorted(result.school, len(scribe.region.schools) // 3))])
    for number, rows in enumerate(parts, start=1):
        part = f" (часть {number})" if len(parts) > 1 else ""
        content = as_csv(vpr_files.region_2021(scribe, result, rows), encoding="cp1251", delimiter=";")
        file = f"inbox/vpr/2024__{work.grade}__{name}{part}.csv"
        why = "одна работа двумя файлами: части с разными школами действуют вместе" if part else ""
        courier.deliver(file, content, layout="region_2021", rows=rows.size, at=at, why=why)


def _in_2025(courier: Courier, scribe: Scribe, result: Results) -> None:
    """The regional extract lacks the schools that come by other ways, each work in its own."""
    region, work, at = scribe.region, result.work, moment(2025, 5, 20)
    elsewhere: list[int] = []
    match work.grade, work.subject:
        case 4, "RU":
            last = region.municipalities[-1]
            elsewhere = [number for number, school in enumerate(region.schools) if school.municipality == last]
            _f1(courier, scribe, result, result.rows_of(*elsewhere), f"Ф1_РУ4_2025_{last.genitive}")
        case 4, "MA":
            elsewhere = [_first_school(region, municipality) for municipality in (9, 10, 11)]
            for school in elsewhere:
                _f1(courier, scribe, result, result.rows_of(school), f"Ф1_МА4_2025_{region.schools[school].login}")
        case 5, "MA":
            elsewhere = form_schools(region)
            for school in elsewhere:
                form(courier, "inbox", scribe, result, school, moment(2025, 5, 22))
    rows = np.setdiff1d(np.arange(result.school.size), result.rows_of(*elsewhere))
    file = f"inbox/vpr/2025__{work.grade}__{SUBJECT[work.subject]}.xlsx"
    if (work.grade, work.subject) != (4, "MA"):
        content = as_xlsx(vpr_files.region_2022(scribe, result, rows))
        courier.deliver(file, content, layout="region_2022", rows=rows.size, at=at)
        return
    present = rows[~result.absent[rows]]
    spoilt = dict(zip(present[:: present.size // 6].tolist(), ("3", "H", "2", "-2", "30", "*"), strict=False))

    def spoil(row: int, cells: list[Cell]) -> None:
        cells[0] = spoilt.get(row, cells[0])

    courier.deliver(
        file,
        as_xlsx(vpr_files.region_2022(scribe, result, rows, spoil=spoil)),
        layout="region_2022",
        rows=rows.size,
        at=at,
        expected="partly",
        why="в первом задании шесть ошибок ввода: балл выше максимума, отрицательный, знак вместо балла",
    )


def form(
    courier: Courier,
    folder: str,
    scribe: Scribe,
    result: Results,
    school: int,
    at: datetime,
    suffix: str = "",
    why: str = "",
) -> None:
    """Deliver the collection form of one school; whose it is has to be told beside the file."""
    rows, organisation = result.rows_of(school), scribe.region.schools[school]
    courier.deliver(
        f"{folder}/vpr/{form_name(result, organisation, suffix)}",
        as_xlsx(vpr_files.collection_form(result, rows)),
        layout="collection_form",
        rows=rows.size,
        at=at,
        options={"organisation_code": organisation.login},
        why=why,
    )


def _f1(courier: Courier, scribe: Scribe, result: Results, rows: Ints, name: str) -> None:
    present = int((~result.absent[rows]).sum())
    content = as_xlsx(vpr_files.fisoko_f1(scribe.region, result, rows))
    courier.deliver(f"inbox/vpr/{name}.xlsx", content, layout="fisoko_f1", rows=present, at=moment(2025, 5, 28))
