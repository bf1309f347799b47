"""csv, xlsx and xls as bytes that depend on the content alone: no clock, no host name."""

from __future__ import annotations

import csv
import gzip
import io
import re
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

import openpyxl
import xlwt

Cell = str | int | float | date | None
Rows = Iterable[Sequence[Cell]]
Sheets = Mapping[str, Rows]

_EPOCH = (1980, 1, 1, 0, 0, 0)
_STAMP = re.compile(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*")


def text(value: Cell) -> str:
    """A cell as a csv shows it: dates in the Russian order, nothing for an empty cell."""
    if value is None:
        return ""
    return value.strftime("%d.%m.%Y") if isinstance(value, date) else str(value)


def as_csv(rows: Rows, *, encoding: str = "utf-8", delimiter: str = ",", compressed: bool = False) -> bytes:
    """`rows` (header first) as csv; compressed, it holds neither name nor time."""
    buffer = io.StringIO(newline="")
    csv.writer(buffer, delimiter=delimiter, lineterminator="\r\n").writerows(
        [text(cell) for cell in row] for row in rows
    )
    content = buffer.getvalue().encode(encoding)
    return gzip.compress(content, mtime=0) if compressed else content


def as_xlsx(sheets: Sheets) -> bytes:
    """A workbook with the given sheets in order. openpyxl stamps the time into the archive, so it is packed anew."""
    book = openpyxl.Workbook(write_only=True)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title[:31])
        for row in rows:
            sheet.append(row)
    stamped, plain = io.BytesIO(), io.BytesIO()
    book.save(stamped)
    with zipfile.ZipFile(stamped) as source, zipfile.ZipFile(plain, "w") as target:
        for name in sorted(source.namelist(), key=lambda name: (name != "[Content_Types].xml", name)):
            content = source.read(name)
            if name == "docProps/core.xml":
                content = _STAMP.sub(rb"\g<1>1980-01-01T00:00:00Z", content)
            target.writestr(zipfile.ZipInfo(name, _EPOCH), content, zipfile.ZIP_DEFLATED, 6)
    return plain.getvalue()


def as_xls(sheets: Sheets) -> bytes:
    """A legacy BIFF workbook, as РЦОИ software still makes them."""
    book = xlwt.Workbook(encoding="utf-8")
    for title, rows in sheets.items():
        sheet = book.add_sheet(title)
        for number, row in enumerate(rows):
            for column, value in enumerate(row):
                if value is not None:
                    sheet.write(number, column, value)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()
