"""Reader and gate put together: what the command line, the DAGs and the tests call to deliver and to load."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg

import dbt_project
from expectations import gate as great_expectations
from ingest.load import batch
from ingest.load import check as dry_run
from ingest.load import process as processing
from ingest.load.ledger import connect
from ingest.load.outcome import Outcome
from ingest.load.process import restore
from ingest.load.receive import pending, receive, receive_files, scan, take_in
from rsoko.base.settings import Settings
from rsoko.contracts.gate import Verdict
from rsoko.contracts.model import Contract

__all__ = [
    "Outcome", "check", "connect", "gate", "load", "pending", "process", "receive", "receive_files", "restore", "scan",
    "settle", "settle_all", "take_in",
]  # fmt: skip

PRELOAD = ("expectations.validation", __name__)
"""What every process that checks loads needs and takes seconds to import."""


class SuiteGate:
    """The suites of `expectations/`, with the scales of works that the domain knows."""

    def check(
        self, connection: psycopg.Connection, contract: Contract, load_id: int, checked_at: datetime, *,
        keys_are_unique: bool = False,
    ) -> Verdict:  # fmt: skip
        return great_expectations.check(
            connection, contract, load_id, checked_at, scales=dbt_project.seed("work_scale"),
            keys_are_unique=keys_are_unique,
        )  # fmt: skip

    def check_again(self, connection: psycopg.Connection, checked_at: datetime) -> list[int]:
        return great_expectations.check_again(connection, checked_at)


gate = SuiteGate()


def process(settings: Settings, delivery_id: int) -> Outcome:
    """Run one received delivery through to published rows; see `ingest.load.process`."""
    return processing.process(settings, delivery_id, gate)


def settle(settings: Settings, outcome: Outcome) -> Outcome:
    """Process a received delivery; our own failure is told in the outcome."""
    return batch.settle(settings, gate, outcome)


def settle_all(settings: Settings, received: Iterable[Outcome]) -> Iterator[Outcome]:
    """Process received deliveries and tell what became of each, in their order."""
    return batch.settle_all(settings, received, gate, PRELOAD)


def load(
    settings: Settings, files: list[Path], source: str | None = None, options: dict[str, str] | None = None
) -> list[Outcome]:
    """Receive and process files as one batch. One bad file never stops another."""
    return list(settle_all(settings, receive_files(settings, files, source, options)))


def check(
    settings: Settings, file: Path, source: str | None = None, options: dict[str, str] | None = None
) -> tuple[Outcome, list[dict[str, Any]]]:
    """The same reading and gate without loading anything."""
    return dry_run.check(settings, file, gate, source, options)
