"""Attestation of teachers and of leaders, every year anew."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from sample_region.courier import Courier, moment, template
from sample_region.files import Cell, as_csv, as_xlsx
from sample_region.region import YEARS, Organisation, Person, Region, people, stream
from sample_region.registers import leader_position

_CATEGORIES = ("не имеет", "соответствие занимаемой должности", "первая", "высшая")
_SUBJECTS = (
    "учитель начальных классов",
    "учитель русского языка и литературы",
    "учитель математики",
    "учитель истории и обществознания",
    "учитель физики",
    "учитель английского языка",
    "педагог-психолог",
)


@dataclass(frozen=True)
class Teacher:
    """A teacher with the years of decisions that raised the category, first to last."""

    organisation: Organisation
    person: Person
    position: str
    decisions: tuple[tuple[int, date], ...]


def deliver(courier: Courier, region: Region) -> None:
    """Two files a year: teachers from the attestation commission, leaders from the municipalities."""
    teachers = list(_teachers(region))
    for year in YEARS:
        at = moment(year, 2, 3)
        table, name = teacher_table(teachers, year), f"inbox/attestation/Аттестация педагогов {year}"
        if year == YEARS[0]:
            file, content = f"{name}.csv", as_csv(table, encoding="cp1251", delimiter=";")
        elif year == YEARS[1]:
            file, content = f"{name}.csv", as_csv(table, encoding="utf-8-sig", delimiter=";")
        else:
            file, content = f"{name}.xlsx", as_xlsx({"Педагоги": table})
        courier.deliver(file, content, layout="template", rows=len(table) - 1, at=at)
        table = leader_table(region, year)
        content = as_xlsx({"Руководители": table})
        file = f"inbox/attestation/Аттестация руководителей {year}.xlsx"
        courier.deliver(file, content, layout="template", rows=len(table) - 1, at=at)


def _teachers(region: Region) -> Iterator[Teacher]:
    rng = stream(region.seed, "teachers")
    invented = people(rng, first_snils=200_000)
    for organisation in [*region.schools, *region.preschools]:
        preschool = organisation.kind == "preschool"
        count = max(5, round(organisation.size / 11 if preschool else organisation.size * 0.5))
        for _ in range(count):
            # Strong schools draw people with a category, and help them to get one.
            level = int(
                np.searchsorted([0.2, 0.42, 0.75], np.clip(rng.random() + 0.12 * organisation.effect, 0, 0.999))
            )
            decided = date(2019, 1, 15) + timedelta(days=int(rng.integers(0, 1450)))
            decisions = [(level, decided)]
            if level < 3 and rng.random() < 0.25:
                decisions.append((max(level + 1, 2), date(2023, 3, 1) + timedelta(days=int(rng.integers(0, 600)))))
            position = "воспитатель" if preschool else str(rng.choice(_SUBJECTS))
            yield Teacher(organisation, next(invented), position, tuple(decisions))


def teacher_table(teachers: list[Teacher], year: int) -> list[list[Cell]]:
    """All teachers on 1 February of `year` with the category they hold (template)."""
    rows: list[list[Cell]] = []
    for number, teacher in enumerate(teachers, start=1):
        if not teacher.organisation.open_in(year):
            continue
        level, decided = [step for step in teacher.decisions if step[1] < date(year, 2, 1)][-1]
        person = teacher.person
        rows.append(
            [
                *(year, teacher.organisation.login, teacher.organisation.name),
                *(person.last_name, person.first_name, person.middle_name, person.snils, "педагог", teacher.position),
                *(_CATEGORIES[level], decided if level else None, decided + timedelta(days=1826) if level else None),
                f"{100 + number % 40}-к" if level else None,
            ]
        )
    return template(
        "attestation",
        [
            *("year", "organisation_code", "organisation_name", "last_name", "first_name", "middle_name", "snils"),
            *("person_role", "position", "category", "decided_on", "valid_until", "order_number"),
        ],
        rows,
    )


def leader_table(region: Region, year: int) -> list[list[Cell]]:
    """Leaders in office on 1 February of `year` (template)."""
    rows: list[list[Cell]] = []
    for organisation in region.organisations:
        person = organisation.leader_on(date(year, 2, 1))
        if person is None or not organisation.open_in(year):
            continue
        # A stream for the person, so that the next year finds the same education and a little more competence.
        own = stream(region.seed, "leader", person.snils)
        competence = np.clip(own.normal(68, 11) + 5 * organisation.effect + 1.5 * (year - YEARS[0]), 35, 98)
        educated, trained_days = own.random() < 0.72, int(own.integers(0, 1800))
        trained = date(year, 2, 1) - timedelta(days=trained_days % 1100 if educated else trained_days)
        rows.append(
            [
                *(year, organisation.login, organisation.name),
                *(person.last_name, person.first_name, person.middle_name, person.snils),
                *("руководитель", leader_position(organisation)),
                *(round(float(competence), 1), round(float(np.clip(competence + own.normal(0, 6), 20, 100)), 1)),
                *("да" if educated else "нет", trained, "есть" if own.random() < 0.55 else "нет"),
            ]
        )
    return template(
        "attestation",
        [
            *("year", "organisation_code", "organisation_name", "last_name", "first_name", "middle_name", "snils"),
            *("person_role", "position", "test_percent", "project_percent"),
            *("has_management_education", "trained_on", "has_reserve"),
        ],
        rows,
    )
