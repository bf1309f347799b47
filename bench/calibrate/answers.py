"""What a region wrote in one work: the form in which the simulator hands it on and the reference takes it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NOT_ATTEMPTED, NOT_TAUGHT = -1, -2
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Work:
    """One work: J items with maxima, which of them an expert marks, least totals for the marks 3, 4 and 5."""

    year: int
    grade: int
    subject: str
    maxima: Ints
    is_expert: Bools
    least: tuple[int, int, int]

    @property
    def max_score(self) -> int:
        return int(self.maxima.sum())

    @property
    def name(self) -> str:
        return f"{self.year} {self.grade} {self.subject}"

    def marks(self, totals: Ints) -> Ints:
        return 2 + np.searchsorted(np.array(self.least), totals, side="right")


@dataclass
class Answers:
    """Rows of everyone enrolled, n participants by J items.

    `school` indexes the region's schools, `classroom` is unique in the region, `scores` hold points or a state below 0
    and nothing of worth where `present` is false, `journal` is 0 where there is no mark.
    """

    work: Work
    school: Ints
    classroom: Ints
    variant: Ints
    present: Bools
    scores: Ints
    journal: Ints

    @property
    def points(self) -> Ints:
        """Scores with every state counted as nothing."""
        return np.maximum(self.scores, 0)

    @property
    def totals(self) -> Ints:
        return self.points.sum(axis=1)


@dataclass(frozen=True)
class Context:
    """What is known of the schools in one year: S context groups, social indices, whether a group was observed."""

    group: NDArray[np.str_]
    social_index: Floats
