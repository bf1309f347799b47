"""The honest region: schools, cohorts of pupils, works, and what would be written if nobody helped.

An ability is region + school (context, social index) + class + pupil; items answer by a graded response model. Honest
schools are not alike: teachers stress topics, experts are milder or stricter, and a mark just out of reach is often
forgiven everywhere. `noise` multiplies all of that.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bench.calibrate.answers import NOT_ATTEMPTED, NOT_TAUGHT, Answers, Bools, Context, Floats, Ints, Work
from sample_region.region import stream

GRADES = (4, 5, 6)
SUBJECTS = ("RU", "MA", "EN")
CLASS_SIZE = 27
DOMAINS = 3
"""Parts of a subject; a pupil is stronger in one than in another."""


@dataclass(frozen=True)
class Settings:
    """A region to make: the same settings give the same region."""

    seed: int
    schools: int = 1_000
    years: tuple[int, ...] = (2023, 2024, 2025)
    noise: float = 1.0
    manipulated: float = 0.02


@dataclass(frozen=True)
class Cohort:
    """Pupils who share a grade: n school indices, class numbers unique in the region, ability in logits."""

    school: Ints
    classroom: Ints
    letter: Ints
    ability: Floats


@dataclass
class Written:
    """Answers with what only the generator knows of their authors: ability in the subject."""

    answers: Answers
    talent: Floats
    letter: Ints
    oddity: Ints
    """0, or the index in `ODDITIES` of what honest thing happened to the pupil's class."""


ODDITIES = ("", "skipped topics, told", "skipped topics, not told", "quarantine")


