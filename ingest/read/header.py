"""Finding the header row by its content, because every system puts something else above it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache

from ingest.read.block import ItemColumn
from ingest.read.spelling import TO_CYRILLIC, TO_LATIN, clean, key
from rsoko.base.errors import SupplierError
from rsoko.contracts.model import Contract, Layout, contracts

HEADER_ROWS = 30
_POINTS = re.compile(r"\(\s*(\d+)\s*[бb](?:алл(?:а|ов)?)?\.?\s*\)?$", re.IGNORECASE)
_ITEM_LIKE = re.compile(
    r"(?:(?:задани|балл|оценка за|вопрос|зад|№|a-|а-)\D{0,12})?\d{1,2}(?:[.,]\d+)?\W*(?:[кk]\d+\W*)?"
    r"(?:\(.*\)?|-grade|балл.*)?$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Match:
    """A header row recognised: which file column feeds which canonical columns.

    `between` are columns without a name among the items, `twins` columns named as one to the left; `faults` are
    sentences for which nothing may be read by it.
    """

    contract: Contract
    layout: Layout
    columns: dict[str, int]
    items: list[tuple[int, ItemColumn]]
    unknown: list[str]
    unnamed: list[int] = field(default_factory=list)
    between: list[int] = field(default_factory=list)
    twins: dict[int, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def refuse_faults(self, where: str, row: int) -> None:
        """Raises SupplierError for a header that leaves open which column an item or a value is."""
        if self.faults:
            raise SupplierError(f"{where}, заголовок: {' '.join(self.faults)}", row=row, code="ambiguous_header")


def match_header(cells: list[str], contract: Contract) -> Match | None:
    """The layout of `contract` that reads this header row best, or None."""
    folded = [key(cell) for cell in cells]
    where: dict[str, int] = {}
    for index, name in enumerate(folded):
        where.setdefault(name, index)
    best: Match | None = None
    for layout in contract.layouts:
        columns = {}
        for name, aliases in layout.header.items():
            found = [where[key(alias)] for alias in aliases if key(alias) in where]
            if found:
                columns[name] = found[0]
        if not columns or any(name not in columns for name in layout.required):
            continue
        # Of a template a supplier may leave columns out; what is left must be known by half.
        if layout.id == "template" and len(columns) * 2 < min(len(layout.header), sum(map(bool, folded))):
            continue
        items, used = _items(cells, folded, layout, set(columns.values()))
        if contract.items and layout.items and not items and layout.id != "template":
            continue
        known = used | {key(name) for name in layout.ignore}
        others = [index for index, name in enumerate(folded) if name and name not in known]
        unknown = [] if layout.ignore_other else [cells[index] for index in others]
        unnamed = [index for index, name in enumerate(folded) if not name] if layout.spills else []
        among = range(items[0][0], items[-1][0]) if items else range(0)
        between = [index for index in among if not folded[index]]
        twins = {
            index: first
            for first in {*columns.values()} - {index for index, _ in items}
            for index, name in enumerate(folded)
            if index > first and name == folded[first]
        }
        faults = _faults(cells, folded, layout, items, others)
        match = Match(contract, layout, columns, items, unknown, unnamed, between, twins, faults)
        if best is None or (len(columns), -len(unknown)) > (len(best.columns), -len(best.unknown)):
            best = match
    return best


def _items(
    cells: list[str], folded: list[str], layout: Layout, taken: set[int]
) -> tuple[list[tuple[int, ItemColumn]], set[str]]:
    used = {folded[index] for index in taken}
    if layout.items is None:
        return [], used
    end = _items_end(folded, layout)
    items: list[tuple[int, ItemColumn]] = []
    for index, cell in enumerate(cells):
        found = _item(cell, layout.items)
        if not found or index in taken:
            continue
        used.add(folded[index])
        if index > end:
            continue
        groups = found.groupdict()
        label = re.sub(r"\s+", "", groups.get("label") or groups.get("no") or "").replace("K", "К")
        maximum = int(groups["max"]) if groups.get("max") else None
        items.append((index, ItemColumn(len(items) + 1, label, maximum, groups.get("text"))))
    if layout.items_end:
        used.add(key(layout.items_end))
    return items, used


def _items_end(folded: list[str], layout: Layout) -> int:
    return folded.index(key(layout.items_end)) if layout.items_end and key(layout.items_end) in folded else len(folded)


@lru_cache(1 << 12)
def _item(cell: str, pattern: re.Pattern[str]) -> re.Match[str] | None:
    """The header of an item in whatever letters and spacing it is written."""
    name = _POINTS.sub(r"(\1б)", clean(cell).rstrip("*†¹²³ "))
    loose = re.compile(pattern.pattern.replace(" ", r"\s*"), pattern.flags)
    spellings = (name, name.translate(TO_CYRILLIC), name.translate(TO_LATIN))
    return next((found for spelling in spellings if (found := loose.match(spelling))), None)


def _faults(
    cells: list[str], folded: list[str], layout: Layout, items: list[tuple[int, ItemColumn]], others: list[int]
) -> list[str]:
    """Why a recognised header may not be read by: a name that stands twice, an item that is not recognised."""
    faults = []
    names = [folded[index] for index, _ in items]
    if twice := sorted({index for index, _ in items if names.count(folded[index]) > 1}):
        faults.append(
            f"столбцы названы одинаково: {', '.join(f'«{cells[index]}»' for index in twice[:5])}. "
            "Оставьте по одному и пришлите ещё раз."
        )
    labels = [item.label for _, item in items if item.label]
    if not twice and (repeated := sorted({label for label in labels if labels.count(label) > 1})):
        faults.append(f"два столбца одного задания: {', '.join(repeated)}. Оставьте по одному и пришлите ещё раз.")
    if not items:
        return faults
    end = _items_end(folded, layout)
    first, last = items[0][0], items[-1][0]
    odd = [i for i in others if i < end and (first < i < last or (layout.items and _ITEM_LIKE.match(clean(cells[i]))))]
    if odd:
        places = ", ".join(f"«{cells[index]}» (столбец {index + 1})" for index in odd[:5])
        faults.append(
            f"похоже на задание, но не читается: {places}. Без него сумма баллов была бы неверной. Назовите столбец, "
            f"как остальные («{cells[items[0][0]]}»), или уберите его."
        )
    return faults


def find_header(rows: list[list[str]], contract: Contract, start: int = 0) -> tuple[int, Match] | None:
    for index in range(start, len(rows)):
        if sum(1 for cell in rows[index] if cell) >= 2 and (match := match_header(rows[index], contract)):
            return index, match
    return _headless(rows, contract) if start == 0 else None


def _headless(rows: list[list[str]], contract: Contract) -> tuple[int, Match] | None:
    """A table that starts with its data: the cells of the first row look like a layout says. Its header is row -1."""
    first = rows[0] if rows else []
    for layout in contract.layouts:
        if (
            layout.first_row
            and len(first) == len(layout.first_row)
            and all(looks.search(cell) for looks, cell in zip(layout.first_row.values(), first, strict=True))
        ):
            columns = {name: index for index, name in enumerate(layout.first_row)}
            return -1, Match(contract, layout, columns, [], [])
    return None


def no_header(rows: list[list[str]], contract: Contract, where: str) -> SupplierError:
    for other in contracts():
        if other.source != contract.source and (found := find_header(rows[:HEADER_ROWS], other)):
            return SupplierError(
                f"{where}: это файл источника «{other.title}» (разметка «{found[1].layout.title}»), а доставлен как "
                f"«{contract.title}». Доставьте его в источник {other.source}.",
                code="other_source",
                row=found[0] + 1,
            )
    expected = "; ".join(f"«{layout.title}»" for layout in contract.layouts)
    missing = _nearest_layout(rows, contract)
    return SupplierError(
        f"{where}: в первых {HEADER_ROWS} строках нет заголовка ни одной известной разметки источника "
        f"«{contract.title}» ({expected}).{missing} Проверьте, тот ли это файл, или возьмите пустой шаблон "
        f"docs/templates/{contract.source}.xlsx.",
        code="unknown_layout",
    )


def _nearest_layout(rows: list[list[str]], contract: Contract) -> str:
    """What is missing in the row that looks most like a header, so that the supplier sees the one wrong column."""
    best: tuple[int, str] = (1, "")
    for number, row in enumerate(rows[:HEADER_ROWS], 1):
        names = {key(cell) for cell in row if cell}
        for layout in contract.layouts:
            lacking = [layout.header[n][0] for n in layout.required if not names & {key(a) for a in layout.header[n]}]
            found = len(layout.required) - len(lacking)
            if lacking and found > best[0]:
                absent = ", ".join(f"«{name}»" for name in lacking)
                best = (
                    found,
                    f" Строка {number} похожа на разметку «{layout.title}», но в ней нет столбцов: {absent}.",
                )
    return best[1]
