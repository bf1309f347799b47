"""`python -m bench.whole FOLDER`: everything in a folder delivered and built in one go, as an operator would do it.

Prints wall clock and peak memory of `rsoko load` and `rsoko build`, each with the processes it starts (the database
server apart), and the nodes of the build that took longest.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from dbt_project import runner
from rsoko.base.settings import Settings
from rsoko.ops import postgres

SLOWEST = 10


def watched(arguments: list[str], settings: Settings, log: Path) -> tuple[float, float]:
    """Seconds of a command and the peak of the memory that it and its children held, in MB."""
    environ = {**os.environ, **settings.environ()}
    began, peak = time.perf_counter(), 0.0
    with log.open("w") as out, subprocess.Popen(arguments, env=environ, stdout=out, stderr=out) as process:
        parent = psutil.Process(process.pid)
        while process.poll() is None:
            peak = max(peak, sum(map(_held, [parent, *_children(parent)])))
            time.sleep(0.5)
    return time.perf_counter() - began, peak


def _children(parent: psutil.Process) -> list[psutil.Process]:
    try:
        return [child for child in parent.children(recursive=True) if child.name() != "postgres"]
    except psutil.NoSuchProcess:
        return []


def _held(process: psutil.Process) -> float:
    try:
        return process.memory_full_info().pss / 2**20
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return 0.0


def main(folder: Path) -> None:
    console, rsoko = Console(), str(Path(sys.executable).with_name("rsoko"))
    with tempfile.TemporaryDirectory(prefix="rsoko-whole-") as name:
        home = Path(name)
        home.chmod(0o755)  # the account that the server may need under root has to reach its data
        settings = Settings(home=home)
        postgres.ensure(settings)
        try:
            table = Table("what", "seconds", "peak MB")
            loaded = watched([rsoko, "load", "--no-build", str(folder)], settings, home / "load.log")
            table.add_row("rsoko load", f"{loaded[0]:.0f}", f"{loaded[1]:.0f}")
            began = time.perf_counter()
            result = runner.build(settings.database_url, target_path=home / "dbt")
            table.add_row(f"build, {len(result.nodes)} nodes", f"{time.perf_counter() - began:.0f}", "")
            console.print((home / "load.log").read_text()[-2_000:])
            console.print(table)
            slow = Table("node", "seconds")
            for node in sorted(result.nodes, key=lambda node: -node.seconds)[:SLOWEST]:
                slow.add_row(node.unique_id, f"{node.seconds:.1f}")
            console.print(slow)
        finally:
            postgres.stop(settings)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
