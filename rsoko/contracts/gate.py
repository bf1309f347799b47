"""What a gate says of a staged load: the words that the loader and the gate share."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import psycopg

from rsoko.contracts.model import Contract


@dataclass(frozen=True)
class CheckResult:
    """One row of `meta.gate_result`. `violations` is None when the check was skipped; its message says why."""

    code: str
    expectation: str
    column: str | None
    severity: str
    is_success: bool
    violations: int | None
    rows: int
    tolerance: float
    message: str


@dataclass(frozen=True)
class Verdict:
    """What the gate says of a load; `message` (Russian, for the supplier) only when it is rejected."""

    accepted: bool
    quarantined_rows: int
    results: list[CheckResult]
    message: str | None = None


class Gate(Protocol):
    """Who decides whether a load is good."""

    def check(
        self, connection: psycopg.Connection, contract: Contract, load_id: int, checked_at: datetime, *,
        keys_are_unique: bool = False,
    ) -> Verdict:  # fmt: skip
        """Check the staged rows of a load inside the transaction that staged them; remove those it sets aside."""

    def check_again(self, connection: psycopg.Connection, checked_at: datetime) -> list[int]:
        """A register came: take again what depends on registers of accepted loads; the loads that were looked at."""
