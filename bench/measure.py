"""Timing: fresh warehouses, worker processes, psql, and medians of interleaved repetitions."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import psycopg

from rsoko.base.settings import Settings
from rsoko.ops import pipeline, postgres

REPETITIONS = 3
ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Measured:
    """Seconds of wall clock; CPU seconds of the client and its peak memory in MB where a worker told them."""

    seconds: float
    cpu: float = 0.0
    peak_mb: float = 0.0


@contextmanager
def embedded() -> Iterator[Settings]:
    """An embedded server of its own, with the product's settings, gone afterwards."""
    home = Path(tempfile.mkdtemp(prefix="rsoko-bench-"))
    home.chmod(0o755)  # the account that the server may need under root has to reach its data
    settings = Settings(home=home)
    try:
        postgres.ensure(settings)
        yield settings
    finally:
        postgres.stop(settings)
        shutil.rmtree(home)


@contextmanager
def warehouse(server: Settings) -> Iterator[Settings]:
    """A fresh installation on that server: empty prepared warehouse, empty landing zone."""
    name = f"bench_{uuid.uuid4().hex}"
    with psycopg.connect(postgres.admin_url(server), autocommit=True) as connection:
        connection.execute(f"create database {name} owner rsoko")
        settings = Settings(home=server.home / name, external_database_url=server.embedded_url(name))
        with pipeline.connect(settings):
            pass  # the first connection prepares the schemas
        yield settings
        connection.execute(f"drop database {name} with (force)")
    shutil.rmtree(settings.home, ignore_errors=True)


def work(server: Settings, kind: str, *shares: list[Path]) -> Measured:
    """Run `bench.worker` in one process per share of the files, all at once, on a fresh warehouse."""
    with warehouse(server) as settings:
        workers = [_Worker(settings, kind, share) for share in shares]
        for worker in workers:
            worker.go()
        # By their own clocks: a process that has imported much takes a second to end.
        answers = [worker.answer() for worker in workers]
    return Measured(
        max(answer["seconds"] for answer in answers),
        sum(answer["cpu"] for answer in answers),
        max(answer["peak_mb"] for answer in answers),
    )


class _Worker:
    """A started `bench.worker` that is ready to run."""

    def __init__(self, settings: Settings, kind: str, files: list[Path]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.worker", kind, *map(str, files)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=os.environ | settings.environ(),
        )  # fmt: skip
        assert self._process.stdin
        assert self._process.stdout
        self._in, self._out = self._process.stdin, self._process.stdout
        if self._out.readline() != "ready\n":
            raise RuntimeError(f"the worker «{kind}» did not start")

    def go(self) -> None:
        print(file=self._in, flush=True)

    def answer(self) -> dict[str, float]:
        line = self._out.readline()
        self._process.communicate()
        return json.loads(line)


def psql(settings: Settings, *commands: str) -> None:
    """Commands in one session of the psql that came along; the first error ends it."""
    options = [part for command in commands for part in ("-c", command)]
    run = [str(postgres.binary("psql")), settings.database_url, "-q", "-v", "ON_ERROR_STOP=1", *options]
    subprocess.run(run, check=True, stdout=subprocess.DEVNULL)


def timed(action: Callable[[], object]) -> Measured:
    started = time.perf_counter()
    action()
    return Measured(time.perf_counter() - started)


def interleaved(
    candidates: Mapping[str, Callable[[], Measured]], repetitions: int = REPETITIONS
) -> dict[str, Measured]:
    """Medians of the candidates, run one after another in every repetition, so that a busy minute meets them all."""
    runs: dict[str, list[Measured]] = {name: [] for name in candidates}
    for _ in range(repetitions):
        for name, candidate in candidates.items():
            runs[name].append(candidate())
    return {
        name: Measured(*(median(getattr(run, part) for run in found) for part in ("seconds", "cpu", "peak_mb")))
        for name, found in runs.items()
    }
