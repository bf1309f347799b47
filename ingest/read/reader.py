"""One file → its blocks, whatever its format; and which source a file is of.

A file holds one or more blocks (several exams on a sheet, several sheets).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ingest.read import guard, text, workbook
from ingest.read.block import Block
from ingest.read.header import find_header
from rsoko.base.errors import SupplierError
from rsoko.contracts.model import Contract, contracts

_GZIP = b"\x1f\x8b"


def read(path: Path, file_name: str, contract: Contract) -> Iterator[Block]:
    """Blocks of the file, in file order. Raises SupplierError with a Russian message when it can't be read at all."""
    start = _start(path)
    if not start:
        raise SupplierError(f"Файл «{file_name}» пустой (0 байт). Пришлите файл с данными.", code="empty_file")
    guard.look(path, file_name)
    if _is_workbook(start, file_name):
        yield from workbook.read(path, file_name, contract)
    else:
        yield from text.read(path, file_name, contract, compressed=start.startswith(_GZIP))


def recognise(path: Path, file_name: str) -> list[str]:
    """Sources whose layouts recognise the file, best first; empty when none does."""
    start = _start(path)
    try:
        guard.look(path, file_name)
        if _is_workbook(start, file_name):
            heads = workbook.heads(path, file_name)
        else:
            heads = [text.head(path, file_name, compressed=start.startswith(_GZIP))]
    except SupplierError:
        return []
    scores: list[tuple[int, str]] = []
    for contract in contracts():
        matches = [found[1] for rows in heads if (found := find_header(rows, contract))]
        if matches:
            best = max(matches, key=lambda match: len(match.columns) + len(match.items) - len(match.unknown))
            scores.append((len(best.columns) + len(best.items) - len(best.unknown), contract.source))
    return [source for _, source in sorted(scores, reverse=True)]


def _start(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(8)


def _is_workbook(start: bytes, file_name: str) -> bool:
    return start.startswith((guard.OLE, guard.ZIP)) or Path(file_name).suffix.lower() in workbook.SUFFIXES
