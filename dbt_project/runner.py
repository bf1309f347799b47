"""Builds the dbt project in this process: one call per layer, or all layers in order."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import psycopg
from psycopg.conninfo import conninfo_to_dict

from dbt_project import PROJECT
from dbt_project.layers import LAYERS
from rsoko.base.errors import PermanentError, TransientError
from rsoko.base.settings import Settings, private_folder

Tests = Literal["none", "data", "all"]
_LEFT_OUT: dict[Tests, list[str]] = {"none": ["test", "unit_test"], "data": ["unit_test"], "all": []}
_FAILED = ("error", "fail", "runtime error")
log = logging.getLogger(__name__)


class BuildError(PermanentError):
    """A model, seed or test failed. `result` holds every node that ran."""

    def __init__(self, message: str, result: BuildResult) -> None:
        super().__init__(message)
        self.result = result


@dataclass(frozen=True)
class NodeResult:
    """One model, seed or test. `status` is dbt's word: success, pass, warn, fail, error, skipped, no-op."""

    unique_id: str
    status: str
    message: str
    seconds: float


@dataclass
class BuildResult:
    nodes: list[NodeResult] = field(default_factory=list)

    @property
    def failed(self) -> list[NodeResult]:
        return [node for node in self.nodes if node.status in _FAILED]

    @property
    def warned(self) -> list[NodeResult]:
        return [node for node in self.nodes if node.status == "warn"]

    @property
    def seconds(self) -> float:
        """Sum of the nodes' own times; with several threads more than the wall clock."""
        return sum(node.seconds for node in self.nodes)


def build(
    database_url: str,
    *,
    layer: str | None = None,
    full_refresh: bool = False,
    select: str | None = None,
    tests: Tests = "data",
    target_path: Path | None = None,
    threads: int = 2,
) -> BuildResult:
    """Build and test one layer, or everything, and return every node's result.

    Args:
        database_url: libpq URL of the warehouse.
        layer: one of `LAYERS`; None: all, in the order of their dependencies.
        full_refresh: rebuild incremental models and seeds from nothing.
        select: dbt selection that narrows it further (`mart_objectivity__marker+`).
        tests: which of dbt's tests run: `data` checks the rows of this build, `all` also every formula against its
            worked example, which only a change of the code can break.
        target_path: dbt's own files (compiled SQL, manifest, logs), one directory for each build that may run at the
            same time; default `<RSOKO_HOME>/dbt/<layer>`.

    Raises:
        BuildError: something failed; what depends on it has not been built.
        PermanentError: the layer is unknown or the project cannot be parsed.
        TransientError: the warehouse does not answer.
    """
    if layer is not None and layer not in LAYERS:
        raise PermanentError(f"no layer {layer!r}; known: {', '.join(LAYERS)}")
    target_path = private_folder(target_path or Settings.from_env().home / "dbt" / (layer or "all"))
    # A test that reads two layers waits for the later one.
    arguments = ["--indirect-selection", "buildable"]
    if selection := ",".join(part for part in (layer and f"tag:{layer}", select) if part):
        arguments += ["--select", selection]
    if full_refresh:
        arguments.append("--full-refresh")
    for kind in _LEFT_OUT[tests]:
        arguments += ["--exclude-resource-type", kind]
    with _alone(database_url), _connection_environment(database_url, threads):
        result = BuildResult(_invoke("build", arguments, target_path))
    if result.failed:
        raise BuildError(_explain(result.failed), result)
    return result


def _invoke(command: str, arguments: Sequence[str], target_path: Path) -> list[NodeResult]:
    # Importing dbt takes seconds and must not happen when a DAG file is parsed.
    from dbt.cli.main import dbtRunner

    outcome = dbtRunner().invoke(
        [
            "--quiet",
            "--no-use-colors",
            "--log-path",
            str(target_path),
            command,
            "--project-dir",
            str(PROJECT),
            "--profiles-dir",
            str(PROJECT),
            "--target-path",
            str(target_path),
            *arguments,
        ]
    )
    if outcome.exception:
        raise PermanentError(f"dbt {command} could not start: {outcome.exception}") from outcome.exception
    nodes = [
        NodeResult(node.node.unique_id, str(node.status), node.message or "", node.execution_time)
        for node in outcome.result.results  # type: ignore[union-attr]
    ]
    log.info("dbt %s %s: %d nodes", command, " ".join(arguments), len(nodes))
    return nodes


def _explain(failed: Sequence[NodeResult]) -> str:
    lines = [f"{node.unique_id}: {' '.join(node.message.split())}" for node in failed]
    return f"{len(failed)} models, seeds or tests failed\n" + "\n".join(lines)


@contextmanager
def _alone(database_url: str) -> Iterator[None]:
    """Hold the warehouse's build lock: two builds at once would rename each other's tables. Waits for the other one."""
    try:
        connection = psycopg.connect(database_url, autocommit=True, application_name="rsoko build")
    except psycopg.OperationalError as error:
        raise TransientError(f"database: {error}") from error
    with connection:
        connection.execute("select pg_advisory_lock(hashtextextended('rsoko build', 0))")
        yield


@contextmanager
def _connection_environment(database_url: str, threads: int) -> Iterator[None]:
    """The variables that `profiles.yml` and libpq read, for the time of one build."""
    info = conninfo_to_dict(database_url)
    values = {
        "RSOKO_DBT_HOST": str(info.get("host") or "127.0.0.1"),
        "RSOKO_DBT_PORT": str(info.get("port") or 5432),
        "RSOKO_DBT_USER": str(info.get("user") or ""),
        "RSOKO_DBT_PASSWORD": str(info.get("password") or ""),
        "RSOKO_DBT_DBNAME": str(info.get("dbname") or ""),
        "RSOKO_DBT_SSLMODE": str(info.get("sslmode") or "prefer"),
        "RSOKO_DBT_THREADS": str(threads),
        # A build aggregates a million rows at a time: in memory, not in temporary files.
        "PGOPTIONS": "-c work_mem=128MB",
    }
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
