"""Rewrites what follows from the contracts: dbt sources, the data dictionary and the empty supplier templates.

`python -m rsoko.ops.generate` does; `tests/test_generated.py` proves that nothing has drifted.
"""

from __future__ import annotations

from pathlib import Path

from dbt_project.sources import dbt_sources
from rsoko.contracts.model import contracts
from rsoko.publish.dictionary import dictionary
from rsoko.publish.template import cells, template

ROOT = Path(__file__).parent.parent.parent


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
