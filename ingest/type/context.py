"""What is known beside the cells: titles, delivery options, names of files and folders."""

from __future__ import annotations

from ingest.read.block import Block
from ingest.type.cells import parse
from rsoko.base.errors import SupplierError
from rsoko.contracts.model import Contract


def merge_context(
    block: Block, name_context: dict[str, str], options: dict[str, str], contract: Contract
) -> tuple[dict[str, str], list[str]]:
    """What is known beside the cells: content first, then delivery options, then the file name.

    Content against an option is the supplier's to solve: SupplierError. A file name that says otherwise is overruled
    and told.
    """
    told: list[str] = []
    merged = dict(name_context)

    def same(name: str, left: str, right: str) -> bool:
        column = contract.column.get(name)
        return left == right if column is None else parse(left, column)[0] == parse(right, column)[0]

    for name, value in options.items():
        if name in merged and not same(name, merged[name], value):
            told.append(
                f"Имя файла говорит «{merged[name]}» ({_title(contract, name)}), при доставке указано «{value}»: "
                "взято указанное."
            )
        merged[name] = value
    for name, value in block.context.items():
        if name in options and not same(name, options[name], value):
            raise SupplierError(
                f"{_title(contract, name)}: внутри файла «{value}», при доставке указано «{options[name]}». "
                "Исправьте указание или файл.",
                code="context_contradiction",
            )
        if name in name_context and not same(name, name_context[name], value):
            told.append(
                f"Имя файла говорит «{name_context[name]}» ({_title(contract, name)}), внутри файла «{value}»: "
                "взято из файла."
            )
        merged[name] = value
    return merged, told


def _title(contract: Contract, name: str) -> str:
    return contract.column[name].title if name in contract.column else {"region_code": "Регион"}.get(name, name)


def from_file_name(file_name: str, contract: Contract, folder: str = "") -> dict[str, str]:
    """Year, grade, subject … as the first fitting pattern of the contract tells them; the name before its folder."""
    told: dict[str, str] = {}
    for patterns, text in ((contract.folder_names, folder), (contract.file_names, file_name)):
        if found := next((found for pattern in patterns if (found := pattern.search(text))), None):
            told |= {name: value.strip() for name, value in found.groupdict().items() if value}
    return told
