"""What of the dbt project follows from the contracts: source `raw`, staging, one-to-one facts, their yml, shared rules.

A source's columns are named once, in its contract; `make generate` writes the files.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import yaml

from dbt_project import PROJECT
from ingest.type.cells import parse
from rsoko.contracts.ddl import NOT_NULL, SERVICE_COLUMNS, comment, controls_sql, item_title
from rsoko.contracts.in_force import days
from rsoko.contracts.model import SQL_TYPE, Column, Contract, contracts
from rsoko.contracts.organisation import REGISTER_CODES, code_system

MADE = "Made by `make generate` from rsoko/contracts"
_WIDTH = 120
_PLACE = ("load_id", "slice_id", "sheet", "row_no")


def files() -> dict[str, str]:
    """Path below the dbt project → content, of every generated file."""
    out = {"models/staging/_sources.yml": _sources(), "macros/contracts.sql": _macros()}
    for contract in contracts():
        model = f"models/staging/{contract.source}/{staging(contract)}"
        out |= {f"{model}.sql": _staging_sql(contract), f"{model}.yml": _staging_yml(contract)}
        if contract.fact and not contract.fact.by_hand:
            model = f"models/core/{contract.fact.area}/fct_{contract.fact.name}"
            out |= {f"{model}.sql": _fact_sql(contract), f"{model}.yml": _fact_yml(contract)}
    return out


def written() -> set[str]:
    """Paths below the dbt project of the files that say they are generated."""
    patterns = ("models/**/*.sql", "models/**/*.yml", "macros/*.sql")
    paths = (path for pattern in patterns for path in PROJECT.glob(pattern))
    return {path.relative_to(PROJECT).as_posix() for path in paths if _is_generated(path.read_text(encoding="utf-8"))}


def staging(contract: Contract) -> str:
    """The name of the staging model of a source."""
    return f"stg_{contract.source}__{contract.entity}"


def _is_generated(text: str) -> bool:
    return MADE in text.split("\n", 1)[0]


# --- sql --------------------------------------------------------------------------------------------------------------


def _staging_sql(contract: Contract) -> str:
    columns = ["region_code", *map(_selected, contract.stored_columns), *_item_names(contract), *_PLACE]
    return _query(contract, columns, f'from {{{{ current_rows("{contract.source}") }}}} as current_row')


def _selected(column: Column) -> str:
    """A column as it is read; one that has a default may be empty in rows of before it had."""
    if column.default is None:
        return column.name
    value, _ = parse(column.default, column)
    text = f"'{value}'" if isinstance(value, str | date) else str(value).lower()
    return f"coalesce({column.name}, {text})::{SQL_TYPE[column.type]} as {column.name}"


def _fact_sql(contract: Contract) -> str:
    rows = f'from {{{{ ref("{staging(contract)}") }}}}'
    columns = ["*"]
    if "organisation_code" in contract.column:
        names = [column["name"] for column in _columns(contract)]
        columns = [f"organisation_code as {_in_fact(name)}" if name == "organisation_code" else name for name in names]
    return _query(contract, columns, rows, f'where {{{{ only_new_slices("{contract.source}") }}}}')


def _in_fact(name: str) -> str:
    """A column's name in a fact, which keeps the code of the file: whose it is may change with a register."""
    return "source_organisation_code" if name == "organisation_code" else name


def _query(contract: Contract, columns: list[str], *clauses: str) -> str:
    """A query as sqlfmt has it: on one line where it fits, else a line a clause, else a line a column too."""
    select = f"select {', '.join(columns)}"
    query = " ".join([select, *clauses])
    if len(query) > _WIDTH:
        columns_apart = "select\n    " + ",\n    ".join(columns)
        query = "\n".join([select if len(select) <= _WIDTH else columns_apart, *clauses])
    return f"-- {_made(contract)}\n{query}\n"


def _macros() -> str:
    """The rules that core shares with the gate, as macros."""
    codes = ", ".join(f"({system}, {column}, {strength})" for system, column, strength in REGISTER_CODES)
    return f"""-- {MADE}
-- fmt: off
{{#- The system of a code that stands where a login of ФИС ОКО is asked for. -#}}
{{% macro code_system(code) -%}}
    ({code_system("{{ code }}")})
{{%- endmacro %}}


{{#- (system, code, strength) of a row of a register of organisations. -#}}
{{% macro register_codes() -%}}
    (values {codes}, (register_code, register_number, 5))
{{%- endmacro %}}


{{#- The day of `year` on which a row has to be in force for a procedure (rsoko/contracts/in_force.yml). -#}}
{{% macro in_force_on(procedure, year) -%}}
    {{%- set day = {days()}[procedure] -%}}
    make_date({{{{ year }}}}, {{{{ day[0] }}}}, {{{{ day[1] }}}})
{{%- endmacro %}}
"""


