"""On which day of a year a row has to be in force, where a source tells only the year: one day a procedure."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from pathlib import Path

import yaml

PATH = Path(__file__).parent / "in_force.yml"


@lru_cache
def days() -> dict[str, tuple[int, int]]:
    """Procedure → (month, day)."""
    raw = yaml.safe_load(PATH.read_text(encoding="utf-8"))
    return {procedure: (int(said["day"][:2]), int(said["day"][3:])) for procedure, said in raw.items()}


def in_force_on(procedure: str, year: int) -> date:
    """The day of the year for which a row of a register or a scale is chosen."""
    return date(year, *days()[procedure])
