"""What is written in the region: the structure of works and exams with maxima, item difficulties and mark scales.

Scales: recommendations printed in the ВПР demonstration versions and in Рособрнадзор's letters on ОГЭ; tables of test
scores for ЕГЭ. In 2025 only the Russian work of grade 4 has its new volume (24 points); the others keep the old one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from rsoko.contracts.vocabulary import written

_NAMES = {code: written()["subject"][code] for code in ("RU", "MA", "OM")}
SUBJECT = {code: names[0].capitalize() for code, names in _NAMES.items()}
SUBJECT_DATIVE = {code: names[1] for code, names in _NAMES.items()}
SUBJECT_SHORT = {code: next(name.upper() for name in names if len(name) == 2) for code, names in _NAMES.items()}


@dataclass(frozen=True)
class Work:
    """One ВПР work: items as (label, maximum), least points for marks 3, 4 and 5, overall difficulty in logits."""

    grade: int
    subject: str
    items: tuple[tuple[str, int], ...]
    least: tuple[int, int, int]
    difficulty: float

    @cached_property
    def labels(self) -> list[str]:
        return [label for label, _ in self.items]

    @cached_property
    def maxima(self) -> NDArray[np.int64]:
        return np.array([maximum for _, maximum in self.items])

    @property
    def max_score(self) -> int:
        return int(self.maxima.sum())

    def marks(self, totals: NDArray[np.int64]) -> NDArray[np.int64]:
        return 2 + np.searchsorted(np.array(self.least), totals, side="right")


def _items(spec: str) -> tuple[tuple[str, int], ...]:
    pairs = (item.rsplit(":", 1) for item in spec.split())
    return tuple((label, int(maximum)) for label, maximum in pairs)


_RU4 = Work(
    4,
    "RU",
    _items(
        "1К1:4 1К2:3 2:3 3(1):1 3(2):3 4:2 5:1 6:2 7:3 8:2 9:1 10:1 11:2 12(1):1 12(2):2 13(1):1 13(2):2 14:1 "
        "15(1):2 15(2):1"
    ),
    (14, 24, 33),
    -0.55,
)
_RU4_2025 = Work(
    4, "RU", _items("1:2 2:1 3:2 4:3 5:2 6:1 7:1 8:2 9.1:1 9.2:2 10.1:1 10.2:2 11:1 12.1:2 12.2:1"), (10, 16, 21), -0.65
)
_MA4 = Work(
    4,
    "MA",
    _items("1:1 2:1 3:2 4:1 5(1):1 5(2):1 6(1):1 6(2):1 7:1 8:2 9(1):1 9(2):1 10:2 11:2 12:2"),
    (6, 10, 15),
    -0.5,
)
_RU5 = Work(
    5,
    "RU",
    _items(
        "1К1:4 1К2:3 1К3:2 2К1:3 2К2:3 2К3:3 2К4:3 3:2 4(1):3 4(2):2 5(1):2 5(2):2 6(1):2 6(2):1 7(1):2 7(2):1 "
        "8:2 9:2 10:1 11:1 12:1"
    ),
    (18, 29, 39),
    -1.05,
)
_MA5 = Work(
    5,
    "MA",
    _items("1:1 2:1 3:1 4:1 5:1 6:2 7:1 8:1 9:2 10:2 11(1):1 11(2):1 12(1):1 12(2):1 13:1 14:2"),
    (7, 11, 15),
    -0.35,
)
WORLD_AROUND = Work(
    4,
    "OM",
    _items("1:2 2:2 3(1):2 3(2):1 3(3):3 4:2 5:1 6(1):1 6(2):1 6(3):2 7(1):1 7(2):2 8:3 9:3 10(1):2 10(2):4"),
    (8, 18, 27),
    -0.5,
)


def vpr_works(year: int) -> list[Work]:
    """The four works of the year, in the order grade, subject."""
    return [_RU4_2025 if year >= 2025 else _RU4, _MA4, _RU5, _MA5]


@dataclass(frozen=True)
class Exam:
    """One ГИА exam: number in РИС, title as protocols write it, maxima of short and long items, month and day.

    `least` are the least points for marks 3, 4, 5 (ОГЭ, ГВЭ, base mathematics); `test_score[primary]` is the ЕГЭ scale.
    """

    procedure: str
    number: int
    subject: str
    title: str
    short: tuple[int, ...]
    long: tuple[int, ...]
    day: str
    difficulty: float
    least: tuple[int, int, int] | None = None
    test_score: tuple[int, ...] | None = None

    @property
    def max_score(self) -> int:
        return sum(self.short) + sum(self.long)


def _scale(spec: str) -> tuple[int, ...]:
    return tuple(int(score) for score in spec.split())


_ONES = (1,)
OGE = (
    Exam(
        "oge",
        1,
        "RU",
        "Русский язык",
        _ONES * 7,
        (2, 3, 2, 2, 3, 2, 2, 2, 2, 2, 2, 2),
        "06.06",
        -2.0,
        least=(15, 23, 29),
    ),
    Exam("oge", 2, "MA", "Математика", _ONES * 19, (2,) * 6, "06.09", -0.55, least=(8, 15, 22)),
)
CHEMISTRY = Exam("oge", 4, "HI", "Химия", (1,) * 14 + (2,) * 5, (3, 4, 4, 5), "06.11", -0.3, least=(10, 21, 31))
GVE = Exam("gve9", 52, "MA", "Математика", _ONES * 14, (), "06.09", 0.3, least=(4, 7, 10))
EGE = (
    Exam(
        "ege",
        1,
        "RU",
        "Русский язык",
        (1,) * 7 + (2,) + (1,) * 17 + (2,),
        (1, 3, 2, 1, 2, 1, 3, 3, 3, 3),
        "05.29",
        -0.5,
        test_score=_scale(
            "0 3 5 8 10 12 15 17 20 22 24 27 29 32 34 36 37 39 40 42 43 45 46 48 49 51 52 54 55 57 58 60 61 "
            "63 64 66 67 69 70 72 73 75 78 81 83 86 89 91 94 97 100"
        ),
    ),
    Exam(
        "ege",
        2,
        "MA",
        "Математика профильная",
        _ONES * 12,
        (2, 3, 2, 2, 3, 4, 4),
        "06.01",
        1.35,
        test_score=_scale(
            "0 6 11 17 22 27 34 40 46 52 58 64 70 72 74 76 78 80 82 84 86 88 90 92 94 95 96 97 98 99 100 100 100"
        ),
    ),
    Exam("ege", 22, "MB", "Математика базовая", _ONES * 21, (), "06.01", -0.6, least=(7, 12, 17)),
    Exam(
        "ege",
        12,
        "OB",
        "Обществознание",
        (1,) * 4 + (2,) * 12,
        (2, 2, 3, 3, 3, 4, 3, 4, 6),
        "06.05",
        0.3,
        test_score=_scale(
            "0 2 4 6 8 10 12 14 16 18 20 22 24 26 28 30 32 34 36 38 40 42 44 45 47 48 49 51 52 53 55 56 57 59 "
            "60 62 63 64 66 67 68 70 71 72 73 75 77 79 81 83 85 86 88 90 92 94 96 98 100"
        ),
    ),
    Exam(
        "ege",
        3,
        "FI",
        "Физика",
        (1,) * 12 + (2,) * 8,
        (3, 2, 2, 3, 3, 4),
        "06.07",
        1.5,
        test_score=_scale(
            "0 5 9 14 18 23 27 32 36 39 41 43 44 46 48 49 51 53 54 56 58 59 61 62 64 65 67 68 70 71 73 74 76 "
            "77 79 80 82 84 86 88 90 92 94 96 98 100"
        ),
    ),
)
