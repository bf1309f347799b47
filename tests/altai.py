"""Independent plain-Python readings of the real ВПР works: nothing here comes from the project.

The rules are those of the contract's words: a cell is a score from 0 to 30, X in either alphabet, «не пройд.» or
empty, anything else can't be read; the primary score is the sum of the items, or the reported total where an item can't
be read or none is there.
"""

from __future__ import annotations

import csv
import gzip
import math
import re
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_SKIPPED = {"x", "х", "n", "не пройд."}


@dataclass(frozen=True)
class Row:
    """A participant: login in its `edu…` form, primary score (None: did not write), journal mark, unreadable cells."""

    school: str
    code: str
    present: bool
    score: int | None
    mark: int | None
    bad_cells: int


def works(folder: Path) -> list[Path]:
    return sorted(folder.glob("vpr_*.csv.gz"))


def rows(path: Path) -> Iterator[Row]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        header = next(reader)
        place = {name: index for index, name in enumerate(header)}
        if "user" in place:
            end = place.get("Учебник", len(header))
            items = [i for i, name in enumerate(header) if re.fullmatch(r"a-\d+-grade", name) and i < end]
            names = ("user", "code", "otc", "gender", "sum")
        else:
            items = [i for i, name in enumerate(header) if name.startswith("балл за ")]
            names = (
                "логин школы",
                "код обучающегося",
                "отметка за предыдущую четверть/триместр",
                "пол",
                "всего баллов",
            )
        variants = [place[name] for name in ("var-1", "var-2", "вариант") if name in place]
        school, code, mark, gender, total = (place[name] for name in names)
        for cells in reader:
            yield _row(
                cells[school],
                cells[code],
                cells[mark],
                cells[gender],
                cells[total],
                [cells[i] for i in variants],
                [cells[i] for i in items],
            )


def _row(school: str, code: str, mark: str, gender: str, total: str, variants: list[str], items: list[str]) -> Row:
    bad = 0
    points: list[int] = []
    any_item = False
    for cell in items:
        text = cell.replace("\xa0", " ").strip().lower()
        if not text:
            continue
        any_item = True
        if text in _SKIPPED:
            continue
        if text.isdigit() and int(text) <= 30:
            points.append(int(text))
        else:
            bad += 1
    said = [variant.replace("\xa0", " ").strip().lower() for variant in variants]
    bad += sum(1 for v in said if v and v not in ("отсутствовал", "var1") and not v.isdigit())
    came = any(v.isdigit() and int(v) > 0 for v in said)
    reported = int(total) if total.strip().isdigit() and int(total) <= 150 else None
    bad += bool(total.strip()) and reported is None
    journal = mark.replace("\xa0", " ").strip()
    bad += journal not in ("", "1", "2", "3", "4", "5", "нет отметки", "н/а")
    item_trouble = any(
        t and t not in _SKIPPED and not (t.isdigit() and int(t) <= 30)
        for t in (cell.replace("\xa0", " ").strip().lower() for cell in items)
    )
    bad += gender.replace("\xa0", " ").strip().lower() not in ("", "м", "ж", "д", "муж", "жен")
    absent = "отсутствовал" in said and not came
    if absent and not any_item and reported == 0:
        reported = None
    score = None
    present = not absent and (any_item or reported is not None)
    if present:
        score = sum(points) if any_item and not item_trouble else reported
    return Row("edu" + school[3:], code.strip(), present, score, int(journal) if journal.isdigit() else None, bad)


# --- the 14 markers, as `methodology` states them, in plain Python ----------------------------------------------------

MAXIMUM = {(4, "RU"): 38, (4, "MA"): 20, (5, "RU"): 45, (5, "MA"): 20}
"""Maximum primary score of the works of 2020 and 2021 that markers read."""


@dataclass(frozen=True)
class Marker:
    """A marker of one school: number of participants, statistic, bounds (None: undefined), whether it is marked."""

    n: int
    value: float | None
    lower: float | None
    upper: float | None
    is_marked: bool


def inflated_means(scores: dict[str, list[int]]) -> dict[str, Marker]:
    """Schools whose 95 % confidence interval of the mean lies wholly above the region's."""
    region = [score for school in scores.values() for score in school]
    _, region_upper = _interval(region)
    out = {}
    for school, values in scores.items():
        lower, upper = _interval(values)
        marked = lower is not None and region_upper is not None and lower > region_upper
        out[school] = Marker(len(values), sum(values) / len(values), lower, upper, marked)
    return out


def _interval(values: list[int]) -> tuple[float | None, float | None]:
    if len(values) < 2:
        return None, None
    half = 1.96 * statistics.stdev(values) / math.sqrt(len(values))
    mean = statistics.fmean(values)
    return mean - half, mean + half


def mark_mismatches(pairs: dict[str, list[tuple[int, int]]]) -> dict[str, Marker]:
    """Schools where Spearman's correlation of journal mark and primary score is negative; equal values share ranks."""
    out = {}
    for school, values in pairs.items():
        marks, scores = _ranks([mark for mark, _ in values]), _ranks([score for _, score in values])
        try:
            rho = statistics.correlation(marks, scores)
        except statistics.StatisticsError:
            rho = None
        out[school] = Marker(len(values), rho, None, None, rho is not None and rho < -1e-12)
    return out


def _ranks(values: list[int]) -> list[float]:
    ordered = sorted(values)
    return [(ordered.index(v) + 1 + len(ordered) - ordered[::-1].index(v)) / 2 for v in values]


def sharp_changes(
    earlier: dict[str, list[int]], later: dict[str, list[int]], work: str
) -> dict[str, dict[str, Marker]]:
    """Rises and falls of the ratio K of mean completion, outside three interquartile ranges; school by school."""
    ratios = {
        school: (statistics.fmean(earlier[school]) / MAXIMUM[4, work])
        / (statistics.fmean(later[school]) / MAXIMUM[5, work])
        for school in later
        if school in earlier and sum(later[school])
    }
    low, _, high = statistics.quantiles(ratios.values(), n=4, method="inclusive")
    lower, upper = low - 3 * (high - low), high + 3 * (high - low)
    return {
        "rise": {s: Marker(len(later[s]), k, lower, upper, k < lower) for s, k in ratios.items()},
        "fall": {s: Marker(len(later[s]), k, lower, upper, k > upper) for s, k in ratios.items()},
    }
