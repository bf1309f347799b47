"""Delimited text, plain or gzipped. Memory is bounded by the batch."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import IO

import polars as pl

from ingest.read.block import Block
from ingest.read.header import HEADER_ROWS, find_header, no_header
from ingest.read.quotes import are_loose, parse_loosely
from ingest.read.spelling import RE_SAVE, clean
from ingest.read.table import block_of, surroundings
from rsoko.base.errors import SupplierError
from rsoko.contracts.model import Contract

CHUNK_BYTES = 4 << 20
_BLOCK_BYTES = 32 << 10  # memory of small blocks is used again; large ones are given back and asked for each time
SAMPLE_BYTES = 256 << 10


def _open_text(path: Path, compressed: bool) -> IO[bytes]:
    return gzip.open(path, "rb") if compressed else path.open("rb")  # type: ignore[return-value]


@contextmanager
def _damage_told(file_name: str) -> Iterator[None]:
    try:
        yield
    except (OSError, EOFError, zlib.error) as error:
        raise SupplierError(
            f"Архив «{file_name}» повреждён или передан не полностью. Пришлите его ещё раз.", code="broken_archive"
        ) from error


def _sniff_encoding(head: bytes, file_name: str) -> tuple[bytes, str]:
    """The bytes without a byte order mark, and their encoding: UTF-8 or Windows-1251."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise SupplierError(
            f"Файл «{file_name}» в кодировке UTF-16 (в Excel это «Текст Юникод»). {RE_SAVE}", code="wrong_encoding"
        )
    if head.startswith(b"\xef\xbb\xbf"):
        return head[3:], "utf-8"
    if b"\x00" in head:
        raise SupplierError(f"Файл «{file_name}» не текстовый: в нём двоичные данные. {RE_SAVE}", code="not_text")
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        # The sample may end in the middle of a letter: that is still UTF-8.
        if error.start >= len(head) - 4 and error.reason == "unexpected end of data":
            return head, "utf-8"
        return head, "cp1251"
    return head, "utf-8"


def _delimiter(text: str) -> str:
    lines = text.splitlines()[:HEADER_ROWS]
    return max(";,\t|", key=lambda sign: max((line.count(sign) for line in lines), default=0))


def _head_rows(text: str, delimiter: str) -> list[list[str]]:
    lines = text.splitlines(keepends=True)
    rows = []
    for row in csv.reader(io.StringIO("".join(lines[: HEADER_ROWS * 4])), delimiter=delimiter):
        rows.append([clean(cell) for cell in row])
        if len(rows) == HEADER_ROWS:
            break
    return rows


def head(path: Path, file_name: str, *, compressed: bool) -> list[list[str]]:
    """The first rows."""
    with _damage_told(file_name), _open_text(path, compressed) as raw:
        sample, encoding = _sniff_encoding(raw.read(SAMPLE_BYTES), file_name)
    text = sample.decode(encoding, "ignore")
    return _head_rows(text, _delimiter(text))


def read(path: Path, file_name: str, contract: Contract, *, compressed: bool) -> Iterator[Block]:
    with _damage_told(file_name), _open_text(path, compressed) as raw:
        head, encoding = _sniff_encoding(raw.read(SAMPLE_BYTES), file_name)
    text = head.decode(encoding, "ignore")
    delimiter = _delimiter(text)
    rows = _head_rows(text, delimiter)
    found = find_header(rows, contract)
    if found is None:
        raise _wrong_code_page(head, delimiter, file_name, contract) or no_header(rows, contract, f"Файл «{file_name}»")
    index, match = found
    match.refuse_faults(f"Файл «{file_name}»", index + 1)
    context, _ = surroundings(rows[: max(index, 0)], match.layout)
    width = len(rows[max(index, 0)])
    loose = '"' in text and are_loose(text, delimiter)
    wanted = sorted(
        {
            0,
            *match.columns.values(),
            *(position for position, _ in match.items),
            *match.unnamed,
            *match.between,
            *match.twins,
        }
    )
    batches = _csv_batches(path, file_name, encoding, delimiter, compressed, index, width, wanted, loose)
    yield block_of(match, None, context, batches)


def _wrong_code_page(head: bytes, delimiter: str, file_name: str, contract: Contract) -> SupplierError | None:
    for encoding, name in (("cp866", "DOS (cp866)"), ("koi8-r", "KOI8-R"), ("mac-cyrillic", "MacCyrillic")):
        if find_header(_head_rows(head.decode(encoding, "ignore"), delimiter), contract):
            return SupplierError(f"Файл «{file_name}» в кодировке {name}. {RE_SAVE}", code="wrong_encoding")
    return None


def _csv_batches(
    path: Path,
    file_name: str,
    encoding: str,
    delimiter: str,
    compressed: bool,
    header_index: int,
    width: int,
    wanted: list[int],
    loose: bool,
) -> Iterator[pl.DataFrame]:
    names = [f"c{position}" for position in range(width)]
    row_no = header_index + 2
    skip = header_index + 1
    with _open_text(path, compressed) as raw:
        for chunk in _chunks(raw, encoding, file_name):
            frame = (
                parse_loosely(chunk, names, delimiter) if loose else _parse(chunk, names, wanted, delimiter, file_name)
            )
            if skip:
                frame, skip = frame.slice(skip), max(0, skip - frame.height)
            frame = frame.with_row_index("row_no", offset=row_no)
            row_no += frame.height
            yield frame


def _chunks(raw: IO[bytes], encoding: str, file_name: str) -> Iterator[bytes]:
    """Whole records in UTF-8: a line break inside quotes does not end a record."""
    with _damage_told(file_name):
        start = raw.read(3).removeprefix(b"\xef\xbb\xbf")
    blocks: list[bytes] = []
    with _damage_told(file_name):
        for block in chain([start], iter(lambda: raw.read(min(_BLOCK_BYTES, CHUNK_BYTES)), b"")):
            blocks.append(block if encoding == "utf-8" else block.decode(encoding, "replace").encode())
            if sum(map(len, blocks)) < CHUNK_BYTES:
                continue
            chunk = b"".join(blocks)
            cut = chunk.rfind(b"\n") + 1
            quoted = b'"' in chunk
            while quoted and cut and chunk.count(b'"', 0, cut) % 2:
                cut = chunk.rfind(b"\n", 0, cut - 1) + 1
            blocks = [chunk[cut:]]
            if cut:
                yield chunk[:cut]
    if (rest := b"".join(blocks)).strip():
        yield rest


def _parse(chunk: bytes, names: list[str], wanted: list[int], delimiter: str, file_name: str) -> pl.DataFrame:
    schema = dict.fromkeys(names, pl.String)
    options = {
        "has_header": False, "schema": schema, "columns": wanted, "separator": delimiter, "truncate_ragged_lines": True,
    }  # fmt: skip
    try:
        return pl.read_csv(io.BytesIO(chunk), **options, quote_char='"' if b'"' in chunk else None)  # type: ignore[arg-type]
    except pl.exceptions.ComputeError as error:
        if b'"' not in chunk:
            raise SupplierError(
                f"Файл «{file_name}» не разбирается как таблица с разделителем «{delimiter}». {RE_SAVE}",
                code="broken_csv",
            ) from error
        return parse_loosely(chunk, names, delimiter)
