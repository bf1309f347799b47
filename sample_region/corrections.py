"""Second deliveries: what was mended after the first ones, each superseding only what it contains."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np

from sample_region import exams, gia, registers, vpr, vpr_files
from sample_region.assessment import Generation, Results, Schemes
from sample_region.courier import Courier, moment
from sample_region.files import as_xlsx
from sample_region.region import YEARS, Organisation, Region, Tenure, inn, ogrn
from sample_region.works import vpr_works


def deliver(courier: Courier, generation: Generation, results: list[Results]) -> None:
    region = generation.region
    _recheck(courier, generation)
    _form(courier, region, results)
    _appeals(courier, generation)
    _register(courier, region)
    _leader(courier, region)


def new_school(region: Region) -> Organisation:
    """A school that was opened in 2024 and is missing from the first register, yet its pupils write."""
    return replace(
        region.schools[0],
        login="edu990199",
        kind="secondary",
        municipality=region.municipalities[1],
        name="МБОУ «СОШ № 17 г. Светлореченска»",
        full_name="Муниципальное бюджетное общеобразовательное учреждение «Средняя общеобразовательная школа № 17 г. "
        "Светлореченска»",
        inn=inn(1999),
        ogrn=ogrn(1999),
        ris_code=102017,
        ris_code_ege=102017,
        opened_on=date(2024, 9, 1),
        leaders=[],
    )


def _recheck(courier: Courier, generation: Generation) -> None:
    """A school with too good results wrote the work anew, before observers from the region."""
    region, login = generation.region, generation.schemes.rechecked
    honest = Schemes({school: sign for school, sign in generation.schemes.signs.items() if school != login})
    honest.change_year = generation.schemes.change_year
    work = vpr_works(YEARS[-1])[2]
    result = Generation(region, honest).write_work(YEARS[-1], work)
    rows = result.rows_of(next(number for number, school in enumerate(region.schools) if school.login == login))
    courier.deliver(
        f"corrections/vpr/2025__5__Русский язык, перепроверка {login}.xlsx",
        as_xlsx(vpr_files.region_2022(vpr.scribe_for(region, result), result, rows)),
        layout="region_2022",
        rows=rows.size,
        at=moment(2025, 9, 12),
        why="перепроверка: работа переписана при наблюдателях, заменяет результаты одной школы",
    )


def _form(courier: Courier, region: Region, results: list[Results]) -> None:
    """Two pupils who had been absent wrote the work on the reserve day."""
    result = next(r for r in results if (r.year, r.work.grade, r.work.subject) == (YEARS[-1], 5, "MA"))
    school = vpr.form_schools(region)[0]
    rows = result.rows_of(school)
    came, example = rows[result.absent[rows]][:2], rows[~result.absent[rows]][0]
    absent, scores = result.absent.copy(), result.scores.copy()
    absent[came], scores[came] = False, scores[example]
    mended = replace(result, absent=absent, scores=scores)
    why = "исправленная форма: отсутствовавшие писали работу в резервный день"
    vpr.form(
        courier, "corrections", vpr.scribe_for(region, mended), mended, school, moment(2025, 6, 18), " исправлено", why
    )


def _appeals(courier: Courier, generation: Generation) -> None:
    """After appeals two pupils of one school have a point more."""
    region = generation.region
    found = exams.graduates(generation, YEARS[-1], 9)
    result = next(r for r in exams.oge(generation, found) if r.exam.subject == "MA")
    result = result.part(result.rows_of(int(found.school[0])))
    long = result.long.copy()
    long[np.flatnonzero(long[:, 0] == 0)[:2], 0] += 1
    gia.normalised(
        courier,
        "corrections",
        replace(result, long=long),
        region.schools,
        moment(2025, 8, 4),
        suffix=" после апелляций",
        why="после апелляций: заменяет результаты одной школы по одному экзамену",
    )


def _register(courier: Courier, region: Region) -> None:
    organisations = [*region.organisations, new_school(region)]
    courier.deliver(
        "corrections/organisation/Реестр организаций на 01.09.2025.xlsx",
        as_xlsx({"Реестр": registers.regional_register(organisations)}),
        layout="template",
        rows=len(organisations),
        at=moment(2025, 9, 1),
        why="полный реестр с новой школой: её результаты, принятые раньше, присоединяются без повторной загрузки",
    )


def _leader(courier: Courier, region: Region) -> None:
    organisation = next(o for o in region.schools if len(o.leaders) == 1 and not o.closed_on)
    tenure, left = organisation.leaders[0], date(2024, 11, 15)
    successor = region.additional[-1].leaders[-1].person
    tenures = [replace(tenure, ended_on=left), Tenure(successor, left + timedelta(days=1), None)]
    courier.deliver(
        f"corrections/leader/Руководители исправление {organisation.login}.xlsx",
        as_xlsx({"Руководители": registers.leaders([(organisation, t) for t in tenures])}),
        layout="template",
        rows=len(tenures),
        at=moment(2025, 3, 3),
        why="не была указана смена руководителя",
    )
