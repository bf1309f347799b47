"""One measured run in a process of its own, so that its memory can be told: `python -m bench.worker KIND FILE…`.

The warehouse comes in `RSOKO_DATABASE_URL`. What is imported, connected and received beforehand is not measured: the
worker says that it is ready, waits for a line, and answers with one line of JSON.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from python_calamine import CalamineWorkbook

from bench.data import SCHOOL_ROWS, SCHOOLS, region_year, register
from ingest.load import ledger
from ingest.load import stage as staging
from rsoko.base.settings import Settings
from rsoko.contracts.model import load_contract
from rsoko.ops import pipeline

Run = Callable[[], object]


def stage(settings: Settings, paths: list[Path]) -> Run:
    """Read, validate, type and COPY, one transaction a file: no gate, no publication."""

    def staged(files: list[Path]) -> Run:
        outcomes = pipeline.receive_files(settings, files, "vpr")
        return lambda: [_stage(settings, *pair) for pair in zip(files, outcomes, strict=True)]

    # What only the first delivery of a process pays for is paid by a school of another work.
    with tempfile.TemporaryDirectory() as name:
        staged([region_year(Path(name) / "vpr_2021_g4_OM.csv", SCHOOL_ROWS)])()
    return staged(paths)


def _stage(settings: Settings, path: Path, outcome: pipeline.Outcome) -> None:
    contract, load_id = load_contract("vpr"), outcome.delivery_id
    with pipeline.connect(settings) as connection, connection.transaction():
        delivery = ledger.get(connection, load_id)
        ledger.open_load(connection, load_id, delivery, contract)
        staging.stage(connection, path, delivery, contract, load_id, settings.pseudonym_key)


def process(settings: Settings, paths: list[Path]) -> Run:
    """The whole way of received deliveries: archive, ledger, gate and publication too."""
    # A worker takes many deliveries: what only the first one pays for (imports, the context of Great Expectations) is
    # paid by the register and a school of another work.
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pipeline.load(settings, [register(folder / "register.csv", SCHOOLS)], "organisation")
        pipeline.load(settings, [region_year(folder / "vpr_2021_g4_OM.csv", SCHOOL_ROWS)], "vpr")
    outcomes = pipeline.receive_files(settings, paths, "vpr")

    def run() -> None:
        for outcome in outcomes:
            done = pipeline.process(settings, outcome.delivery_id)
            assert done.published, done.message

    return run


def calamine(settings: Settings, paths: list[Path]) -> Run:
    """The bare pass: every cell of every sheet as a Python value, and nothing done with it."""

    def run() -> None:
        for path in paths:
            book = CalamineWorkbook.from_path(path)
            for name in book.sheet_names:
                book.get_sheet_by_name(name).to_python()

    return run


def _peak_mb() -> float:
    """Not getrusage: a child inherits its parent's peak there."""
    [peak] = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(peak) / 1024


def main() -> None:
    kind, *files = sys.argv[1:]
    kinds = {"stage": stage, "process": process, "calamine": calamine}
    run = kinds[kind](Settings.from_env(), [Path(file) for file in files])
    print("ready", flush=True)
    sys.stdin.readline()
    started, cpu = time.perf_counter(), time.process_time()
    run()
    answer = {
        "seconds": time.perf_counter() - started,
        "cpu": time.process_time() - cpu,
        "peak_mb": _peak_mb(),
    }
    print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
