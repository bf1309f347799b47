"""The empty workbook that a supplier fills, one a source."""

from __future__ import annotations

import datetime
from io import BytesIO

from openpyxl import Workbook, load_workbook
from openpyxl.styles import Alignment, Font

from rsoko.contracts.ddl import describe
from rsoko.contracts.model import Contract
from rsoko.contracts.vocabulary import vocabularies


def template(contract: Contract) -> bytes:
    """The empty workbook a supplier fills: sheet «Данные» with the header, sheet «Пояснения» with the rules."""
    book = Workbook()
    book.properties.created = book.properties.modified = datetime.datetime(2000, 1, 1)
    data = book.active
    assert data is not None
    data.title = "Данные"
    supplied = [column for column in contract.columns if not column.derived]
    header = [column.title for column in supplied]
    if contract.items:
        header += ["1 (1б)", "2 (2б)"] if contract.entity == "result" else ["1. Текст вопроса", "2. Текст вопроса"]
    data.append(header)
    for cell in data[1]:
        cell.font, cell.alignment = Font(bold=True), Alignment(wrap_text=True, vertical="top")
        data.column_dimensions[cell.column_letter].width = 18
    data.freeze_panes = "A2"
    notes = book.create_sheet("Пояснения")
    notes.append(["Столбец", "Обязателен", "Что писать"])
    for column in supplied:
        hint = describe(column)
        if column.vocabulary:
            hint += "; допустимо: " + ", ".join(
                dict.fromkeys(s for s in vocabularies()[column.vocabulary] if any("а" <= c <= "я" for c in s))
            )
        notes.append([column.title, "да" if column.required else "нет", hint])
    notes.column_dimensions["A"].width, notes.column_dimensions["C"].width = 36, 100
    out = BytesIO()
    book.save(out)
    return out.getvalue()


def cells(workbook: bytes) -> dict[str, list[tuple[object, ...]]]:
    """Sheet name → rows of values."""
    book = load_workbook(BytesIO(workbook))
    return {sheet.title: list(sheet.iter_rows(values_only=True)) for sheet in book}
