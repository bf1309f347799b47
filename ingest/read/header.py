"""Finding the header row by its content, because every system puts something else above it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ingest.read.block import ItemColumn
from rsoko.base.errors import SupplierError
from rsoko.contracts.model import Contract, Layout, contracts
from rsoko.contracts.vocabulary import fold

HEADER_ROWS = 30
RE_SAVE = "Сохраните файл заново в Excel как «Книга Excel (.xlsx)» или «CSV UTF-8» и пришлите ещё раз."


@dataclass(frozen=True)
class Match:
    """A header row recognised: which file column feeds which canonical columns."""

    contract: Contract
    layout: Layout
    columns: dict[str, int]
    items: list[tuple[int, ItemColumn]]
    unknown: list[str]
    unnamed: list[int] = field(default_factory=list)


def match_header(cells: list[str], contract: Contract) -> Match | None:
    """The layout of `contract` that reads this header row best, or None."""
    folded = [fold(cell) for cell in cells]
    where: dict[str, int] = {}
    for index, name in enumerate(folded):
        where.setdefault(name, index)
    best: Match | None = None
    for layout in contract.layouts:
        columns = {}
        for name, aliases in layout.header.items():
            found = [where[fold(alias)] for alias in aliases if fold(alias) in where]
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
        known = used | {fold(name) for name in layout.ignore}
        unknown = [] if layout.ignore_other else [c for c, f in zip(cells, folded, strict=True) if f and f not in known]
        unnamed = [index for index, name in enumerate(folded) if not name] if layout.spills else []
        match = Match(contract, layout, columns, items, unknown, unnamed)
        if best is None or (len(columns), -len(unknown)) > (len(best.columns), -len(best.unknown)):
            best = match
    return best


def _items(
    cells: list[str], folded: list[str], layout: Layout, taken: set[int]
) -> tuple[list[tuple[int, ItemColumn]], set[str]]:
    used = {folded[index] for index in taken}
    if layout.items is None:
        return [], used
    end = next((i for i, name in enumerate(folded) if layout.items_end and name == fold(layout.items_end)), len(cells))
    items: list[tuple[int, ItemColumn]] = []
    for index, cell in enumerate(cells):
        found = layout.items.match(clean(cell))
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
        used.add(fold(layout.items_end))
    return items, used


def clean(cell: str) -> str:
    return re.sub(r"[\s\u00a0]+", " ", cell).strip()


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
        names = {fold(cell) for cell in row if cell}
        for layout in contract.layouts:
            lacking = [layout.header[n][0] for n in layout.required if not names & {fold(a) for a in layout.header[n]}]
            found = len(layout.required) - len(lacking)
            if lacking and found > best[0]:
                absent = ", ".join(f"«{name}»" for name in lacking)
                best = (
                    found,
                    f" Строка {number} похожа на разметку «{layout.title}», но в ней нет столбцов: {absent}.",
                )
    return best[1]
