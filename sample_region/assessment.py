"""Pupils and their answers: abilities, item responses by a graded response model, journal marks, schools that cheat."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sample_region.region import YEARS, Region, stream
from sample_region.works import Work, vpr_works

NOT_ATTEMPTED, NOT_TAUGHT = -1, -2
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Truth:
    """What was done at an organisation, known only to the generator.

    `marker_code`: the official marker that should notice it; empty where none looks for it. Honest strong schools are
    listed too, because the official markers notice them as well. `is_corrected`: a correction delivered later mends it.
    """

    organisation_code: str
    year: int
    procedure: str
    grade: int | None
    subject_code: str
    sign: str
    marker_code: str
    is_violation: bool
    is_corrected: bool
    description: str


SIGNS = {
    "inflated_answers": "взрослые исправляют ответы: результаты всего класса завышены",
    "boundary_marks": "работы, которым не хватало до границы отметки 1–3 балла, дотянуты ровно до неё",
    "copied_answers": "большая часть класса списала одну и ту же работу",
    "reversed_journal": "отметки журнала обратны результатам работы",
    "inflated_journal": "отметки журнала выше результатов работы на балл",
    "sharp_rise": "слабый 4 класс через год показывает высокие результаты",
    "sharp_fall": "завышенный 4 класс через год показывает низкие результаты",
    "inflated_oge": "помощь на экзамене: результаты ОГЭ завышены",
    "honest_strong": "сильная школа (гимназия, лицей), нарушений нет",
}
_COUNTS = {
    "inflated_answers": 4,
    "boundary_marks": 4,
    "copied_answers": 3,
    "reversed_journal": 3,
    "inflated_journal": 3,
    "sharp_rise": 2,
    "sharp_fall": 2,
    "inflated_oge": 2,
}


@dataclass
class Schemes:
    """Which school does what: login → sign; `change_year` is the later year of a sharp change.

    `rechecked` is the school whose Russian work of grade 5 in the last year was written anew before observers.
    """

    signs: dict[str, str] = field(default_factory=dict)
    change_year: dict[str, int] = field(default_factory=dict)

    @property
    def rechecked(self) -> str:
        return self.of("inflated_answers")[0]

    def of(self, sign: str) -> list[str]:
        return [login for login, found in self.signs.items() if found == sign]

    def truths(self, region: Region) -> list[Truth]:
        """One row per organisation, procedure, work and year that is affected."""
        rows: list[Truth] = []
        for school in region.schools:
            sign = "honest_strong" if school.kind in ("gymnasium", "lyceum") else self.signs.get(school.login)
            if sign:
                rows.extend(self._rows(school.login, sign))
        return rows

    def _rows(self, login: str, sign: str) -> Iterator[Truth]:
        def row(year: int, procedure: str, grade: int, subject: str, marker: str) -> Truth:
            corrected = login == self.rechecked and (year, procedure, grade, subject) == (YEARS[-1], "vpr", 5, "RU")
            honest = sign == "honest_strong"
            return Truth(login, year, procedure, grade, subject, sign, marker, not honest, corrected, SIGNS[sign])

        for subject in ("RU", "MA"):
            low = subject.lower()
            if sign in ("sharp_rise", "sharp_fall"):
                yield row(self.change_year[login], "vpr", 5, subject, f"{sign}_{low}")
                continue
            for year in YEARS:
                if sign in ("inflated_oge", "honest_strong"):
                    yield row(year, "oge", 9, subject, f"inflated_mean_oge_{low}")
                if sign == "inflated_oge":
                    continue
                for grade in (4, 5):
                    work = f"vpr_{low}{grade}"
                    marker = {"reversed_journal": f"mark_mismatch_{work}"}.get(sign, "")
                    if sign in ("inflated_answers", "honest_strong"):
                        marker = f"inflated_mean_{work}"
                    yield row(year, "vpr", grade, subject, marker)


def schemes(region: Region) -> Schemes:
    """Choose the cheating schools: ordinary schools large enough that what they do can be seen."""
    rng = stream(region.seed, "schemes")
    share = len(region.schools) / 120
    ordinary = [s for s in region.schools if s.kind == "secondary" and s.urban and s.size >= 40 and not s.closed_on]
    order = iter(rng.permutation(len(ordinary)).tolist())
    chosen = Schemes()
    for sign, count in _COUNTS.items():
        for position in range(max(1, round(count * share))):
            login = ordinary[next(order)].login
            chosen.signs[login] = sign
            if sign.startswith("sharp"):
                chosen.change_year[login] = YEARS[1] + position % 2
    return chosen


@dataclass
class Results:
    """Results of one work, n participants by k items.

    `school` indexes `Region.schools`, `letter` counts classes from 0 (А); `scores` hold points or −1 (not attempted),
    rows of absent pupils hold 0; `journal_mark` is 0 where there is none.
    """

    year: int
    work: Work
    school: Ints
    code: Ints
    letter: Ints
    female: NDArray[np.bool_]
    variant: Ints
    absent: NDArray[np.bool_]
    scores: Ints
    journal_mark: Ints

    @cached_property
    def totals(self) -> Ints:
        """Sum of the scores, states counted as nothing; 0 for the absent."""
        return np.where(self.absent, 0, np.maximum(self.scores, 0).sum(axis=1))

    @cached_property
    def marks(self) -> Ints:
        return self.work.marks(self.totals)

    def rows_of(self, *schools: int) -> Ints:
        return np.flatnonzero(np.isin(self.school, schools))


def respond(rng: np.random.Generator, ability: Floats, maxima: Ints, difficulty: Floats, slope: Floats) -> Ints:
    """Scores n × k: a graded response model, the thresholds of an item spread around its difficulty."""
    uniform = rng.random((ability.size, maxima.size))
    scores = np.zeros(uniform.shape, dtype=np.int64)
    for step in range(1, int(maxima.max()) + 1):
        threshold = difficulty + 1.5 * (step - (maxima + 1) / 2) / np.maximum(maxima, 2)
        reached = uniform < 1 / (1 + np.exp(-slope * (ability[:, None] - threshold)))
        scores += reached & (step <= maxima)
    return scores


class Generation:
    """All pupils of the region over the years, and what they wrote."""

    def __init__(self, region: Region, found: Schemes) -> None:
        self.region = region
        self.schemes = found
        self._index = {school.login: i for i, school in enumerate(region.schools)}

    def vpr(self) -> Iterator[Results]:
        """Every work of every year. Grade 4 of one year and grade 5 of the next are the same pupils."""
        for year in YEARS:
            for work in vpr_works(year):
                yield self.write_work(year, work)

    def cohort(self, first_year: int) -> tuple[Ints, Floats, NDArray[np.bool_], Ints]:
        """Pupils who were in grade 1 in `first_year`: school index, ability, sex, class letter (0 = А)."""
        rng = stream(self.region.seed, "cohort", first_year)
        sizes = [max(3, round(school.size * rng.normal(1, 0.08))) for school in self.region.schools]
        school = np.repeat(np.arange(len(sizes)), sizes)
        ability = rng.normal(0, 0.85, school.size) + self._effects(rng)[school]
        letters = np.concatenate([np.arange(size) * max(1, -(-size // 27)) // size for size in sizes])
        return school, ability, rng.random(school.size) < 0.49, letters

    def _effects(self, rng: np.random.Generator) -> Floats:
        return np.array([school.effect + rng.normal(0, 0.1) for school in self.region.schools])

    def write_work(self, year: int, work: Work) -> Results:
        """What all schools that were open wrote."""
        school, common, female, letter = self.cohort(year - work.grade + 1)
        opened = np.array([found.open_in(year) for found in self.region.schools])[school]
        school, common, female, letter = school[opened], common[opened], female[opened], letter[opened]
        code = work.grade * 10000 + 1 + np.concatenate([np.arange(n) for n in np.unique(school, return_counts=True)[1]])
        rng = stream(self.region.seed, "vpr", year, work.grade, work.subject)
        talent = (
            common
            + stream(self.region.seed, "talent", year - work.grade, work.subject).normal(0, 0.35, opened.size)[opened]
        )
        written = talent + self._shift(year, work, school) + rng.normal(0, 0.25, school.size)
        items = stream(self.region.seed, "items", work.grade, work.subject, len(work.items))
        difficulty = work.difficulty + items.normal(0, 0.75, len(work.items)) + 0.12 * (work.maxima - 1)
        scores = respond(rng, written, work.maxima, difficulty, items.uniform(0.9, 1.7, len(work.items)))
        # The weaker a pupil, the likelier a lost point means an untouched task.
        untouched = (scores == 0) & (rng.random(scores.shape) < 0.3 / (1 + np.exp(written + 0.5))[:, None])
        scores[untouched] = NOT_ATTEMPTED
        absent = rng.random(school.size) < 0.09
        result = Results(
            year,
            work,
            school,
            code,
            letter,
            female,
            rng.integers(1, 3, school.size),
            absent,
            scores,
            np.zeros_like(school),
        )
        self._tamper(rng, result)
        self._journal(rng, result, talent)
        scores[absent] = 0
        return result

    def _shift(self, year: int, work: Work, school: Ints) -> Floats:
        """Help from adults, in logits of ability, per pupil."""
        shift = np.zeros(len(self.region.schools))
        for login, sign in self.schemes.signs.items():
            index = self._index[login]
            if sign == "inflated_answers":
                shift[index] = 1.5
            elif sign.startswith("sharp"):
                low, high = -2.3 - self.region.schools[index].effect, 2.0 - self.region.schools[index].effect
                before, after = (low, high) if sign == "sharp_rise" else (high, low)
                change_year = self.schemes.change_year[login]
                if (year, work.grade) == (change_year - 1, 4):
                    shift[index] = before
                elif (year, work.grade) == (change_year, 5):
                    shift[index] = after
        return shift[school]

    def _tamper(self, rng: np.random.Generator, result: Results) -> None:
        for login in self.schemes.of("boundary_marks"):
            rows = result.rows_of(self._index[login])
            totals = np.maximum(result.scores[rows], 0).sum(axis=1)
            for least in result.work.least:
                for row, total in zip(rows, totals, strict=True):
                    if least - 3 <= total < least and rng.random() < 0.85:
                        _add_points(rng, result.scores[row], result.work.maxima, least - int(total))
        for login in self.schemes.of("copied_answers"):
            rows = result.rows_of(self._index[login])
            for letter in np.unique(result.letter[rows]):
                group = rows[result.letter[rows] == letter]
                totals = np.maximum(result.scores[group], 0).sum(axis=1)
                source = group[np.argsort(totals)[int(group.size * 0.7)]]
                copied = group[rng.random(group.size) < 0.75]
                result.scores[copied] = result.scores[source]
                result.variant[copied] = result.variant[source]

    def _journal(self, rng: np.random.Generator, result: Results, talent: Floats) -> None:
        leniency = rng.normal(0.15, 0.2, len(self.region.schools))[result.school]
        seen = talent + leniency + rng.normal(0, 0.35, talent.size)
        marks = 2 + np.searchsorted([-2.2, -0.3, 1.0], seen)
        for sign in ("reversed_journal", "inflated_journal"):
            for login in self.schemes.of(sign):
                rows = result.rows_of(self._index[login])
                written = result.work.marks(np.maximum(result.scores[rows], 0).sum(axis=1))
                marks[rows] = 7 - written if sign == "reversed_journal" else np.minimum(written + 1, 5)
        marks[rng.random(marks.size) < 0.004] = 0
        result.journal_mark = marks


def _add_points(rng: np.random.Generator, scores: Ints, maxima: Ints, points: int) -> None:
    """Raise single items of one pupil (in place) until the total has grown by `points`."""
    for item in rng.permutation(scores.size):
        gain = min(points, int(maxima[item] - max(scores[item], 0)))
        if gain:
            scores[item] = max(scores[item], 0) + gain
            points -= gain
