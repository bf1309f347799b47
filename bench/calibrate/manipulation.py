"""Seven kinds of manipulation at three intensities and three scopes, and the truth about who did what."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from bench.calibrate.answers import Answers, Ints
from bench.calibrate.region import GRADES, SUBJECTS, Region, Written, add_points
from sample_region.region import stream

INTENSITIES = ("weak", "medium", "strong")
SCOPES = ("subject", "school", "class")
"""One subject in all grades for one to three years; all works of a year; one class of a large school in one work."""
_SMALLEST = 15
"""Pupils in a grade of the smallest school that does something."""


@dataclass(frozen=True)
class Deed:
    """What was done to one group, or to one class of it (`letter`)."""

    year: int
    grade: int
    subject: str
    school: int
    kind: str
    intensity: str
    scope: str
    letter: int | None = None


def plan(region: Region) -> list[Deed]:
    """Deeds of different schools until the share of the region's groups is reached: every cell equally often."""
    settings = region.settings
    rng = stream(settings.seed, "deeds")
    years = settings.years
    budget = settings.manipulated * settings.schools * len(GRADES) * len(SUBJECTS) * len(years)
    able = region.size >= _SMALLEST
    order = rng.permutation(np.flatnonzero(able & ~region.newly_selective & ~region.star.any(axis=0))).tolist()
    large = [school for school in order if region.size[school] >= 60]
    taken: set[int] = set()
    deeds: list[Deed] = []
    for scope, intensity, kind in _cells(rng):
        if len(deeds) >= budget:
            return deeds
        candidates = (school for school in (large if scope == "class" else order) if school not in taken)
        school = next(candidates, None)
        if school is None:
            return deeds
        taken.add(school)
        first, subject = int(rng.integers(len(years))), SUBJECTS[rng.integers(len(SUBJECTS))]
        match scope:
            case "subject":
                last = min(len(years), first + int(rng.integers(1, 4)))
                deeds += [
                    Deed(year, grade, subject, school, kind, intensity, scope)
                    for year in years[first:last]
                    for grade in GRADES
                ]
            case "school":
                deeds += [
                    Deed(years[first], grade, other, school, kind, intensity, scope)
                    for grade in GRADES
                    for other in SUBJECTS
                ]
            case "class":
                grade = GRADES[rng.integers(len(GRADES))]
                deeds.append(
                    Deed(years[first], grade, subject, school, kind, intensity, scope, letter=int(rng.integers(2)))
                )
    return deeds


def _cells(rng: np.random.Generator) -> Iterator[tuple[str, str, str]]:
    """Every kind at every intensity: in a round twice a subject, once a school, three times a class."""
    cells = [(scope, level) for scope in ("subject",) * 2 + ("school",) + ("class",) * 3 for level in INTENSITIES]
    while True:
        for place in rng.permutation(len(cells)):
            scope, level = cells[place]
            for kind in KINDS:
                yield scope, level, kind


def apply(region: Region, written: Written, deeds: list[Deed]) -> None:
    """Do to the answers (in place) what the deeds of this work say."""
    work = written.answers.work
    for deed in deeds:
        if (deed.year, deed.grade, deed.subject) == (work.year, work.grade, work.subject):
            rng = stream(region.settings.seed, "deed", work.name, deed.school)
            chosen = written.answers.school == deed.school
            if deed.letter is not None:
                chosen &= written.letter == deed.letter
            if deed.kind != "absence":
                chosen &= written.answers.present
            KINDS[deed.kind](rng, written, np.flatnonzero(chosen), INTENSITIES.index(deed.intensity))


def _lift(rng: np.random.Generator, written: Written, rows: Ints, level: int) -> None:
    """Works one to three points short of a mark are brought exactly to it."""
    answers = written.answers
    least, totals = np.array(answers.work.least), answers.totals[rows]
    missing = np.min(np.where(least > totals[:, None], least - totals[:, None], 99), axis=1)
    lifted = (missing <= (2, 2, 3)[level]) & (rng.random(rows.size) < (0.65, 0.9, 1)[level])
    add_points(rng, answers, rows[lifted], missing[lifted])


