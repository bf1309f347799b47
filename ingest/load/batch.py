"""Many files as one batch. One bad file never stops another."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import groupby
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from threading import Thread

from ingest.load.outcome import DONE, NOT_RECEIVED, UNKNOWN_SOURCE, Outcome
from ingest.load.process import process
from rsoko.base.settings import Settings
from rsoko.contracts.gate import Gate
from rsoko.contracts.model import load_contract

log = logging.getLogger(__name__)

MANY_FILES, MOST_PROCESSES = 50, 2
"""Another process pays off from some dozens of files."""


def settle_all(
    settings: Settings, received: Iterable[Outcome], gate: Gate, preload: Sequence[str] = ()
) -> Iterator[Outcome]:
    """Process received deliveries and tell what became of each, as they are done.

    Registers come first, whatever their place in the batch: who checks results should know the schools by then.
    Many files of one source are shared by processes: reading a workbook takes longer than storing what it says.
    """
    for _, group in groupby(sorted(received, key=_is_no_register), key=lambda outcome: outcome.source):
        deliveries = list(group)
        processes = min(MOST_PROCESSES, os.cpu_count() or 1) if len(deliveries) >= MANY_FILES else 1
        if processes == 1:
            yield from (settle(settings, gate, outcome) for outcome in deliveries)
        else:
            # One server imports what takes seconds and forks the processes from there.
            context = get_context("forkserver")
            context.set_forkserver_preload([__name__, *preload])
            with ProcessPoolExecutor(processes, context, initializer=_end_with_parent) as pool:
                yield from pool.map(partial(settle, settings, gate), deliveries)


def _is_no_register(outcome: Outcome) -> bool:
    return outcome.source == UNKNOWN_SOURCE or not load_contract(outcome.source).register


def _end_with_parent() -> None:
    """A process of the pool would wait for ever for work from a parent that was killed."""
    parent = parent_process()
    assert parent is not None

    def watch() -> None:
        wait([parent.sentinel])
        os._exit(1)

    Thread(target=watch, daemon=True).start()


def settle(settings: Settings, gate: Gate, outcome: Outcome) -> Outcome:
    """Process a received delivery; our own failure is told in the outcome and logged, so that the next one goes on."""
    if outcome.status in {*DONE, NOT_RECEIVED}:
        return outcome
    try:
        return process(settings, outcome.delivery_id, gate)
    except Exception as error:  # a fault of ours in one delivery must not stop the next
        log.exception("delivery %s failed", outcome.delivery_id)
        return Outcome(outcome.delivery_id, outcome.file_name, outcome.source, "received", message=f"Сбой: {error}")
