"""Read, type and COPY: one file → rows of its raw table under a load id, with the reader's counts."""

from __future__ import annotations

import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import polars as pl
import psycopg

from ingest.load import ledger
from ingest.load.ledger import Delivery
from ingest.read import reader
from ingest.read.block import Block
from ingest.rejection import Rejection
from ingest.type.context import merge_context
from ingest.type.normaliser import Normaliser
from rsoko.base.errors import SupplierError
from rsoko.base.planner import LARGE_LOAD
from rsoko.contracts.model import Contract

_T = TypeVar("_T")

_COPY = r"(delimiter e'\x1f', null '')"
"""Cells hold no control characters (the normaliser folds them): only backslashes need care on the way."""

NOTES = {"unknown_column", "declared_count", "name_contradiction"}


@dataclass
class Counts:
    """What the reader counts while it reads."""

    layouts: list[str] = field(default_factory=list)
    rows_read: int = 0
    rows_rejected: int = 0
    cells_read: int = 0
    rejections: list[Rejection] = field(default_factory=list)
    totals: dict[str, int] = field(default_factory=dict)
    keys_are_unique: bool = False

    @property
    def cells_rejected(self) -> int:
        return sum(1 for rejection in self.rejections if rejection.code == "unreadable_cell")


class Hopeless(SupplierError):
    """Too much of a file is bad; what was found is kept although the rows are not."""

    def __init__(self, message: str, counts: Counts) -> None:
        super().__init__(message, code="over_tolerance")
        self.counts = counts


def stage(
    connection: psycopg.Connection, path: Path, delivery: Delivery, contract: Contract, load_id: int, key: bytes
) -> tuple[Counts, dict[int, str]]:
    """Read, type and COPY the rows of one file under `load_id`; the reader's counts and the slices it found."""
    given = {name: str(value) for name, value in delivery.options.items() if not name.startswith("name.")}
    told = {name[5:]: str(value) for name, value in delivery.options.items() if name.startswith("name.")}
    normaliser = Normaliser(contract, key, delivery.region_code)
    counts = Counts(totals=dict.fromkeys(contract.controls, 0))
    for block in reader.read(path, delivery.file_name, contract):
        counts.layouts = sorted({*counts.layouts, block.layout.id})
        try:
            context, contradictions = merge_context(block, told, given, contract)
            _note(counts, block, contradictions)
            _stage_block(connection, block, context, normaliser, counts, contract, load_id)
        except SupplierError as error:
            error.sheet = error.sheet or block.sheet
            raise
        counts.rejections += [
            Rejection(block.sheet, n.row, None, n.code, "warn", False, n.message) for n in block.notes
        ]
    _refuse_hopeless(counts, contract, delivery)
    ledger.add_rejections(connection, load_id, counts.rejections)
    ledger.add_items(connection, load_id, normaliser.items)
    counts.keys_are_unique = normaliser.keys_are_unique
    if counts.totals["rows"] < LARGE_LOAD:
        # Blocks that the index does not know are read by every search; those of a large load it learns by autovacuum.
        connection.execute("select brin_summarize_new_values(%s::regclass)", [f"raw.{contract.source}_load_id"])
    return counts, normaliser.slices


def _note(counts: Counts, block: Block, contradictions: list[str]) -> None:
    counts.rejections += [
        Rejection(block.sheet, None, None, "name_contradiction", "warn", False, text) for text in contradictions
    ]


def _stage_block(
    connection: psycopg.Connection, block: Block, context: dict[str, str], normaliser: Normaliser,
    counts: Counts, contract: Contract, load_id: int,
) -> None:  # fmt: skip
    with connection.cursor() as cursor, ExitStack() as stack:
        columns: list[str] = []
        for names, body in _ahead(_typed(block, context, normaliser, counts, contract, load_id)):
            if names != columns:
                # Masks of another length in a later batch bring other item columns: they need a COPY of their own.
                stack.close()
                columns = names
                target = f"copy {contract.table} ({', '.join(columns)}) from stdin {_COPY}"
                copy = stack.enter_context(cursor.copy(target))
            copy.write(body)


def _typed(
    block: Block, context: dict[str, str], normaliser: Normaliser, counts: Counts, contract: Contract,
    load_id: int,
) -> Iterator[tuple[list[str], bytes]]:  # fmt: skip
    """Columns of typed rows and the bytes that COPY takes, batch by batch."""
    for batch in _ahead(block.batches):
        result = normaliser.batch(block, batch, context)
        counts.rows_read += result.rows_read
        counts.rows_rejected += result.rows_read - result.frame.height
        counts.cells_read += result.rows_read * (batch.width - 1)
        counts.rejections += result.rejections
        _count(counts, result.frame, contract)
        if not result.frame.is_empty():
            frame, body = result.frame.select(pl.lit(load_id).alias("load_id"), pl.all()), io.BytesIO()
            frame.write_csv(body, include_header=False, separator="\x1f", quote_style="never")
            yield frame.columns, body.getvalue().replace(b"\\", rb"\\")


def _ahead(items: Iterator[_T]) -> Iterator[_T]:
    """The same items, each made while the one before it is used: reading, typing and COPY work at the same time."""
    with ThreadPoolExecutor(1) as pool:
        following = pool.submit(next, items, None)
        while (item := following.result()) is not None:
            following = pool.submit(next, items, None)
            yield item


def _count(counts: Counts, frame: pl.DataFrame, contract: Contract) -> None:
    """Control totals as the reader sees them, by the meaning of the measure's name."""
    for measure, control in contract.controls.items():
        if measure == "rows":
            value = frame.height
        elif "items" in control:
            assert contract.items is not None
            names = [name for name in frame.columns if name.startswith(f"{contract.items.prefix}_")]
            value = sum(int(frame[name].clip(0).sum()) for name in names)
        elif measure.startswith("sum_"):
            name = measure.removeprefix("sum_")
            value = int(frame[name].sum()) if name in frame.columns else 0
        else:
            value = int((frame["participation"] == measure).sum())
        counts.totals[measure] += value


def _refuse_hopeless(counts: Counts, contract: Contract, delivery: Delivery) -> None:
    if counts.rows_read == 0:
        raise SupplierError(
            f"Форма «{delivery.file_name}» пустая: заголовок есть, а заполненных строк нет. "
            "Заполните её и пришлите ещё раз.",
            code="empty_form",
        )
    for share, limit, what in (
        (counts.rows_rejected / counts.rows_read, contract.tolerance["rejected_row_share"], "строк"),
        (counts.cells_rejected / counts.cells_read, contract.tolerance["rejected_cell_share"], "ячеек"),
    ):
        if share > limit:
            first = next((r.message for r in counts.rejections if r.code not in NOTES), "")
            raise Hopeless(
                f"Не читается {share:.1%} {what} (допустимо {limit:.0%}), файл не принят. Первое: {first} "
                "Исправьте файл и пришлите ещё раз.",
                counts,
            )