# --- yml --------------------------------------------------------------------------------------------------------------


def _staging_yml(contract: Contract) -> str:
    model: dict[str, Any] = {"name": staging(contract), "description": f"Строка: {contract.grain}."}
    if contract.fact is None:
        model["data_tests"] = [_unique_grain(contract.key)]
    model["columns"] = list(_columns(contract))
    return _model_yml(contract, model)


def _fact_yml(contract: Contract) -> str:
    assert contract.fact is not None
    filled = NOT_NULL | {column.name for column in contract.stored_columns if column.never_empty}
    model: dict[str, Any] = {
        "name": f"fct_{contract.fact.name}",
        "description": f"Строка: {contract.grain}. {contract.fact.note}".strip(),
        "config": {
            "materialized": "incremental",
            "incremental_strategy": "by_load",
            "on_schema_change": "append_new_columns",
            "contract": {"enforced": True},
            "indexes": [{"columns": ["load_id", "slice_id"]}],
            "post_hook": [_core_totals(contract)],
        },
    }
    ledger = {"reconciles_with_ledger": {"arguments": {"source_name": contract.source}}}
    if contract.key_is_filled:
        model |= {"constraints": [{"type": "primary_key", "columns": fact_key(contract)}], "data_tests": [ledger]}
    else:
        model["data_tests"] = [_unique_grain(fact_key(contract)), ledger]
    model["columns"] = [
        column
        | {"name": _in_fact(column["name"])}
        | ({"constraints": [{"type": "not_null"}]} if column["name"] in filled else {})
        for column in _columns(contract)
    ]
    return _model_yml(contract, model)


def _core_totals(contract: Contract) -> str:
    measures = ", ".join(f"'{measure}': \"{aggregate}\"" for measure, aggregate in controls_sql(contract).items())
    return f"{{{{ record_core_totals('{contract.source}', {{{measures}}}) }}}}"


def fact_key(contract: Contract) -> list[str]:
    """The grain of the one-to-one fact of a source."""
    return [_in_fact(name) for name in contract.key]


def _unique_grain(columns: list[str]) -> dict[str, Any]:
    return {"unique_grain": {"arguments": {"columns": columns}}}


def _columns(contract: Contract) -> Iterator[dict[str, Any]]:
    """The columns of staging and of a one-to-one fact in their order, as a properties file describes them."""
    described = [("region_code", *SERVICE_COLUMNS["region_code"])]
    described += [(column.name, SQL_TYPE[column.type], comment(column)) for column in contract.stored_columns]
    described += [(name, "smallint", item_title(contract, n)) for n, name in enumerate(_item_names(contract), 1)]
    described += [(name, *SERVICE_COLUMNS[name]) for name in _PLACE]
    for name, kind, text in described:
        yield {"name": name, "data_type": kind, "description": text}


def _item_names(contract: Contract) -> list[str]:
    return contract.items.columns if contract.items else []


def _made(contract: Contract) -> str:
    return f"{MADE}/sources/{contract.source}.yml"


def _model_yml(contract: Contract, model: dict[str, Any]) -> str:
    """A properties file of one model: a line for each of its keys, and for each entry of what they hold."""
    lines = [f"# {_made(contract)}", "version: 2", "", "models:"]
    indent = "  - "
    for key, value in model.items():
        if isinstance(value, list):
            lines += [f"{indent}{key}:", *(f"      - {_flow(entry)}" for entry in value)]
        elif isinstance(value, dict):
            lines += [f"{indent}{key}:", *(f"      {name}: {_flow(entry)}" for name, entry in value.items())]
        else:
            lines.append(f"{indent}{key}: {_flow(value)}")
        indent = "    "
    return "\n".join(lines) + "\n"


def _flow(value: Any) -> str:
    """A value as yml on one line."""
    text = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, sort_keys=False, width=float("inf"))
    return text.removesuffix("...\n").strip()


def _sources() -> str:
    """The yml of dbt source `raw`."""
    tables = []
    for contract in contracts():
        columns = [{"name": name, "description": text} for name, (_, text) in SERVICE_COLUMNS.items()]
        columns += [{"name": column.name, "description": comment(column)} for column in contract.stored_columns]
        columns += [
            {"name": name, "description": item_title(contract, n)} for n, name in enumerate(_item_names(contract), 1)
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
                "description": "Неизменяемые строки поставщиков, по контрактам rsoko/contracts",
                "tables": tables,
            }
        ],
    }
    made = f"# {MADE}; change the contract, not this file.\n"
    return made + yaml.safe_dump(document, allow_unicode=True, sort_keys=False, width=_WIDTH)
