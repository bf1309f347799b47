"""The list of everything that was delivered, and what is expected to become of it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from sample_region.assessment import Truth
from sample_region.files import Cell, as_csv

Status = Literal["accepted", "partly", "rejected"]


@dataclass(frozen=True)
class Delivery:
    """One file: `file` is its path under the target, `rows` the number of data rows in it.

    `options` is what the person who delivers it has to say besides; `wave` 1 are first deliveries, 2 corrections; `why`
    tells in Russian what is right or wrong with it.
    """

    file: str
    source: str
    layout: str
    wave: int
    expected: Status
    rows: int
    received_at: datetime
    options: dict[str, str] = field(default_factory=dict)
    why: str = ""


@dataclass
class Manifest:
    """All deliveries of a sample region under `target` and the truth about its schools."""

    target: Path
    deliveries: list[Delivery] = field(default_factory=list)
    truths: list[Truth] = field(default_factory=list)

    def of(self, source: str, *, wave: int | None = None, expected: Status | None = None) -> list[Delivery]:
        return [
            delivery
            for delivery in self.deliveries
            if delivery.source == source and wave in (None, delivery.wave) and expected in (None, delivery.expected)
        ]

    def write(self) -> None:
        """Write `manifest.csv` and `truth.csv` (UTF-8) beside the deliveries."""
        for name, row, rows in (("manifest.csv", Delivery, self.deliveries), ("truth.csv", Truth, self.truths)):
            columns = [column.name for column in fields(row)]
            table = [[_cell(getattr(found, column)) for column in columns] for found in rows]
            (self.target / name).write_bytes(as_csv([columns, *table]))


def _cell(value: Any) -> Cell:
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False, sort_keys=True)
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    return str(value).lower() if isinstance(value, bool) else value
