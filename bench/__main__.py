"""`make bench`: rsoko against its peers and physical limits in one run; rewrites the table in docs/benchmarks.md."""

from __future__ import annotations

import os
import platform
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
from rich.console import Console
from rich.table import Table

from bench import bench_gate, build, data, measure
from bench.measure import Measured, interleaved, psql, timed, work
from rsoko.base.settings import Settings

ROWS = 500_000
SIZES = (125_000, 500_000, 2_000_000)
WORKBOOKS, WORKBOOK_ROWS = 600, 800
NAME = "vpr_2021_g5_RU.csv"
PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"
HEADER = ("what", "seconds", "against", "ratio", "target")


@dataclass(frozen=True)
class Line:
    """One row of the table. `against` is what the ratio is to, with its own seconds."""

    what: str
    measured: str
    against: str = ""
    ratio: str = ""
    target: str = ""

    @property
    def cells(self) -> tuple[str, ...]:
        return self.what, self.measured, self.against, self.ratio, self.target


def _line(what: str, measured: Measured, peer: str, limit: Measured, target: str = "") -> Line:
    ratio = measured.seconds / limit.seconds
    return Line(what, f"{measured.seconds:.2f}", f"{peer}: {limit.seconds:.2f}", f"{ratio:.2f}", target)


def _number(value: int) -> str:
    return f"{value:,}".replace(",", " ")


def csv_lines(server: Settings, folder: Path) -> Iterator[Line]:
    """A region-year of csv against `psql \\copy` of the same bytes into text columns."""
    file = data.region_year(folder / NAME, ROWS)
    columns = ", ".join(f"c{number} text" for number in range(len(data.HEADER)))

    def copied() -> Measured:
        with measure.warehouse(server) as settings:
            psql(settings, f"create table peer ({columns})")
            form = "format csv, delimiter ';', header, encoding 'win1251'"
            return timed(lambda: psql(settings, f"\\copy peer from '{file}' with ({form})"))

    found = interleaved(
        {
            "psql": copied,
            "stage": lambda: work(server, "stage", [file]),
            "process": lambda: work(server, "process", [file]),
        }
    )
    peer = "psql \\copy of the same bytes"
    size = f"csv of {_number(ROWS)} rows × {len(data.HEADER)} columns"
    yield _line(f"{size}: read, validated, typed, COPY", found["stage"], peer, found["psql"], "≤ 1.6")
    yield _line("the same with ledger, gate and publication", found["process"], peer, found["psql"], "≤ 2.2")
    file.unlink()


def memory_lines(server: Settings, folder: Path) -> Iterator[Line]:
    """Peak memory of a load by the size of its file."""
    parts = (("read, validated, typed, COPY", "stage", "≤ 400 MB, flat"), ("the whole way", "process", ""))
    for what, kind, target in parts:
        peaks = []
        for rows in SIZES:
            file = data.region_year(folder / NAME, rows)
            peaks.append(work(server, kind, [file]).peak_mb)
            file.unlink()
        sizes = " / ".join(f"{rows // 1000}k" for rows in SIZES)
        found = " / ".join(f"{peak:.0f} MB" for peak in peaks)
        yield Line(f"peak memory, csv of {sizes} rows: {what}", found, target=target)


def workbook_lines(server: Settings, folder: Path) -> Iterator[Line]:
    """Workbooks of schools against a bare pass over the same files."""
    files = data.school_workbooks(folder / "workbooks", WORKBOOKS, WORKBOOK_ROWS)
    found = interleaved(
        {
            "calamine": lambda: work(server, "calamine", files),
            "one": lambda: work(server, "stage", files),
            "two": lambda: work(server, "stage", files[::2], files[1::2]),
        }
    )
    peer, size = "bare calamine pass, one process", f"{WORKBOOKS} workbooks × {WORKBOOK_ROWS} rows"
    yield _line(f"{size}: read, validated, typed, COPY, two processes", found["two"], peer, found["calamine"], "≤ 1.8")
    yield _line("the same in one process", found["one"], peer, found["calamine"])


def gate_lines(server: Settings) -> Iterator[Line]:
    """The gate against one hand-written scan of the same checks."""
    with measure.warehouse(server) as settings, psycopg.connect(settings.database_url, autocommit=True) as connection:
        found = bench_gate.measure(connection)
    gate, scan = Measured(found["gate_s"]), Measured(found["scan_s"])
    yield _line(f"gate of {_number(bench_gate.ROWS)} rows", gate, "one SQL scan by hand", scan, "≤ 3")
    yield Line(f"gate of {bench_gate.SMALL_ROWS} rows", f"{found['small_load_s']:.3f}")
    yield Line("import of Great Expectations, once a process", f"{found['import_s']:.1f}")


def build_lines(server: Settings, folder: Path) -> Iterator[Line]:
    """dbt against psql, and one school's correction against a year's reload."""
    with measure.warehouse(server) as settings:
        works = build.deliver(settings, folder)
        found = build.against_psql(settings)
        rows = f"{_number(works * build.WORK_ROWS)} participants"
        peer = "its compiled models and tests by psql"
        yield _line(f"dbt build from nothing, {rows}, {found.nodes} nodes", found.dbt, peer, found.psql)
        again = build.corrections(settings, folder)
    reload = f"a year's {_number(build.WORK_ROWS)} rows"
    yield _line(
        f"one school's correction ({data.SCHOOL_ROWS} rows): load", again["school load"], reload, again["year load"]
    )
    yield _line("one school's correction: marts", again["school build"], reload, again["year build"])


def main() -> None:
    console = Console()
    lines: list[Line] = []
    table = Table(*HEADER)
    with tempfile.TemporaryDirectory(prefix="rsoko-bench-") as temporary, measure.embedded() as server:
        folder = Path(temporary)
        for part in (
            csv_lines(server, folder), memory_lines(server, folder), workbook_lines(server, folder), gate_lines(server),
            build_lines(server, folder),
        ):  # fmt: skip
            for line in part:
                console.print(*filter(None, line.cells), sep=" · ", highlight=False, soft_wrap=True)
                lines.append(line)
                table.add_row(*line.cells)
        with psycopg.connect(server.database_url) as connection:
            version = connection.info.server_version // 10000
    console.print(table)
    _write(lines, f"{os.cpu_count()} cores, Python {platform.python_version()}, PostgreSQL {version}")


def _write(lines: list[Line], machine: str) -> None:
    rows = [
        "| " + " | ".join(cells) + " |" for cells in (HEADER, ("---",) * len(HEADER), *(line.cells for line in lines))
    ]
    measured = f"{machine}; load average {os.getloadavg()[1]:.1f} at the end.\n\n" + "\n".join(rows)
    page = PAGE.read_text("utf-8")
    marked = re.sub(
        r"(?<=<!-- measured -->\n).*(?=<!-- /measured -->)", lambda _: f"\n{measured}\n\n", page, flags=re.DOTALL
    )
    PAGE.write_text(marked, "utf-8")


if __name__ == "__main__":
    main()
