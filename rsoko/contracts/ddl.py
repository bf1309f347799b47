"""Raw tables that follow from the contracts, and the sentence that describes a column everywhere."""

from __future__ import annotations

from rsoko.base.planner import LARGE_LOAD
from rsoko.contracts.model import SQL_TYPE, Column, Contract
from rsoko.contracts.vocabulary import canonical

SERVICE_COLUMNS = {
    "region_code": ("smallint", "Код субъекта Российской Федерации"),
    "load_id": ("bigint", "Загрузка, из которой строка (meta.load)"),
    "slice_id": ("bigint", "Срез, к которому относится строка (meta.slice)"),
    "sheet": ("text", "Лист файла"),
    "row_no": ("integer", "Номер строки в листе или файле, как его видит поставщик"),
}
NOT_NULL = {"region_code", "load_id", "slice_id", "row_no"}


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def item_title(contract: Contract, number: int) -> str:
    what = f"Задание {number}: балл" if contract.entity == "result" else f"Вопрос {number}: ответ"
    return f"{what}; меньше нуля — состояние: −1 не приступал, −2 не пройдено, −3 не прочитано"


def controls_sql(contract: Contract) -> dict[str, str]:
    """Control measure → SQL aggregate over rows of the source."""
    out = {}
    for measure, control in contract.controls.items():
        if "items" in control:
            assert contract.items is not None
            cells = " + ".join(f"coalesce(greatest({name}, 0), 0)" for name in contract.items.columns)
            out[measure] = f"coalesce(sum({cells}), 0)"
        else:
            out[measure] = control["sql"]
    return out


def raw_ddl(contract: Contract) -> str:
    """Idempotent DDL of `raw.<source>` with comments and the block index that finds a load without slowing COPY."""
    lines = [
        f"    {name} {kind}{' not null' if name in NOT_NULL else ''}" for name, (kind, _) in SERVICE_COLUMNS.items()
    ]
    lines += [f"    {column.name} {SQL_TYPE[column.type]}" for column in contract.stored_columns]
    comments = {name: title for name, (_, title) in SERVICE_COLUMNS.items()}
    comments |= {column.name: comment(column) for column in contract.stored_columns}
    if contract.items:
        lines += [f"    {name} smallint" for name in contract.items.columns]
        comments |= {name: item_title(contract, n) for n, name in enumerate(contract.items.columns, 1)}
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


def comment(column: Column) -> str:
    """What the warehouse says of a column: its description and the canonical values of a coded text."""
    values = canonical(column.vocabulary) if column.vocabulary else []
    told = describe(column)
    if column.type != "text" or all(value in (column.description or "") for value in values):
        return told
    return f"{told}; значения: {', '.join(values)}"
