"""Surveys of satisfaction and the monitoring of preschool quality (МКДО)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import numpy as np

from sample_region.assessment import Truth
from sample_region.courier import Courier, moment, template
from sample_region.files import Cell, as_csv, as_xlsx
from sample_region.region import YEARS, Organisation, Region, stream

_QUESTIONS = (
    "1. Насколько Вы удовлетворены качеством преподавания?",
    "2. Насколько Вы удовлетворены отношением педагогов к детям?",
    "3. Насколько Вы удовлетворены безопасностью в организации?",
    "4. Насколько Вы удовлетворены организацией питания?",
    "5. Насколько Вы удовлетворены состоянием помещений и территории?",
    "6. Насколько Вы удовлетворены оснащением занятий?",
    "7. Насколько Вы удовлетворены информированием о жизни организации?",
    "8. Насколько справедливо, по Вашему мнению, оцениваются результаты?",
    "9. Насколько Вы удовлетворены воспитательной работой?",
    "10. Насколько Вы удовлетворены выбором кружков и секций?",
    "11. Насколько Вы удовлетворены работой администрации?",
    "12. Готовы ли Вы рекомендовать организацию знакомым?",
)
_GROUPS = {
    "родитель": ("родитель", "Родители (законные представители)"),
    "педагог": ("педагог", "Педагог"),
    "обучающийся": ("обучающийся", "ученик"),
}
# Area → indicators of the group (rated in every group) and of the organisation as a whole.
_INDICATORS: dict[int, tuple[tuple[str, ...], tuple[str, ...]]] = {
    1: ((), ("1.1", "1.2")),
    2: ((), ("2.1", "2.2")),
    3: (("3.1", "3.2", "3.3", "3.4", "3.5"), ()),
    4: (("4.1", "4.2", "4.3"), ()),
    5: (("5.3",), ("5.1", "5.2")),
    6: ((), ("6.1", "6.2")),
    7: (("7.1",), ("7.2", "7.3")),
    8: (("8.1", "8.2"), ("8.3", "8.4")),
    9: ((), ("9.1", "9.2", "9.3")),
}
_AGES = ("Младшая группа", "Средняя группа", "Старшая группа", "Подготовительная группа")


def deliver_surveys(courier: Courier, region: Region) -> None:
    """One export of the electronic form a year, all groups of respondents together."""
    for year in YEARS:
        table = survey_table(region, year)
        at, name = moment(year, 5, 30), f"inbox/survey/satisfaction_{year}"
        if year == YEARS[-1]:
            file, content = f"{name}.xlsx", as_xlsx({"Ответы": table})
        else:
            file, content = f"{name}.csv", as_csv(table, encoding="utf-8-sig")
        courier.deliver(file, content, layout="form", rows=len(table) - 1, at=at)


def survey_table(region: Region, year: int) -> list[list[Cell]]:
    """One respondent a row: 1–5, 0 for «затрудняюсь ответить», empty where the question was skipped."""
    rng = stream(region.seed, "survey", year)
    easiness = stream(region.seed, "questions").normal(0.25, 0.35, len(_QUESTIONS))
    table: list[list[Cell]] = [["ID", "Время создания", "Логин школы", "Кто вы", *_QUESTIONS]]
    for organisation in [*region.schools, *region.preschools]:
        if not organisation.open_in(year):
            continue
        opinion = stream(region.seed, "opinion", organisation.login).normal(0.1 + 0.35 * organisation.effect, 0.35)
        size = organisation.size
        counts = {"родитель": 4 + size / 7, "педагог": 2 + size / 14, "обучающийся": 3 + size / 9}
        if organisation.kind == "preschool":
            del counts["обучающийся"]
        for group, expected in counts.items():
            # Teachers are kinder to their own organisation, pupils are stricter.
            kindness = {"родитель": 0.0, "педагог": 0.35, "обучающийся": -0.15}[group]
            for _ in range(int(rng.poisson(expected)) + 1):
                felt = opinion + kindness + rng.normal(0, 0.7) + easiness + rng.normal(0, 0.6, len(_QUESTIONS))
                answers: list[Cell] = [int(level) for level in 1 + np.searchsorted([-2.0, -1.2, -0.45, 0.75], felt)]
                for number in np.flatnonzero(rng.random(len(_QUESTIONS)) < 0.03):
                    answers[number] = 0 if rng.random() < 0.5 else None
                at = datetime(year, 4, 10, 8) + timedelta(minutes=int(rng.integers(0, 44_000)))
                login = organisation.login if rng.random() < 0.97 else f" sch{organisation.number}"
                who = _GROUPS[group][int(rng.random() < 0.3)]
                table.append([len(table), at.strftime("%d.%m.%Y %H:%M:%S"), login, who, *answers])
    return table


def deliver_preschool(courier: Courier, region: Region) -> None:
    """Self-assessment of all preschools and the expert rating of some, all of them in the last year."""
    flattering = flatterers(region)
    for year in YEARS:
        for assessor, name in (("самооценка", "самооценка"), ("эксперт", "эксперты")):
            table = level_table(region, year, assessor)
            at, file = moment(year, 6, 15 if assessor == "самооценка" else 25), f"inbox/preschool/МКДО {year} {name}"
            if year == YEARS[0]:
                file, content = f"{file}.csv", as_csv(table, encoding="cp1251", delimiter=";")
            else:
                file, content = f"{file}.xlsx", as_xlsx({"МКДО": table})
            courier.deliver(file, content, layout="template", rows=len(table) - 1, at=at)
        courier.manifest.truths.extend(
            Truth(
                o.login, year, "mkdo", None, "", "inflated_self_assessment", "", True, False,
                "самооценка детского сада завышена больше чем на уровень",
            )
            for o in flattering
        )  # fmt: skip


def flatterers(region: Region) -> list[Organisation]:
    """Preschools that rate themselves far above what experts see."""
    chosen = stream(region.seed, "flatterers").permutation(len(region.preschools))
    return [region.preschools[number] for number in sorted(chosen[: max(1, round(len(region.preschools) / 15))])]


def level_table(region: Region, year: int, assessor: str) -> list[list[Cell]]:
    """Levels 1–5 by indicator, in groups and of the organisation as a whole (template)."""
    columns = ["year", "organisation_code", "group_name", "children", "area_no", "indicator_no", "assessor", "level"]
    return template("preschool", columns, _levels(region, year, assessor, flatterers(region)))


def _levels(region: Region, year: int, assessor: str, flattering: list[Organisation]) -> Iterator[list[Cell]]:
    for number, organisation in enumerate(region.preschools):
        visited = year == YEARS[-1] or number % 3 != year % 3
        if assessor == "эксперт" and not visited:
            continue
        true = stream(region.seed, "preschool", organisation.login)
        quality = 3.05 + 0.75 * organisation.effect + 0.12 * (year - YEARS[0]) + 0.15 * organisation.urban
        areas = quality + true.normal(0, 0.35, 9)
        groups = [str(age) for age in _AGES[: 2 + number % 3]] if organisation.size > 40 else ["Разновозрастная группа"]
        children = max(5, round(organisation.size / len(groups)))
        has_disabled = true.random() < 0.6
        rng = stream(region.seed, "levels", organisation.login, year, assessor)
        bias = 0.0 if assessor == "эксперт" else 1.7 if organisation in flattering else 0.3
        for area, (in_groups, as_whole) in _INDICATORS.items():
            if area == 6 and not has_disabled:
                continue
            places = [(group, indicator) for group in groups for indicator in in_groups]
            for group, indicator in [*places, *(("ДОО", indicator) for indicator in as_whole)]:
                level = int(np.clip(round(float(areas[area - 1] + bias + rng.normal(0, 0.45))), 1, 5))
                size = round(organisation.size) if group == "ДОО" else children
                yield [year, organisation.login, group, size, area, indicator, assessor, level]
