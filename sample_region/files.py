"""csv, xlsx and xls as bytes that depend on the content alone: no clock, no host name."""

from __future__ import annotations

import csv
import gzip
import io
import re
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from xml.sax.saxutils import escape

import openpyxl
import xlwt
from openpyxl.utils import get_column_letter
from openpyxl.xml.constants import SHEET_MAIN_NS

Cell = str | int | float | date | None
Rows = Iterable[Sequence[Cell]]
Sheets = Mapping[str, Rows]

_DAY_ZERO = date(1899, 12, 30)
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
    """A workbook with the given sheets in order.

    openpyxl makes the workbook around the sheets. It stamps the time into the archive, so it is packed anew; cells are
    written by `_sheet_xml`, because openpyxl takes ten times longer for them.
    """
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for title in sheets:
        book.create_sheet(title[:31])
    sample = book.worksheets[0].cell(1, 1, _DAY_ZERO)
    bodies = {
        f"xl/worksheets/sheet{number}.xml": _sheet_xml(rows, sample.style_id)
        for number, rows in enumerate(sheets.values(), start=1)
    }
    stamped, plain = io.BytesIO(), io.BytesIO()
    book.save(stamped)
    with zipfile.ZipFile(stamped) as source, zipfile.ZipFile(plain, "w") as target:
        for name in sorted(source.namelist(), key=lambda name: (name != "[Content_Types].xml", name)):
            content = bodies.get(name) or source.read(name)
            if name == "docProps/core.xml":
                content = _STAMP.sub(rb"\g<1>1980-01-01T00:00:00Z", content)
            target.writestr(zipfile.ZipInfo(name, _EPOCH), content, zipfile.ZIP_DEFLATED, 6)
    return plain.getvalue()


def _sheet_xml(rows: Rows, date_style: int) -> bytes:
    """Rows as SpreadsheetML: strings in place, numbers, dates as day numbers with the style of a date."""
    lines = []
    letters: list[str] = []
    for number, row in enumerate(rows, start=1):
        letters += [get_column_letter(place + 1) for place in range(len(letters), len(row))]
        cells = []
        for letter, value in zip(letters, row, strict=False):
            if isinstance(value, str):
                content = f't="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is>'
            elif isinstance(value, date):
                content = f's="{date_style}"><v>{(value - _DAY_ZERO).days}</v>'
            elif value is not None:
                content = f"><v>{value}</v>"
            else:
                continue
            cells.append(f'<c r="{letter}{number}" {content}</c>')
        lines.append(f'<row r="{number}">{"".join(cells)}</row>')
    body = f'<worksheet xmlns="{SHEET_MAIN_NS}"><sheetData>{"".join(lines)}</sheetData></worksheet>'
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}'.encode()


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
