"""Deliveries of ВПР: each year in the layout it had, some schools of the last year by «Ф1» or by collection forms."""

from __future__ import annotations

import numpy as np

from sample_region import vpr_files
from sample_region.assessment import Generation, Results
from sample_region.courier import Courier, moment
from sample_region.files import as_csv, as_xlsx
from sample_region.region import stream
from sample_region.works import SUBJECT, SUBJECT_DATIVE


def deliver(courier: Courier, generation: Generation) -> None:
    """Twelve works of three years."""
    for result in generation.vpr():
        key = (result.year, result.work.grade, result.work.subject)
        scribe = vpr_files.Scribe(stream(generation.region.seed, "scribe", *key), generation.region)
        {2023: _in_2023, 2024: _in_2024, 2025: _in_2025}[result.year](courier, scribe, result)


def _in_2023(courier: Courier, scribe: vpr_files.Scribe, result: Results) -> None:
    rows, name = np.arange(result.school.size), f"inbox/vpr/vpr_2023_g{result.work.grade}_{result.work.subject}.csv"
    table = vpr_files.region_2020(scribe, result, rows)
    if result.work.subject == "RU":
        name, content = f"{name}.gz", as_csv(table, compressed=True)
    else:
        content = as_csv(table, encoding="cp1251", delimiter=";")
    courier.deliver(name, content, layout="region_2020", rows=rows.size, at=moment(2023, 5, 25))


def _in_2024(courier: Courier, scribe: vpr_files.Scribe, result: Results) -> None:
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
        courier.deliver(file, content, layout="region_2021", rows=rows.size, at=at)


def _in_2025(courier: Courier, scribe: vpr_files.Scribe, result: Results) -> None:
    rows = np.arange(result.school.size)
    courier.deliver(
        f"inbox/vpr/2025__{result.work.grade}__{SUBJECT[result.work.subject]}.xlsx",
        as_xlsx(vpr_files.region_2022(scribe, result, rows)),
        layout="region_2022",
        rows=rows.size,
        at=moment(2025, 5, 20),
    )
