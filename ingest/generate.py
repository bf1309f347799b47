"""What follows from the contracts: raw DDL, dbt sources, the data dictionary and the empty supplier templates.

`python -m ingest.generate` rewrites the files below; `tests/test_generated.py` proves that they have not drifted.
"""

from __future__ import annotations

import datetime
from io import BytesIO
from pathlib import Path

import yaml
from openpyxl import Workbook, load_workbook
from openpyxl.styles import Alignment, Font

from ingest.contract import LARGE_LOAD, SQL_TYPE, Column, Contract, contracts, vocabularies

ROOT = Path(__file__).parent.parent
SERVICE_COLUMNS = {
    "region_code": ("smallint", "Код субъекта Российской Федерации"),
    "load_id": ("bigint", "Загрузка, из которой строка (meta.load)"),
    "slice_id": ("bigint", "Срез, к которому относится строка (meta.slice)"),
    "sheet": ("text", "Лист файла"),
    "row_no": ("integer", "Номер строки в листе или файле, как его видит поставщик"),
}
_NOT_NULL = {"region_code", "load_id", "slice_id", "row_no"}


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _item_title(contract: Contract, number: int) -> str:
    return f"Задание {number}: балл" if contract.entity == "result" else f"Вопрос {number}: ответ"


def raw_ddl(contract: Contract) -> str:
    """Idempotent DDL of `raw.<source>` with comments and the block index that finds a load without slowing COPY."""
    lines = [
        f"    {name} {kind}{' not null' if name in _NOT_NULL else ''}" for name, (kind, _) in SERVICE_COLUMNS.items()
    ]
    lines += [f"    {column.name} {SQL_TYPE[column.type]}" for column in contract.stored_columns]
    comments = {name: title for name, (_, title) in SERVICE_COLUMNS.items()}
    comments |= {column.name: describe(column) for column in contract.stored_columns}
    if contract.items:
        lines += [f"    {name} smallint" for name in contract.items.columns]
        comments |= {name: _item_title(contract, n) for n, name in enumerate(contract.items.columns, 1)}
    statements = [f"create table if not exists {contract.table} (\n" + ",\n".join(lines) + "\n)"]
    # Loads lie one after another on disk: a block index finds one, and costs COPY a tenth of what a b-tree does.
    statements.append(
        f"create index if not exists {contract.source}_load_id on {contract.table} "
        "using brin (load_id) with (pages_per_range = 16)"
    )
    # A large load is left to autovacuum: it freezes the rows and adds their blocks to the index within minutes.
    statements.append(
        f"alter table {contract.table} set "
        f"(autovacuum_vacuum_insert_threshold = {LARGE_LOAD}, autovacuum_vacuum_insert_scale_factor = 0)"
    )
    statements.append(f"comment on table {contract.table} is {_literal(f'{contract.title}. Строка: {contract.grain}')}")
    statements += [f"comment on column {contract.table}.{name} is {_literal(text)}" for name, text in comments.items()]
    return ";\n".join(statements) + ";\n"


def describe(column: Column) -> str:
    """Title, unit, range and note of a column in one Russian sentence."""
    parts = [column.title]
    if column.unit:
        parts.append(f"ед.: {column.unit}")
    if column.range:
        parts.append(f"от {column.range[0]:g} до {column.range[1]:g}")
    if column.description:
        parts.append(column.description)
    return "; ".join(parts)


def dbt_sources() -> str:
    """The yml of dbt source `raw`."""
    tables = []
    for contract in contracts():
        columns = [{"name": name, "description": text} for name, (_, text) in SERVICE_COLUMNS.items()]
        columns += [{"name": column.name, "description": describe(column)} for column in contract.stored_columns]
        if contract.items:
            columns += [
                {"name": name, "description": _item_title(contract, n)}
                for n, name in enumerate(contract.items.columns, 1)
            ]
        tables.append(
            {
                "name": contract.source,
                "description": f"{contract.title}. Строка: {contract.grain}. Отвечает: {contract.responsible}.",
                "columns": columns,
            }
        )
    document = {
        "version": 2,
        "sources": [
            {
                "name": "raw",
                "schema": "raw",
                "description": "Неизменяемые строки поставщиков, по контрактам ingest/contracts",
                "tables": tables,
            }
        ],
    }
    return _GENERATED + yaml.safe_dump(document, allow_unicode=True, sort_keys=False, width=120)


