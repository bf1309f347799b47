"""What a reader gives: blocks of rows under one header, with what the file says around them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import polars as pl

from rsoko.contracts.model import Layout


@dataclass(frozen=True)
class ItemColumn:
    """One item of a work as a layout names it: `position` among the items, label, maximum where the header tells it."""

    position: int
    label: str
    max_score: int | None = None
    text: str | None = None
    kind: str | None = None


@dataclass
class Note:
    """Something to tell the supplier that is not an error: code, Russian message, place."""

    code: str
    message: str
    row: int | None = None


@dataclass
class Block:
    """Rows under one header. Batches hold text columns under canonical names, `item_…` by position, and `row_no`."""

    layout: Layout
    sheet: str | None
    context: dict[str, str]
    items: list[ItemColumn]
    batches: Iterator[pl.DataFrame]
    notes: list[Note] = field(default_factory=list)