def _inflate(rng: np.random.Generator, written: Written, rows: Ints, level: int) -> None:
    """Some points more on expert-marked items."""
    answers, work = written.answers, written.answers.work
    room = np.where(work.is_expert, work.maxima - answers.points[rows], 0).sum(axis=1)
    add_points(rng, answers, rows, np.minimum(room, rng.poisson((2.5, 4, 6)[level], rows.size)))


def _leak(rng: np.random.Generator, written: Written, rows: Ints, level: int) -> None:
    """Some items are known beforehand."""
    answers, work = written.answers, written.answers.work
    items = rng.choice(work.maxima.size, (2, 3, 4)[level], replace=False)
    known = rng.random((rows.size, items.size)) < (0.55, 0.75, 0.92)[level]
    cells = np.ix_(rows, items)
    answers.scores[cells] = np.where(known, work.maxima[items], answers.scores[cells])


def _copy(rng: np.random.Generator, written: Written, rows: Ints, level: int) -> None:
    """In every class some copy from a better one, most of the items."""
    answers = written.answers
    for classroom in np.unique(answers.classroom[rows]):
        own = rows[answers.classroom[rows] == classroom]
        copiers = own[rng.random(own.size) < (0.2, 0.35, 0.55)[level]]
        better = own[np.argsort(answers.totals[own])[own.size // 2 :]]
        sources = rng.choice(better, size=min(better.size, 1 + own.size // 12), replace=False)
        for row in np.setdiff1d(copiers, sources):
            source = rng.choice(sources)
            taken = rng.random(answers.work.maxima.size) < (0.8, 0.87, 0.94)[level]
            answers.scores[row, taken] = answers.scores[source, taken]
            answers.variant[row] = answers.variant[source]


def _help(rng: np.random.Generator, written: Written, rows: Ints, level: int) -> None:
    """Answers are put right during the work, whatever their difficulty."""
    answers, work = written.answers, written.answers.work
    helped = (rng.random(rows.size) < (0.9, 1, 1)[level])[:, None]
    right = helped & (rng.random((rows.size, work.maxima.size)) < (0.25, 0.38, 0.5)[level])
    answers.scores[rows] = np.where(right, work.maxima, answers.scores[rows])


def _absence(rng: np.random.Generator, written: Written, rows: Ints, level: int) -> None:
    """The weakest stay at home."""
    answers = written.answers
    seen = written.talent[rows] + rng.normal(0, 0.15, rows.size)
    weakest = rows[np.argsort(seen)[: round(rows.size * (0.2, 0.3, 0.4)[level])]]
    answers.present[weakest[rng.random(weakest.size) < 0.9]] = False


def _journal(rng: np.random.Generator, written: Written, rows: Ints, level: int) -> None:
    """The work gets the mark that stands in the journal."""
    answers, work = written.answers, written.answers.work
    least, totals = np.array((0, *work.least, work.max_score + 1)), answers.totals[rows]
    wanted = answers.journal[rows] - 2
    chosen = (wanted >= 0) & (work.marks(totals) != answers.journal[rows])
    chosen &= rng.random(rows.size) < (0.5, 0.75, 0.95)[level]
    rows, wanted, totals = rows[chosen], wanted[chosen], totals[chosen]
    goal = np.where(totals < least[wanted], least[wanted] + rng.integers(0, 3, rows.size), totals)
    add_points(rng, answers, rows, np.minimum(goal, least[wanted + 1] - 1) - np.minimum(totals, least[wanted + 1] - 1))
    for row, top in zip(rows.tolist(), (least[wanted + 1] - 1).tolist(), strict=True):
        _take_points(rng, answers, row, int(answers.points[row].sum()) - top)


def _take_points(rng: np.random.Generator, answers: Answers, row: int, points: int) -> None:
    for item in rng.permutation(answers.work.maxima.size):
        if points <= 0:
            return
        if answers.scores[row, item] > 0:
            answers.scores[row, item] -= 1
            points -= 1


KINDS: dict[str, Callable[[np.random.Generator, Written, Ints, int], None]] = {
    "lift": _lift,
    "inflate": _inflate,
    "leak": _leak,
    "copy": _copy,
    "help": _help,
    "absence": _absence,
    "journal": _journal,
}
