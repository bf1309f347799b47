"""The yml of dbt source `raw`, made from the contracts."""

from __future__ import annotations

import yaml

from rsoko.contracts.ddl import SERVICE_COLUMNS, describe, item_title
from rsoko.contracts.model import contracts

_GENERATED = "# Made by `make generate` from rsoko/contracts; change the contract, not this file.\n"


def dbt_sources() -> str:
    """The yml of dbt source `raw`."""
    tables = []
    for contract in contracts():
        columns = [{"name": name, "description": text} for name, (_, text) in SERVICE_COLUMNS.items()]
        columns += [{"name": column.name, "description": describe(column)} for column in contract.stored_columns]
        if contract.items:
            columns += [
                {"name": name, "description": item_title(contract, n)}
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
                "description": "Неизменяемые строки поставщиков, по контрактам rsoko/contracts",
                "tables": tables,
            }
        ],
    }
    return _GENERATED + yaml.safe_dump(document, allow_unicode=True, sort_keys=False, width=120)