_GENERATED = "# Made by `make generate` from ingest/contracts; change the contract, not this file.\n"


def dictionary() -> str:
    """The data dictionary of sources and marts (Markdown, Russian)."""
    out = [
        "# Словарь данных",
        "",
        "Создан из контрактов `ingest/contracts/*.yml` и описаний витрин `dbt_project/models/marts/` командой",
        "`make generate`; правьте их, а не этот файл. Те же описания — в комментариях столбцов базы.",
        "",
        "# Источники",
        "",
    ]
    for contract in contracts():
        out += [f"## {contract.title} (`raw.{contract.source}`)", ""]
        out += [
            f"Строка: {contract.grain}.  ",
            f"Ключ: {', '.join(contract.key)}.  ",
            f"Срез, который заменяет одна поставка: {', '.join(contract.slice)}.  ",
            f"Отвечает: {contract.responsible}. Когда: {contract.cadence}.  ",
        ]
        out += [f"Основание: {item['document']}, п. {item['paragraph']} — {item['text']}.  " for item in contract.basis]
        out += [f"Разметки: {'; '.join(f'«{layout.title}»' for layout in contract.layouts)}.", ""]
        out += ["| столбец | название | тип | обязателен | примечание |", "|---|---|---|---|---|"]
        for column in contract.columns:
            note = "; ".join(describe(column).split("; ")[1:])
            if column.personal:
                note = "персональные данные: только ключевой хеш, само значение не хранится"
            if column.vocabulary:
                values = [v for v in dict.fromkeys(vocabularies()[column.vocabulary].values()) if v]
                note += ("; " if note else "") + "значения: " + ", ".join(values)
            out.append(
                f"| `{column.name}` | {column.title} | {column.type} | {'да' if column.required else ''} | {note} |"
            )
        if contract.items:
            out.append(
                f"| `{contract.items.columns[0]}` … `{contract.items.columns[-1]}` | "
                f"{'баллы за задания' if contract.entity == 'result' else 'ответы'} | smallint | | "
                f"0…{contract.items.score_max}; −1 не приступал, −2 тема не пройдена, −3 ячейка не прочитана; "
                "подписи и максимумы — meta.load_item |"
            )
        out.append("")
    return "\n".join([*out, *_marts()])


def _marts() -> list[str]:
    """The part of the dictionary about marts, from their dbt descriptions."""
    out = ["# Витрины", ""]
    for path in sorted((ROOT / "dbt_project/models/marts").rglob("*.yml")):
        for model in yaml.safe_load(path.read_text(encoding="utf-8")).get("models", []):
            out += [f"## `mart.{model['name']}`", "", " ".join(model["description"].split()), ""]
            out += ["| столбец | тип | что это |", "|---|---|---|"]
            out += [f"| `{c['name']}` | {c['data_type']} | {c['description']} |" for c in model["columns"]]
            out.append("")
    return out


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


def write(root: Path = ROOT) -> None:
    """Rewrite everything generated below `root`."""
    staging, docs = root / "dbt_project/models/staging", root / "docs"
    (docs / "templates").mkdir(parents=True, exist_ok=True)
    staging.mkdir(parents=True, exist_ok=True)
    (staging / "_sources.yml").write_text(dbt_sources(), encoding="utf-8")
    (docs / "dictionary.md").write_text(dictionary(), encoding="utf-8")
    for contract in contracts():
        path, data = docs / "templates" / f"{contract.source}.xlsx", template(contract)
        # A workbook carries the time it was saved: unchanged cells are no new template.
        if not path.exists() or cells(path.read_bytes()) != cells(data):
            path.write_bytes(data)


if __name__ == "__main__":
    write()
