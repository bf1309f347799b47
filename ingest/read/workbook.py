"""Workbooks: xlsx, xls, xlsb, ods. A sheet at a time is held in memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import fastexcel
import polars as pl

from ingest.read import limits
from ingest.read.block import Block
from ingest.read.guard import OLE, ZIP
from ingest.read.header import HEADER_ROWS, Match, find_header, no_header
from ingest.read.spelling import RE_SAVE, clean
from ingest.read.table import block_of, surroundings
from rsoko.base.errors import SupplierError
from rsoko.contracts.model import Contract
from rsoko.contracts.vocabulary import fold

SUFFIXES = {".xlsx", ".xlsm", ".xls", ".xlsb", ".ods"}


def _open(path: Path, file_name: str) -> fastexcel.ExcelReader:
    with path.open("rb") as file:
        is_book = file.read(4) in (ZIP, OLE)
    with _damage_told(file_name, "она повреждена или передана не полностью" if is_book else "внутри не книга Excel"):
        return fastexcel.read_excel(path)


@contextmanager
def _damage_told(file_name: str, damage: str = "она повреждена") -> Iterator[None]:
    try:
        yield
    except BaseException as error:
        # calamine reports every kind of damage by its own exception, and some by a panic, which is no Exception.
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        raise SupplierError(
            f"Книга «{file_name}» не открывается: {damage}. {RE_SAVE}", code="broken_workbook"
        ) from error


def _sheet(book: fastexcel.ExcelReader, name: str, file_name: str) -> pl.DataFrame:
    with _damage_told(file_name, f"лист «{name}» повреждён"):
        frame = book.load_sheet(name, header_row=None, skip_rows=0, dtypes="string").to_polars()
    longest = max((int(column.str.len_bytes().max() or 0) for column in frame), default=0)  # type: ignore[arg-type]
    if longest > limits.CELL_CHARACTERS * 4:
        raise SupplierError(
            f"В книге «{file_name}» есть ячейка длиннее {limits.CELL_CHARACTERS} знаков: Excel таких не пишет. "
            f"{RE_SAVE}",
            sheet=name,
            code="over_limit",
        )
    return frame.rename({old: f"c{index}" for index, old in enumerate(frame.columns)})


def _rows(frame: pl.DataFrame) -> list[list[str]]:
    return [[clean(cell) if cell else "" for cell in row] for row in frame.iter_rows()]


def heads(path: Path, file_name: str) -> list[list[list[str]]]:
    """The first rows of every sheet."""
    book = _open(path, file_name)
    return [_rows(_sheet(book, name, file_name).head(HEADER_ROWS)) for name in book.sheet_names]


def read(path: Path, file_name: str, contract: Contract) -> Iterator[Block]:
    book = _open(path, file_name)
    found_any = is_filled = False
    heads: list[list[str]] = []
    for name in book.sheet_names:
        frame = _sheet(book, name, file_name)
        if frame.is_empty():
            continue
        is_filled = True
        head = _rows(frame.head(HEADER_ROWS))
        heads += head
        found = find_header(head, contract)
        if found is None or (found[1].layout.sheet and fold(found[1].layout.sheet) != fold(name)):
            continue
        found_any = True
        yield from _sheet_blocks(frame, name, found, contract)
    if not is_filled:
        raise SupplierError(
            f"Книга «{file_name}» пустая: ни на одном листе нет ни одной ячейки. Пришлите заполненную.",
            code="empty_workbook",
        )
    if not found_any:
        raise no_header(heads, contract, f"Книга «{file_name}»")


def _sheet_blocks(frame: pl.DataFrame, name: str, found: tuple[int, Match], contract: Contract) -> Iterator[Block]:
    index, match = found
    headers = [(index, match)]
    if match.layout.repeats:
        rows = _rows(frame)
        while next_found := find_header(rows, contract, headers[-1][0] + 1):
            headers.append(next_found)
    else:
        rows = _rows(frame.head(max(index, 0)))
    region: dict[str, str] = {}
    for number, (start, header) in enumerate(headers):
        above = headers[number - 1][0] + 1 if number else 0
        end = headers[number + 1][0] if number + 1 < len(headers) else frame.height
        header.refuse_faults(f"Лист «{name}»", start + 1)
        context, _ = surroundings(rows[above:start], header.layout)
        region |= {key: value for key, value in context.items() if key == "region_code"}
        body = frame.slice(start + 1, end - start - 1).with_row_index("row_no", offset=start + 2)
        if number + 1 < len(headers):
            # Rows between the last participant and the next header are that header's title, not this exam's rows.
            _, next_title = surroundings(rows[start + 1 : end], headers[number + 1][1].layout)
            if next_title is not None:
                body = body.head(next_title)
        yield block_of(header, name, region | context, iter([body]))
