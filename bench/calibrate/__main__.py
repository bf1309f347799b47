"""`make calibrate`: simulated regions judged by rsoko; prints the tables and rewrites those in docs/benchmarks.md.

The detectors' constants were chosen on the regions of `TUNING_SEEDS`; what is reported comes from others.
"""

from __future__ import annotations

import argparse
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import polars as pl
from rich.console import Console
from rich.table import Table

from bench import measure
from bench.calibrate import metrics, product, rules
from bench.calibrate.manipulation import apply, plan
from bench.calibrate.metrics import TARGETS, Found
from bench.calibrate.region import Region, Settings, Written
from tests import signs_reference

TUNING_SEEDS = (101, 102, 103)
REPORTED_SEEDS = (1, 2, 3, 4, 5)
SCHOOLS, YEARS = 1_000, 3
PAGE = Path(__file__).parents[2] / "docs" / "benchmarks.md"
Judge = Callable[[Region, list[Written]], pl.DataFrame]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.calibrate", description=__doc__)
    parser.add_argument("--schools", type=int, default=SCHOOLS)
    parser.add_argument("--years", type=int, default=YEARS)
    parser.add_argument("--seeds", type=int, nargs="+", default=REPORTED_SEEDS)
    parser.add_argument(
        "--reference", action="store_true", help="by the detectors of the tests, in memory, in a minute"
    )
    options = parser.parse_args()
    console = Console()
    with nullcontext() if options.reference else measure.embedded() as server:

        def by_product(region: Region, written: list[Written]) -> pl.DataFrame:
            assert server
            with product.built(server, region, iter(written)) as settings:
                return product.groups(settings, region)

        judge = _by_reference if options.reference else by_product
        made = _regions(options.seeds, options.schools, tuple(range(2026 - options.years, 2026)))
        tables = report(made, judge, console)
    for table in tables:
        console.print(table)
    if (options.schools, options.years, tuple(options.seeds)) == (SCHOOLS, YEARS, REPORTED_SEEDS):
        judge_name = "the numpy reference" if options.reference else "rsoko's marts"
        _write(tables, f"{len(REPORTED_SEEDS)} regions of {SCHOOLS} schools, {YEARS} years, judged by {judge_name}.")


def _regions(seeds: tuple[int, ...], schools: int, years: tuple[int, ...]) -> Iterator[tuple[str, Settings]]:
    """Every seed with manipulations; the first also without any and with twice the honest noise."""
    for seed in seeds:
        yield "manipulated", Settings(seed, schools, years)
    yield "honest", Settings(seeds[0], schools, years, manipulated=0)
    yield "noisy", Settings(seeds[0], schools, years, noise=2)


def report(regions: Iterator[tuple[str, Settings]], judge: Judge, console: Console) -> list[Table]:
    """Tables of aims, of cells and of rules; a measure of several regions is their mean."""
    aims: dict[str, list[float]] = defaultdict(list)
    judged: list[pl.DataFrame] = []
    for kind, settings in regions:
        region = Region(settings)
        deeds = plan(region)
        written = [_manipulated(region, region.write(work), deeds) for work in region.works()]
        groups = metrics.with_truth(judge(region, written), region, deeds)
        groups = groups.join(pl.concat([rules.judge(work.answers) for work in written]), on=metrics.KEY, how="left")
        found: Found = {
            "manipulated": metrics.measure, "honest": metrics.honest_region, "noisy": metrics.noisy_region,
        }[kind](groups)  # fmt: skip
        for name, value in found.items():
            aims[name].append(value)
        if kind == "manipulated":
            judged.append(groups)
        console.print(f"seed {settings.seed}, {kind}: {groups.height} groups", highlight=False)
    everything = pl.concat(judged, how="diagonal_relaxed")
    return [_aims(aims), _cells(everything), _rules(everything)]


def _manipulated(region: Region, written: Written, deeds: list) -> Written:
    apply(region, written, deeds)
    return written


def _by_reference(region: Region, written: list[Written]) -> pl.DataFrame:
    return signs_reference.detect([(work.answers, region.context()) for work in written])


def _aims(found: dict[str, list[float]]) -> Table:
    table = Table("measure", "mean", "by region", "must", "stretch", "holds")
    for target in TARGETS:
        values = found[target.name]
        mean = float(np.nanmean(values))
        sign = "≥" if target.sign > 0 else "≤"
        each = " ".join(f"{value:{target.unit}}" for value in values)
        stretch = "" if target.stretch is None else f"{sign} {target.stretch:{target.unit}}"
        must, holds = f"{sign} {target.must:{target.unit}}", "yes" if target.holds(mean) else "no"
        table.add_row(target.name, f"{mean:{target.unit}}", each, must, stretch, holds)
    return table


def _cells(groups: pl.DataFrame) -> Table:
    table = Table("kind", "intensity or scope", "groups", "recall at 1 %", "red", "red or amber")
    for kind, level, count, found in metrics.cells(groups):
        table.add_row(kind, level, str(count), *(f"{value:.2f}" for value in found.values()))
    return table


def _rules(groups: pl.DataFrame) -> Table:
    table = Table("rule", "recall (macro)", "false positives", "false discoveries", "of honest selective groups")
    compared = {
        "red": (groups, pl.col("flag") == "red"),
        "red or amber": (groups, pl.col("flag").is_in(["red", "amber"])),
        "two of five markers": (groups, pl.col("two_markers")),
        "mean above the region's": (groups, pl.col("mean_rule")),
    }
    if "marked" in groups.columns:
        official = groups.filter(pl.col("marked").is_not_null())
        compared["official markers, where they look"] = (official, pl.col("marked"))
        compared["red, in the same groups"] = (official, pl.col("flag") == "red")
    for name, (part, condition) in compared.items():
        table.add_row(name, *(f"{value:.1%}" for value in metrics.rule(part, condition).values()))
    return table


def _write(tables: list[Table], what: str) -> None:
    """Only a run as it is reported changes the page."""
    text = "\n\n".join([what, *map(_markdown, tables)])
    page = PAGE.read_text("utf-8")
    pattern = r"(?<=<!-- calibrated -->\n).*(?=<!-- /calibrated -->)"
    PAGE.write_text(re.sub(pattern, lambda _: f"\n{text}\n\n", page, flags=re.DOTALL), "utf-8")


def _markdown(table: Table) -> str:
    header = [str(column.header) for column in table.columns]
    rows = zip(*(map(str, column.cells) for column in table.columns), strict=True)
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (header, ["---"] * len(header), *rows))


if __name__ == "__main__":
    main()
