"""Rewrites what follows from the contracts: dbt sources, staging models, one-to-one facts, dictionary, templates.

`python -m rsoko.ops.generate` does; `tests/test_generated.py` proves that nothing has drifted.
"""

from __future__ import annotations

from dbt_project import PROJECT, generated
from rsoko.contracts.model import contracts
from rsoko.publish.dictionary import dictionary
from rsoko.publish.template import cells, template

ROOT = PROJECT.parent


def write() -> None:
    """Rewrite everything generated, and remove what no contract asks for any more."""
    models, docs = generated.files(), ROOT / "docs"
    for name in generated.written() - models.keys():
        (PROJECT / name).unlink()
    for name, content in models.items():
        (PROJECT / name).parent.mkdir(parents=True, exist_ok=True)
        (PROJECT / name).write_text(content, encoding="utf-8")
    (docs / "dictionary.md").write_text(dictionary(), encoding="utf-8")
    for contract in contracts():
        path, data = docs / "templates" / f"{contract.source}.xlsx", template(contract)
        # A workbook carries the time it was saved: unchanged cells are no new template.
        if not path.exists() or cells(path.read_bytes()) != cells(data):
            path.write_bytes(data)


if __name__ == "__main__":
    write()
