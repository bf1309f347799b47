"""Graduates and their exams: ОГЭ after grade 9 (a few write ГВЭ), ЕГЭ after grade 11, item by item as masks show it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

import numpy as np

from sample_region.assessment import Floats, Generation, Ints, respond
from sample_region.region import YEARS, Person, people, stream
from sample_region.works import EGE, GVE, OGE, Exam

SEATS = 15
COPIED_EXAM = (YEARS[-1], "MA")
"""The ОГЭ with a room that wrote together: `_copy`."""


@dataclass(frozen=True)
class Graduates:
    """Pupils of one graduating grade, n rows; `school` indexes `Region.schools`, `first_document` starts passports."""

    year: int
    grade: int
    school: Ints
    ability: Floats
    letter: Ints
    persons: list[Person]
    first_document: int

    def document(self, person: int) -> tuple[str, str]:
        """Series and number of an invented passport; nobody shares one."""
        return "9900", f"{self.first_document + person:06d}"


@dataclass
class ExamResults:
    """Results of `exam` on `day` (`YYYY.MM.DD`), n rows: `person` indexes graduates, `short` and `long` are points.

    `station` and `room`: where they sat; a room is one of its station and has at most `SEATS`.
    """

    exam: Exam
    graduates: Graduates
    day: str
    person: Ints
    short: Ints
    long: Ints
    station: Ints
    room: Ints

    @cached_property
    def primary_scores(self) -> Ints:
        return self.short.sum(axis=1) + self.long.sum(axis=1)

    @cached_property
    def marks(self) -> Ints | None:
        """Marks by the scale with its side conditions: literacy for Russian, two points of geometry for mathematics."""
        exam, scores = self.exam, self.primary_scores
        if exam.least is None:
            return None
        marks = 2 + np.searchsorted(np.array(exam.least), scores, side="right")
        if (exam.procedure, exam.subject) == ("oge", "RU"):
            literacy = self.long[:, 7:11].sum(axis=1)
            marks = np.where((marks == 5) & (literacy < 6), 4, marks)
            marks = np.where((marks == 4) & (literacy < 4), 3, marks)
        if (exam.procedure, exam.subject) == ("oge", "MA"):
            geometry = self.short[:, 14:].sum(axis=1) + self.long[:, 3:].sum(axis=1)
            marks = np.where(geometry < 2, 2, marks)
        return marks

    @cached_property
    def test_scores(self) -> Ints | None:
        return None if self.exam.test_score is None else np.array(self.exam.test_score)[self.primary_scores]

    def rows_of(self, school: int) -> Ints:
        return np.flatnonzero(self.graduates.school[self.person] == school)

    def part(self, rows: Ints) -> ExamResults:
        chosen = (column[rows] for column in (self.person, self.short, self.long, self.station, self.room))
        return ExamResults(self.exam, self.graduates, self.day, *chosen)


def graduates(generation: Generation, year: int, grade: int) -> Graduates:
    """Who finishes `grade` in `year`. Grade 11 are those of grade 9 two years before who stayed, the abler rather."""
    region = generation.region
    school, ability, _, letter = generation.cohort(year - grade + 1)
    names = list(islice(people(stream(region.seed, "pupils", year - grade)), school.size))
    kinds = np.array([found.kind for found in region.schools])[school]
    opened = np.array([found.open_in(year) for found in region.schools])[school]
    stays = opened & (kinds != "primary")
    if grade == 11:
        chance = 1 / (1 + np.exp(0.3 - 1.1 * ability))
        stays &= (kinds != "basic") & (stream(region.seed, "stay", year).random(school.size) < chance)
    chosen = np.flatnonzero(stays)
    # Cohorts are fewer than 20 000 people and six of them meet, so their passport numbers never do.
    first_document = 100_000 + (year - grade - 2000) * 20_000
    persons = [names[number] for number in chosen]
    letters = letter[chosen] if grade == 9 else letter[chosen] // 2
    return Graduates(year, grade, school[chosen], ability[chosen], letters, persons, first_document)


def oge(generation: Generation, found: Graduates) -> Iterator[ExamResults]:
    """ОГЭ in Russian and mathematics, ГВЭ for a few, reserve days on which most of those with a «2» try again."""
    helped = np.zeros(len(generation.region.schools))
    for number, school in enumerate(generation.region.schools):
        if school.login in generation.schemes.of("inflated_oge"):
            helped[number] = 1.5
    rng = stream(generation.region.seed, "oge", found.year)
    everybody = np.arange(found.school.size)
    on_gve = rng.random(everybody.size) < 0.015
    for exam in OGE:
        first = _sit(generation, rng, exam, found, everybody[~on_gve], f"{found.year}.{exam.day}", helped[found.school])
        if (found.year, exam.subject) == COPIED_EXAM:
            _copy(first)
        yield first
        assert first.marks is not None
        failed = first.person[(first.marks == 2) & (rng.random(first.person.size) < 0.85)]
        reserve = {"RU": "06.27", "MA": "06.28"}[exam.subject]
        yield _sit(generation, rng, exam, found, failed, f"{found.year}.{reserve}", np.full(everybody.size, 0.7))
    yield _sit(generation, rng, GVE, found, everybody[on_gve], f"{found.year}.{GVE.day}", np.zeros(everybody.size))


def ege(generation: Generation, found: Graduates) -> Iterator[ExamResults]:
    """ЕГЭ: Russian for all, base or profile mathematics, society or physics by choice."""
    rng = stream(generation.region.seed, "ege", found.year)
    everybody = np.arange(found.school.size)
    profile = rng.random(everybody.size) < 1 / (1 + np.exp(0.6 - 1.4 * found.ability))
    physics = profile & (rng.random(everybody.size) < 0.45)
    society = ~physics & (rng.random(everybody.size) < 0.6)
    takers = {"RU": everybody, "MA": everybody[profile], "MB": everybody[~profile]}
    takers |= {"OB": everybody[society], "FI": everybody[physics]}
    for exam in EGE:
        prepared = np.full(everybody.size, 0.35 if exam.subject in ("MA", "FI", "OB") else 0.0)
        yield _sit(generation, rng, exam, found, takers[exam.subject], f"{found.year}.{exam.day}", prepared)


def sit(generation: Generation, exam: Exam, found: Graduates, person: Ints) -> ExamResults:
    """One more exam, on its main day, for some graduates."""
    rng = stream(generation.region.seed, exam.procedure, found.year, exam.number)
    return _sit(generation, rng, exam, found, person, f"{found.year}.{exam.day}", np.zeros(found.school.size))


def _sit(
    generation: Generation,
    rng: np.random.Generator,
    exam: Exam,
    found: Graduates,
    person: Ints,
    day: str,
    shift: Floats,
) -> ExamResults:
    maxima = np.array([*exam.short, *exam.long])
    items = stream(generation.region.seed, "exam", exam.procedure, exam.number)
    long_part = np.arange(maxima.size) >= len(exam.short)
    difficulty = exam.difficulty + items.normal(0, 0.8, maxima.size) + np.where(long_part, 0.9, -0.3)
    ability = found.ability[person] + shift[person] + rng.normal(0, 0.35, person.size)
    scores = respond(rng, ability, maxima, difficulty, items.uniform(1.0, 1.8, maxima.size))
    station, room = _seats(generation, found, person, day)
    return ExamResults(exam, found, day, person, scores[:, ~long_part], scores[:, long_part], station, room)


def _seats(generation: Generation, found: Graduates, person: Ints, day: str) -> tuple[Ints, Ints]:
    """Station and room of everybody: three stations a municipality, their rooms filled by lot."""
    municipalities = np.array([school.municipality.number for school in generation.region.schools])
    station = 1000 + 10 * municipalities[found.school[person]] + person % 3
    order = stream(generation.region.seed, "seats", day).permutation(person.size)
    order = order[np.argsort(station[order], kind="stable")]
    of_station = np.searchsorted(station[order], station[order])
    room = np.empty(person.size, dtype=np.int64)
    room[order] = 1 + (np.arange(person.size) - of_station) // SEATS
    return station, room


def _copy(result: ExamResults) -> None:
    """In the first room nine of fifteen have the answers of a tenth."""
    rows = np.flatnonzero((result.station == result.station.min()) & (result.room == 1))
    source = rows[np.argsort(result.primary_scores[rows])[rows.size // 2]]
    copies = rows[rows != source][:9]
    result.short[copies], result.long[copies] = result.short[source], result.long[source]
    del result.primary_scores
