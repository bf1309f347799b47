"""Text columns → typed columns; whatever can't be read is named cell by cell.

Most cells are plain numbers and go the fast way; only the few that are not are looked at one spelling at a time, so the
cost of dirt is the cost of its distinct spellings, not of its rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import polars as pl

from ingest.rejection import Rejection
from ingest.type.cells import item_state, parse
from rsoko.contracts.model import NOT_ATTEMPTED, Column
from rsoko.contracts.vocabulary import vocabularies

POLARS_TYPE: dict[str, pl.DataType] = {
    "smallint": pl.Int16(),
    "integer": pl.Int32(),
    "numeric": pl.Float64(),
    "text": pl.String(),
    "date": pl.Date(),
    "timestamp": pl.Datetime("us"),
    "boolean": pl.Boolean(),
}


def too_long(text: pl.Series, column: Column) -> pl.Series | None:
    """Mask of the cells of a text column that are longer than their contract allows; None when there are none."""
    if column.type != "text" or int(text.str.len_bytes().max() or 0) <= column.max_length:  # type: ignore[arg-type]
        return None
    mask = (text.str.len_chars() > column.max_length).fill_null(False)
    return mask if mask.any() else None


def typed_column(text: pl.Series, column: Column) -> tuple[pl.Series, pl.Series | None]:
    """(typed column, mask of unreadable cells or None when all can be read)."""
    if column.pattern and (odd := (~text.str.contains(column.pattern)).fill_null(False)).any():
        typed, unreadable = typed_column(text.set(odd, None), replace(column, pattern=None))
        return typed, odd if unreadable is None else odd | unreadable
    if column.type == "text" and column.transform == "code":
        # Codes have as many spellings as rows: strip the float's tail in one pass, and only where there is one.
        if text.str.contains("[^0-9A-Za-z]").any():
            text = (
                text.str.replace_all(r"[\x00-\x1f]", " ")
                .str.strip_chars(" \u00a0\"'")
                .str.replace(r"^(\d+)[.,]0+$", "$1")
            )
        return text, None
    readings = {spelling: parse(spelling, column) for spelling in text.unique() if spelling is not None}
    bad = [spelling for spelling, (_, readable) in readings.items() if not readable]
    typed = replaced(text, {spelling: value for spelling, (value, _) in readings.items()}, POLARS_TYPE[column.type])
    return typed, text.is_in(bad).fill_null(False) if bad else None


def replaced(text: pl.Series, values: Mapping[str, object], dtype: pl.DataType) -> pl.Series:
    """The value of every spelling, null for those that have none. An Enum finds them at a third of a join's cost."""
    which = pl.first().cast(pl.Enum(list(values)), strict=False).to_physical()
    return text.to_frame().select(pl.lit(pl.Series(list(values.values()), dtype=dtype)).gather(which)).to_series()


@dataclass(frozen=True)
class Whole:
    """How cells become small whole numbers: by `value`, and by `reading` where `odd` says that it is not good.

    `odd` finds the value under the column's name with « typed». Expressions are made once a process: making them takes
    longer than typing a small file.
    """

    value: pl.Expr
    odd: pl.Expr
    reading: Callable[[str], tuple[object, bool]]


def _whole(
    name: str, value: pl.Expr, good: Callable[[pl.Expr], pl.Expr], reading: Callable[[str], tuple[object, bool]]
) -> Whole:
    odd = pl.col(name).is_not_null() & ~good(pl.col(f"{name} typed")).fill_null(False)
    return Whole(value.alias(name), odd.alias(name), reading)


@lru_cache(None)
def whole_column(column: Column) -> Whole:
    # «0» may be a word of the vocabulary («вариант 0» is no variant), so those spellings go the long way.
    words = [int(word) for word in vocabularies()[column.vocabulary] if word.isdigit()] if column.vocabulary else []
    low, high = column.range or (0, 32767)
    return _whole(
        column.name,
        pl.col(column.name).cast(pl.Int16, strict=False),
        lambda value: value.is_between(low, high) & ~value.is_in(words),
        lambda spelling: parse(spelling, column),
    )


@lru_cache(None)
def item_column(name: str, score_max: int) -> Whole:
    # Without a sign «-1» is no number and can't pass for a state.
    score = pl.col(name).cast(pl.UInt8, strict=False).cast(pl.Int16)
    return _whole(
        name,
        pl.when(pl.col(name) == "X").then(pl.lit(NOT_ATTEMPTED, pl.Int16)).otherwise(score),
        lambda value: value <= score_max,
        lambda spelling: item_state(spelling, score_max),
    )


def typed_whole(batch: pl.DataFrame, numbers: dict[str, Whole]) -> tuple[pl.DataFrame, dict[str, pl.Series]]:
    """Number columns, all at once, because many small steps would cost more than the cells do; and the masks of
    unreadable cells of the columns that have any."""
    typed = batch.select(number.value for number in numbers.values())
    odd = batch.hstack(typed.rename(lambda name: f"{name} typed")).select(number.odd for number in numbers.values())
    unreadable: dict[str, pl.Series] = {}
    for position, (name, number) in enumerate(numbers.items()):
        if not odd[name].any():
            continue
        spelled = batch[name].filter(odd[name]).to_list()
        readings = {spelling: number.reading(spelling) for spelling in set(spelled)}
        values = pl.Series([readings[spelling][0] for spelling in spelled], dtype=pl.Int16)
        typed.replace_column(position, typed[name].scatter(odd[name].to_numpy().nonzero()[0], values))
        if bad := [spelling for spelling, (_, readable) in readings.items() if not readable]:
            unreadable[name] = batch[name].is_in(bad).fill_null(False)
    return typed, unreadable


def cell_rejections(
    mask: pl.Series,
    row_no: pl.Series,
    sheet: str | None,
    column: str,
    title: str,
    expected: str,
    text: pl.Series | None,
) -> list[Rejection]:
    """One rejection a cell. `text` is None for cells that may hold personal data."""
    rows = row_no.filter(mask).to_list()
    cells = [None] * len(rows) if text is None else text.filter(mask).to_list()
    return [
        Rejection(
            sheet, row, column, "unreadable_cell", "warn", False,
            f"Строка {row}, столбец «{title}»: {f'«{shortened(cell)}»' if cell else 'значение'} не читается; "
            f"ожидается {expected}.",
        )
        for row, cell in zip(rows, cells, strict=True)
    ]  # fmt: skip


def shortened(text: str) -> str:
    # Long cells are shifted free text: a few letters show the supplier which, and leak nothing.
    return text if len(text) <= 12 else text[:12] + "…"
