"""The data dictionary of sources and marts (Markdown, Russian), from the contracts and the descriptions of models."""

from __future__ import annotations

import yaml

from dbt_project.runner import PROJECT
from rsoko.contracts.ddl import describe
from rsoko.contracts.model import contracts
from rsoko.contracts.vocabulary import canonical, documents


def dictionary() -> str:
    """The data dictionary of sources and marts (Markdown, Russian)."""
    out = [
        "# Словарь данных",
        "",
        "Создан из контрактов `rsoko/contracts/sources/*.yml` и описаний витрин `dbt_project/models/marts/` командой",
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
        out += [
            f"Основание: {documents()[item['document']]}, п. {item['paragraph']} — {item['text']}.  "
            for item in contract.basis
        ]
        out += [f"Разметки: {'; '.join(f'«{layout.title}»' for layout in contract.layouts)}.", ""]
        out += ["| столбец | название | тип | обязателен | примечание |", "|---|---|---|---|---|"]
        for column in contract.columns:
            note = "; ".join(describe(column).split("; ")[1:])
            if column.personal:
                note = "персональные данные: только ключевой хеш, само значение не хранится"
            if column.vocabulary:
                values = canonical(column.vocabulary)
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
    for path in sorted((PROJECT / "models" / "marts").rglob("*.yml")):
        for model in yaml.safe_load(path.read_text(encoding="utf-8")).get("models", []):
            out += [f"## `mart.{model['name']}`", "", " ".join(model["description"].split()), ""]
            out += ["| столбец | тип | что это |", "|---|---|---|"]
            out += [f"| `{c['name']}` | {c['data_type']} | {c['description']} |" for c in model["columns"]]
            out.append("")
    return out