class Region:
    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        rng, count = stream(settings.seed, "schools"), settings.schools
        self.urban: Bools = rng.random(count) < 0.55
        chance = rng.random(count)
        self.selective: Bools = self.urban & (chance < 0.11)
        self.newly_selective: Bools = self.urban & (chance > 0.975)
        self.star: Bools = rng.random((len(SUBJECTS), count)) < 0.01
        """A teacher whose every class is far above the school, by subject."""
        size = np.exp(rng.normal(np.where(self.urban, np.log(50), np.log(13)), np.where(self.urban, 0.45, 0.5)))
        self.size: Floats = np.clip(size, 2, 160)
        self.social: Floats = rng.normal(0, 0.9, count) + 0.3 * self.urban + 0.8 * self.selective
        self.effect: Floats = 0.2 * self.social + 0.15 * self.urban + 0.75 * self.selective + rng.normal(0, 0.25, count)
        noise = settings.noise
        self.journal_leniency: Floats = rng.normal(0.1, 0.3, count)
        self.expert_leniency: Floats = rng.normal(0, 0.08 * noise, count) + 0.15 * self.selective
        self.absence: Floats = 0.09 * rng.gamma(8, 1 / 8, count)

    @cached_property
    def codes(self) -> list[str]:
        return [f"edu99{number:04d}" for number in range(self.settings.schools)]

    def context(self) -> Context:
        """As the register tells it: a school that has just turned selective is still an ordinary one."""
        group = np.where(self.selective, "selective", np.where(self.urban, "urban", "rural"))
        return Context(group, self.social)

    def works(self) -> list[Work]:
        """Nine works a year."""
        return [self._work(*key) for key in self._keys()]

    def _keys(self) -> list[tuple[int, int, str]]:
        return [(year, grade, subject) for year in self.settings.years for grade in GRADES for subject in SUBJECTS]

    def _work(self, year: int, grade: int, subject: str) -> Work:
        rng = stream(self.settings.seed, "work", year, grade, subject)
        count = int(rng.integers(12, 21))
        is_expert = np.zeros(count, dtype=bool)
        is_expert[-max(3, round(count * 0.35)) :] = True
        maxima = np.where(is_expert, rng.integers(2, 5, count), rng.choice([1, 1, 2], count))
        total = int(maxima.sum())
        third, fourth, fifth = (round(total * share) for share in (0.3, 0.5, 0.72))
        return Work(year, grade, subject, maxima, is_expert, (third, fourth, fifth))

    def cohort(self, first_year: int) -> Cohort:
        """Pupils who were in grade 1 in `first_year`."""
        rng = stream(self.settings.seed, "cohort", first_year)
        sizes = np.maximum(1, np.round(self.size * rng.normal(1, 0.08, self.size.size))).astype(int)
        school = np.repeat(np.arange(sizes.size), sizes)
        classes = -(-sizes // CLASS_SIZE)
        letter = np.concatenate([np.arange(n) * k // n for n, k in zip(sizes, classes, strict=True)])
        classroom = (np.cumsum(classes) - classes)[school] + letter
        effect = rng.normal(0, 0.18, int(classes.sum()))[classroom]
        return Cohort(school, classroom, letter, effect + rng.normal(0, 0.8, school.size))

    def write(self, work: Work) -> Written:
        """What the whole region wrote, honestly."""
        settings, noise = self.settings, self.settings.noise
        cohort = self.cohort(work.year - work.grade + 1)
        rng = stream(settings.seed, "written", work.name)
        school, n, classes = cohort.school, cohort.school.size, int(cohort.classroom[-1]) + 1
        change = np.where(self.newly_selective & (work.year > settings.years[0]), 0.75, 0.0)
        change += 0.7 * self.star[SUBJECTS.index(work.subject)] + rng.normal(0, 0.12, settings.schools)
        talent = cohort.ability + (self.effect + change)[school] + rng.normal(0, 0.15, classes)[cohort.classroom]
        talent += stream(settings.seed, "talent", work.year - work.grade, work.subject).normal(0, 0.35, n)

        items = work.maxima.size
        variants = int(rng.integers(2, 4))
        variant = rng.integers(0, variants, n)
        domain = rng.integers(0, DOMAINS, items)
        difficulty = rng.normal(0, 0.95, items) + 0.12 * (work.maxima - 1)
        difficulty = difficulty + rng.normal(0, 0.12, (variants, items))
        stress = rng.normal(0, 0.13 * noise, (settings.schools, items))[school]
        stress += rng.normal(0, 0.17 * noise, (classes, items))[cohort.classroom]
        stress += rng.normal(0, 0.3, (n, DOMAINS))[:, domain]
        mildness = self.expert_leniency + rng.normal(0, 0.08 * noise, settings.schools)
        stress += mildness[school][:, None] * work.is_expert
        day = talent + rng.normal(0, 0.2, n)

        oddity = np.zeros(n, dtype=np.int64)
        untaught = self._untaught(rng, classes, items)[cohort.classroom]
        is_told = (rng.random(classes) < 0.5)[cohort.classroom]
        stress -= 1.3 * untaught
        scores = _respond(rng, day[:, None] + stress, work.maxima, difficulty[variant], rng.uniform(0.9, 1.8, items))
        scores[(scores == 0) & (rng.random(scores.shape) < 0.25 / (1 + np.exp(day + 0.5))[:, None])] = NOT_ATTEMPTED
        scores[untaught & is_told[:, None]] = NOT_TAUGHT
        oddity[untaught.any(axis=1)] = np.where(is_told[untaught.any(axis=1)], 1, 2)

        seen = talent + self.journal_leniency[school] + rng.normal(0, 0.5, n)
        journal = 2 + np.searchsorted([-2.1, -0.35, 0.95], seen)
        journal[rng.random(n) < 0.004] = 0

        share = self.absence[school] * rng.gamma(10, 1 / 10, classes)[cohort.classroom]
        quarantined = (rng.random(classes) < 0.008)[cohort.classroom]
        share = np.where(quarantined, 0.6, share * np.exp(-0.3 * (talent - talent.mean())))
        oddity[quarantined] = 3
        present = rng.random(n) >= share

        answers = Answers(work, school, cohort.classroom, variant + 1, present, scores, journal)
        self._forgive(rng, answers)
        return Written(answers, talent, cohort.letter, oddity)

    def _untaught(self, rng: np.random.Generator, classes: int, items: int) -> Bools:
        """Classes that have not come to one to three items by the day of the work."""
        found = np.zeros((classes, items), dtype=bool)
        for classroom in np.flatnonzero(rng.random(classes) < 0.012 * self.settings.noise):
            found[classroom, rng.choice(items, int(rng.integers(1, 4)), replace=False)] = True
        return found

    def _forgive(self, rng: np.random.Generator, answers: Answers) -> None:
        """One point short of a mark is often found in an expert-marked item; in some schools more often."""
        work = answers.work
        chance = np.clip(0.12 + rng.normal(0, 0.05 * self.settings.noise, self.settings.schools), 0, 1)[answers.school]
        short = np.isin(answers.totals, np.array(work.least) - 1) & (rng.random(chance.size) < chance)
        add_points(rng, answers, np.flatnonzero(short), np.ones(int(short.sum()), dtype=np.int64))


def _respond(rng: np.random.Generator, ability: Floats, maxima: Ints, difficulty: Floats, slope: Floats) -> Ints:
    """Scores n × J: the thresholds of an item spread around its difficulty."""
    uniform, scores = rng.random(ability.shape), np.zeros(ability.shape, dtype=np.int64)
    for step in range(1, int(maxima.max()) + 1):
        threshold = difficulty + 1.5 * (step - (maxima + 1) / 2) / np.maximum(maxima, 2)
        scores += (uniform < 1 / (1 + np.exp(-slope * (ability - threshold)))) & (step <= maxima)
    return scores


def add_points(rng: np.random.Generator, answers: Answers, rows: Ints, points: Ints) -> None:
    """Raise totals by points, as one who marks does it: expert-marked items first, of them those half right."""
    work = answers.work
    for row, left in zip(rows.tolist(), points.tolist(), strict=True):
        scores = answers.scores[row]
        while left > 0:
            found = np.maximum(scores, 0)
            order = np.argsort(rng.random(scores.size) + (found == 0) + 2 * ~work.is_expert)
            open_items = order[(found < work.maxima)[order]][:left]
            if not open_items.size:
                break
            scores[open_items] = found[open_items] + 1
            left -= open_items.size
