"""Independent plain-Python readings of the real ВПР works: nothing here comes from the project.

The rules are those of the contract's words: a cell is a score from 0 to 30, X in either alphabet, «не пройд.» or
empty, anything else can't be read; the primary score is the sum of the items, or the reported total where an item can't
be read or none is there.
"""

from __future__ import annotations

import csv
import gzip
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_SKIPPED = {"x", "х", "n", "не пройд."}


@dataclass(frozen=True)
class Row:
    """A participant: login in its `edu…` form, primary score (None: did not write), journal mark, unreadable cells."""

    school: str
    code: str
    absent: bool
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
            names = ("user", "code", "otc", "sum")
        else:
            items = [i for i, name in enumerate(header) if name.startswith("балл за ")]
            names = ("логин школы", "код обучающегося", "отметка за предыдущую четверть/триместр", "всего баллов")
        variants = [place[name] for name in ("var-1", "var-2", "вариант") if name in place]
        school, code, mark, total = (place[name] for name in names)
        for cells in reader:
            yield _row(
                cells[school],
                cells[code],
                cells[mark],
                cells[total],
                [cells[i] for i in variants],
                [cells[i] for i in items],
            )


def _row(school: str, code: str, mark: str, total: str, variants: list[str], items: list[str]) -> Row:
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
    bad += journal not in ("", "1", "2", "3", "4", "5", "нет отметки")
    item_trouble = any(
        t and t not in _SKIPPED and not (t.isdigit() and int(t) <= 30)
        for t in (cell.replace("\xa0", " ").strip().lower() for cell in items)
    )
    absent = "отсутствовал" in said and not came
    if absent and not any_item and reported == 0:
        reported = None
    score = None
    if not absent and (any_item or reported is not None):
        score = sum(points) if any_item and not item_trouble else reported
    return Row("edu" + school[3:], code.strip(), absent, score, int(journal) if journal.isdigit() else None, bad)
