"""Deliveries of ГИА: each year РЦОИ hands the results over in another way."""

from __future__ import annotations

from datetime import datetime

from sample_region import exams, gia_files
from sample_region.assessment import Generation
from sample_region.courier import Courier, moment
from sample_region.exams import ExamResults
from sample_region.files import Rows, as_csv, as_xls, as_xlsx
from sample_region.region import YEARS, Organisation


def deliver(courier: Courier, generation: Generation) -> None:
    """ОГЭ with ГВЭ and ЕГЭ of three years."""
    schools = generation.region.schools
    for year in YEARS:
        oge = list(exams.oge(generation, exams.graduates(generation, year, 9)))
        ege = list(exams.ege(generation, exams.graduates(generation, year, 11)))
        at = moment(year, 7, 10)
        match year:
            case 2023:
                sheet = gia_files.sparse_protocol(oge, schools, documents=True)
                _protocol(courier, "ОГЭ 2023.xls", as_xls({"Page 1": sheet}), oge, at)
                _protocol(
                    courier, "ЕГЭ 2023.xlsx", _book(gia_files.sparse_protocol(ege, schools, documents=True)), ege, at
                )
            case 2024:
                sheet = gia_files.sparse_protocol(oge, schools, documents=False)
                _protocol(courier, "ОГЭ 2024.xlsx", _book(sheet), oge, at)
                compulsory, chosen = ege[:3], ege[3:]
                for result in compulsory:
                    book = _book(gia_files.compact_protocol([result], schools))
                    _protocol(courier, f"ЕГЭ 2024 {result.exam.title}.xlsx", book, [result], at)
                book = _book(gia_files.compact_protocol(chosen, schools))
                _protocol(courier, "ЕГЭ 2024 предметы по выбору.xlsx", book, chosen, at)
            case _:
                for result in [*oge, *ege]:
                    normalised(courier, "inbox", result, schools, at)


def normalised(
    courier: Courier,
    folder: str,
    result: ExamResults,
    schools: list[Organisation],
    at: datetime,
    suffix: str = "",
    why: str = "",
) -> None:
    """Deliver one exam as the normalised csv."""
    content = as_csv(gia_files.normalised(result, schools), encoding="utf-8-sig", delimiter=";")
    file = f"{folder}/gia/{gia_files.csv_name(result)}{suffix}.csv"
    courier.deliver(file, content, layout="normalised_csv", rows=result.person.size, at=at, why=why)


def _book(rows: Rows) -> bytes:
    return as_xlsx({"Протокол": rows})


def _protocol(courier: Courier, name: str, content: bytes, results: list[ExamResults], at: datetime) -> None:
    rows = sum(result.person.size for result in results)
    courier.deliver(f"inbox/gia/{name}", content, layout="rcoi_protocol", rows=rows, at=at)
