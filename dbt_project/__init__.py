"""The domain: dbt models and seeds, and their runner."""

from __future__ import annotations

import csv
from functools import lru_cache
from pathlib import Path

PROJECT = Path(__file__).parent


@lru_cache
def seed(name: str) -> tuple[dict[str, str], ...]:
    """Rows of a seed as its file has them, for those who need them before dbt has run."""
    [path] = PROJECT.glob(f"seeds/**/{name}.csv")
    with path.open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))
