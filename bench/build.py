"""The marts: dbt against the same SQL by psql, and what a correction costs."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from bench import data
from bench.measure import Measured, interleaved, timed
from dbt_project import runner
from rsoko.base.settings import Settings
from rsoko.ops import pipeline, postgres

WORK_ROWS = 250_000
WORKS = ("vpr_2020_g4_RU", "vpr_2020_g4_MA", "vpr_2021_g5_RU", "vpr_2021_g5_MA")


@dataclass(frozen=True)
class Build:
    dbt: Measured
    psql: Measured
    nodes: int


def deliver(settings: Settings, folder: Path) -> int:
    """Load two works of two years of the same cohort; how many works."""
    pipeline.load(settings, [data.register(folder / "register.csv", WORK_ROWS // data.SCHOOL_ROWS)], "organisation")
    for seed, name in enumerate(WORKS):
        _load(settings, data.region_year(folder / f"{name}.csv", WORK_ROWS, seed=seed))
    return len(WORKS)


def _load(settings: Settings, file: Path) -> None:
    [outcome] = pipeline.load(settings, [file], "vpr")
    assert outcome.published, outcome.message
    file.unlink()


def _build(settings: Settings, *, full_refresh: bool = False) -> runner.BuildResult:
    target = settings.home / "dbt"
    return runner.build(settings.database_url, full_refresh=full_refresh, target_path=target)


def against_psql(settings: Settings) -> Build:
    """Medians of a build from nothing and of its models and tests run by one psql on what the build made."""
    nodes = len(_build(settings).nodes)
    script = settings.home / "compiled.sql"
    script.write_text(_script(settings.home / "dbt"), "utf-8")
    run = [str(postgres.binary("psql")), settings.database_url, "-q", "-v", "ON_ERROR_STOP=1", "-f", str(script)]
    found = interleaved(
        {
            "dbt": lambda: timed(lambda: _build(settings, full_refresh=True)),
            "psql": lambda: timed(lambda: subprocess.run(run, check=True, stdout=subprocess.DEVNULL)),
        }
    )
    return Build(found["dbt"], found["psql"], nodes)


def _script(target: Path) -> str:
    """Compiled models as tables of schema `peer` and compiled tests as counts, in the order in which dbt ran them."""
    manifest = json.loads((target / "manifest.json").read_text("utf-8"))["nodes"]
    results = json.loads((target / "run_results.json").read_text("utf-8"))["results"]
    statements = ["set client_min_messages = warning", "drop schema if exists peer cascade", "create schema peer"]
    for result in sorted(results, key=lambda result: result["timing"][-1]["started_at"]):
        node, sql = manifest[result["unique_id"]], result["compiled_code"]
        if node["resource_type"] == "model":
            kind = "view" if node["config"]["materialized"] == "view" else "table"
            statements.append(f"create {kind} peer.{node['alias']} as {sql}")
        elif node["resource_type"] == "test":
            statements.append(f"select count(*) from ({sql}) as failures")
    return ";\n".join(statements) + ";\n"


def corrections(settings: Settings, folder: Path) -> dict[str, Measured]:
    """Load and build after one school sent its rows again, and after the region sent the whole work again."""
    seeds = iter(range(100, 200))
    built: dict[str, Measured] = {}

    def deliver(what: str, rows: int) -> Measured:
        file = data.region_year(folder / f"{WORKS[-1]}.csv", rows, seed=next(seeds))
        loaded = timed(lambda: _load(settings, file))
        built[what] = timed(lambda: _build(settings))
        return loaded

    _build(settings)
    found = interleaved(
        {
            "school load": lambda: deliver("school", data.SCHOOL_ROWS),
            "school build": lambda: built["school"],
            "year load": lambda: deliver("year", WORK_ROWS),
            "year build": lambda: built["year"],
        }
    )
    return found
