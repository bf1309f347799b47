"""Rows under a recognised header → text columns under canonical names, and what the rows above it say."""

from __future__ import annotations

import re
from collections.abc import Iterator

import polars as pl

from ingest.read.block import Block, Note
from ingest.read.header import Match
from ingest.read.spelling import key
from rsoko.base.errors import SupplierError
from rsoko.contracts.model import Layout


def surroundings(rows: list[list[str]], layout: Layout) -> tuple[dict[str, str], int | None]:
    """Values told above the header (title, label cells, region) and the index of the row that told them."""
    context: dict[str, str] = {}
    title_at: int | None = None
    for number, row in enumerate(rows):
        for position, cell in enumerate(row):
            if not cell:
                continue
            if layout.title_row and (found := layout.title_row.search(cell)):
                context |= found.groupdict()
                title_at = number
            elif layout.region_row and (found := layout.region_row.search(cell)):
                context |= found.groupdict()
            for column, label in layout.title_cells.items():
                if key(cell) == key(label):
                    value = next((following for following in row[position + 1 :] if following), None)
                    if value:
                        context[column] = value
    return context, title_at


def block_of(match: Match, sheet: str | None, context: dict[str, str], batches: Iterator[pl.DataFrame]) -> Block:
    layout = match.layout
    notes = []
    if match.unknown:
        names = ", ".join(f"«{name}»" for name in match.unknown[:10])
        notes.append(Note("unknown_column", f"Столбцы не описаны в контракте и не загружены: {names}."))
    block = Block(layout, sheet, {**layout.constants, **context}, [item for _, item in match.items], iter(()), notes)
    block.batches = (frame for batch in batches if not (frame := _canonical(batch, match, block)).is_empty())
    return block


def _canonical(batch: pl.DataFrame, match: Match, block: Block) -> pl.DataFrame:
    layout = match.layout
    if layout.shifted_left:
        batch = _unshift(batch, match, *layout.shifted_left)
    # A header may be wider than the sheet's rows: missing cells are empty ones.
    has = set(batch.columns)
    _refuse_ambiguous(batch, match, has)
    picked = {
        name: pl.col(f"c{index}") if f"c{index}" in has else pl.lit(None, pl.String)
        for name, index in [
            *match.columns.items(),
            *((f"item_{item.position:02d}", index) for index, item in match.items),
        ]
    }
    if layout.spills:
        cells = [f"c{index}" for index in sorted({match.columns[layout.spills], *match.unnamed})]
        joined = pl.concat_str([pl.col(cell) for cell in cells if cell in has], separator=" ", ignore_nulls=True)
        picked[layout.spills] = pl.when(joined != "").then(joined)
    for name, looks in layout.extract.items():
        if name in picked:
            picked[name] = picked[name].str.extract(looks.pattern, 1)
    frame = batch.select(pl.col("row_no").cast(pl.Int32), **picked)
    data = [name for name in frame.columns if name != "row_no"]
    if layout.declared_rows:
        _compare_declared(batch, frame, layout, block)
    if layout.skip_where_empty:
        frame = frame.filter(pl.col(layout.skip_where_empty).is_not_null() & (pl.col(layout.skip_where_empty) != ""))
    elif all(frame[name].null_count() for name in data):
        frame = frame.filter(pl.any_horizontal(pl.col(data).is_not_null()))
    return frame


def _refuse_ambiguous(batch: pl.DataFrame, match: Match, has: set[str]) -> None:
    """A column among the items may be without a name, and one named like another, where it says nothing more."""
    for index in match.between:
        if f"c{index}" in has:
            _refuse_filled(batch, pl.col(f"c{index}").is_not_null(), f"среди заданий столбец {index + 1} не назван")
    for index, first in match.twins.items():
        if f"c{index}" in has:
            other = pl.col(f"c{index}").is_not_null() & pl.col(f"c{index}").ne_missing(pl.col(f"c{first}"))
            _refuse_filled(batch, other, f"столбцы {first + 1} и {index + 1} названы одинаково, а значения разные")


def _refuse_filled(batch: pl.DataFrame, cells: pl.Expr, what: str) -> None:
    rows = batch.lazy().filter(cells).select("row_no").head(1).collect()
    if rows.height:
        raise SupplierError(
            f"Заголовок неясен: {what}. Назовите столбец как следует или уберите и пришлите ещё раз.",
            row=int(rows["row_no"][0]),
            code="ambiguous_header",
        )


def _unshift(batch: pl.DataFrame, match: Match, column: str, where: re.Pattern[str]) -> pl.DataFrame:
    """Move the cells of rows that lack `column` one place to the right."""
    start = match.columns[column]
    cells = [f"c{position}" for position in range(start, len(batch.columns) - 1)]
    rows = pl.col("c0").str.contains(where.pattern) & pl.col(cells[0]).is_not_null() & pl.col(cells[-1]).is_null()
    return batch.with_columns(
        pl.when(rows).then(pl.col(cells[i - 1]) if i else pl.lit(None, pl.String)).otherwise(pl.col(name)).alias(name)
        for i, name in enumerate(cells)
    )


def _compare_declared(batch: pl.DataFrame, frame: pl.DataFrame, layout: Layout, block: Block) -> None:
    assert layout.declared_rows is not None
    declared = batch.select(
        "row_no", pl.col("c0").str.extract(layout.declared_rows.pattern, 1).cast(pl.Int32).alias("n")
    )
    declared = declared.drop_nulls()
    if declared.is_empty():
        return
    told, read_rows = int(declared["n"].sum()), frame.height - declared.height
    if told != read_rows:
        block.notes.append(
            Note(
                "declared_count",
                f"В шапке заявлено участников: {told}, строк с данными: {read_rows}. Проверьте, полна ли выгрузка.",
                int(declared["row_no"][0]),
            )
        )
