"""Builds the dbt project in this process: one call per layer, or all layers in order.

Around dbt's own run stand three things. Incremental models whose SQL has changed since are built from nothing
(`lineage.py`). Marts are built in a schema aside, and those of a mechanism that passed all its tests take the places of
the published ones together (`aside.py`). The ledger is told what each model was built from, so that what is published
but not built is known (`owed.py`).
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import dict_row

from dbt_project import PROJECT, aside, fingerprint, lineage, owed
from dbt_project.layers import LAYERS
from dbt_project.lineage import Lineage, Version
from ingest.load import ledger
from rsoko.base import database
from rsoko.base.errors import PermanentError, TransientError
from rsoko.base.settings import Settings, private_folder

Tests = Literal["none", "data", "all"]
_LEFT_OUT: dict[Tests, list[str]] = {"none": ["test", "unit_test"], "data": ["unit_test"], "all": []}
_FAILED = ("error", "fail", "runtime error")
_ROWS_TOLD = 5
PATIENCE = 600.0
"""Seconds for which the marts of a mechanism wait for readers of the published ones."""
log = logging.getLogger(__name__)


class BuildError(PermanentError):
    """A model, seed or test failed. `result` holds every node that ran and what became of the marts."""

    def __init__(self, message: str, result: BuildResult) -> None:
        super().__init__(message)
        self.result = result


@dataclass(frozen=True)
class NodeResult:
    """One model, seed or test.

    Args:
        status: dbt's word: success, pass, warn, fail, error, skipped, no-op.
        concerns: names of the models and seeds that it is or tests.
        query: of a test of data: what selects the rows that must not be.
    """

    unique_id: str
    status: str
    message: str
    seconds: float
    concerns: tuple[str, ...] = ()
    query: str = ""


@dataclass
class BuildResult:
    """What ran; `published` and `held_back` (with the reasons) name mechanisms."""

    nodes: list[NodeResult] = field(default_factory=list)
    published: list[str] = field(default_factory=list)
    held_back: dict[str, list[str]] = field(default_factory=dict)

    @property
    def failed(self) -> list[NodeResult]:
        return [node for node in self.nodes if node.status in _FAILED]

    @property
    def faulty(self) -> list[str]:
        """Models and seeds that failed or did not pass a test: nothing that reads them is right."""
        return sorted({name for node in self.failed for name in node.concerns})

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
    without: Sequence[str] = (),
    tests: Tests = "data",
    target_path: Path | None = None,
    threads: int = 2,
    patience: float = PATIENCE,
    project: Path = PROJECT,
) -> BuildResult:
    """Build and test one layer, or everything, and return every node's result.

    Args:
        database_url: libpq URL of the warehouse.
        layer: one of `LAYERS`; None: all, in the order of their dependencies.
        full_refresh: rebuild incremental models and seeds from nothing, also those whose SQL has not changed.
        select: dbt selection that narrows it further (`mart_objectivity__marker+`).
        without: models that are faulty since an earlier layer; they and what reads them are left out.
        tests: which of dbt's tests run: `data` checks the rows of this build, `all` also every formula against its
            worked example, which only a change of the code can break.
        target_path: dbt's own files (compiled SQL, manifest, logs), one directory for each build that may run at the
            same time; default `<RSOKO_HOME>/dbt/<layer>`.
        patience: seconds for which readers of the published marts are waited for.
        project: the dbt project.

    Raises:
        BuildError: something failed. What depends on it has not been built, and the marts of the mechanisms concerned
            are those of before; all others are published.
        PermanentError: the layer is unknown or the project cannot be parsed.
        TransientError: the warehouse does not answer, or readers hold the published marts.
    """
    if layer is not None and layer not in LAYERS:
        raise PermanentError(f"no layer {layer!r}; known: {', '.join(LAYERS)}")
    settings = Settings.from_env()
    target_path = private_folder(target_path or settings.home / "dbt" / (layer or "all"))
    # A test that reads two layers waits for the later one.
    arguments = ["--indirect-selection", "buildable"]
    if selection := ",".join(part for part in (layer and f"tag:{layer}", select) if part):
        arguments += ["--select", selection]
    if without:
        arguments += ["--exclude", *(f"{name}+" for name in without)]
    if full_refresh:
        arguments.append("--full-refresh")
    for kind in _LEFT_OUT[tests]:
        arguments += ["--exclude-resource-type", kind]
    with _alone(database_url) as connection, _connection_environment(database_url, threads, settings.build_timeout):
        ledger.prepare(connection)
        # Before dbt looks at the rows: what is published from now on may be missing in some of them.
        published = owed.published(connection)
        dbt = _Dbt(project, target_path)
        manifest = dbt.parse()
        models = Lineage(manifest)
        built = lineage.read(connection)
        models.refresh(models.outdated(built))
        aside.begin(connection)
        result = BuildResult([_with_rows(connection, node) for node in dbt.build(manifest, arguments)])
        _record(connection, models, built, result, published)
        left_out = without if layer in (None, LAYERS[-1]) else ()
        busy = _publish(connection, models, built, result, left_out, patience, fingerprint(project))
    if result.held_back or result.failed:
        raise BuildError(_explain(result), result)
    if busy:
        raise TransientError("; ".join(busy))
    return result


def _record(
    connection: psycopg.Connection, models: Lineage, built: dict[str, Version], result: BuildResult, published: int
) -> None:
    """Tell the ledger, and `built`, what the models and seeds of this run were built from."""
    fresh = {}
    for node in result.nodes:  # in the order in which they ended: parents first
        if node.status == "success" and node.concerns and _is_built(node):
            [name] = node.concerns
            fresh[name] = built[name] = models.version(name, built, published)
    lineage.write(connection, fresh)


def _publish(
    connection: psycopg.Connection, models: Lineage, built: dict[str, Version], result: BuildResult,
    without: Sequence[str], patience: float, code: str,
) -> list[str]:  # fmt: skip
    """Publish the marts of every mechanism that has no fault; what readers kept from being published."""
    busy = []
    for mechanism in sorted(set(models.mechanism.values())):
        marts = {mart for mart, its in models.mechanism.items() if its == mechanism}
        nodes = [node for node in result.nodes if marts & set(node.concerns)]
        fresh = [name for node in nodes if node.status == "success" and _is_built(node) for name in node.concerns]
        if reasons := _faults(models, marts, nodes, result, without):
            result.held_back[mechanism] = reasons
            owed.hold_back(connection, mechanism, reasons)
        elif fresh:
            versions = {mart: built.get(mart, Version()) for mart in marts}
            is_whole = all(version.code == models.wanted[mart].code for mart, version in versions.items())
            number = min(version.publication_id for version in versions.values())
            settle = partial(owed.settle, connection, mechanism, number, code if is_whole else "")
            try:
                aside.publish(connection, fresh, settle, patience=patience)
                result.published.append(mechanism)
            except aside.Busy as reason:
                busy.append(f"marts of {mechanism} are built but not published: {reason}")
                owed.hold_back(connection, mechanism, [str(reason)])
    return busy


def _faults(
    models: Lineage, marts: set[str], nodes: Sequence[NodeResult], result: BuildResult, without: Sequence[str]
) -> list[str]:  # fmt: skip
    """Why the marts of a mechanism must not be published."""
    left_out = sorted({fault for mart in marts for fault in models.reads(mart, without)})
    reasons = [f"{name} failed in an earlier layer" for name in left_out]
    failed = [node for node in nodes if node.status in _FAILED]
    if skipped := {name for node in nodes if node.status == "skipped" for name in marts & set(node.concerns)}:
        faulty = {fault for mart in skipped for fault in models.reads(mart, result.faulty)}
        failed += [node for node in result.failed if faulty & set(node.concerns) and node not in failed]
    return reasons + [_told(node) for node in failed]


class _Dbt:
    """dbt in this process, on one project."""

    def __init__(self, project: Path, target_path: Path) -> None:
        self._options = ["--quiet", "--no-use-colors", "--log-path", str(target_path)]
        self._paths = ["--project-dir", str(project), "--profiles-dir", str(project), "--target-path", str(target_path)]

    def parse(self) -> Any:
        """The manifest of the project."""
        return self._invoke("parse", [], None)

    def build(self, manifest: Any, arguments: Sequence[str]) -> list[NodeResult]:
        """`dbt build` of a manifest: every node that ran, in the order in which they ended."""
        results = self._invoke("build", arguments, manifest).results
        log.info("dbt build %s: %d nodes", " ".join(arguments), len(results))
        return [
            NodeResult(
                result.node.unique_id, str(result.status), result.message or "", result.execution_time,
                _concerns(result.node), result.node.compiled_code or "" if result.node.resource_type == "test" else "",
            )
            for result in results
        ]  # fmt: skip

    def _invoke(self, command: str, arguments: Sequence[str], manifest: Any) -> Any:
        # Importing dbt takes seconds and must not happen when a DAG file is parsed.
        from dbt.cli.main import dbtRunner

        outcome = dbtRunner(manifest=manifest).invoke([*self._options, command, *self._paths, *arguments])
        if outcome.exception:
            raise PermanentError(f"dbt {command} could not start: {outcome.exception}") from outcome.exception
        return outcome.result


def _with_rows(connection: psycopg.Connection, node: NodeResult) -> NodeResult:
    """A failed test says which rows it found, the first of them: their number alone helps nobody to mend them."""
    if node.status != "fail" or not node.query:
        return node
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(f"select * from ({node.query}) as found limit {_ROWS_TOLD}".encode()).fetchall()
    told = "; ".join(", ".join(f"{column} {value}" for column, value in row.items()) for row in rows)
    return replace(node, message=f"{node.message}: {told}")


def _concerns(node: Any) -> tuple[str, ...]:
    if node.resource_type in ("model", "seed"):
        return (node.name,)
    kinds = ("model.", "seed.")
    return tuple(parent.rsplit(".", 1)[1] for parent in node.depends_on.nodes if parent.startswith(kinds))


def _is_built(node: NodeResult) -> bool:
    return node.unique_id.startswith(("model.", "seed."))


def _told(node: NodeResult) -> str:
    return f"{node.unique_id}: {' '.join(node.message.split())}"


def _explain(result: BuildResult) -> str:
    lines = [f"{len(result.failed)} models, seeds or tests failed", *map(_told, result.failed)]
    if result.held_back:
        lines.append(f"the marts of {', '.join(result.held_back)} are held back and stay as they were")
        lines += [f"{mechanism}: {'; '.join(reasons)}" for mechanism, reasons in result.held_back.items()]
    if result.published:
        lines.append(f"published: {', '.join(result.published)}")
    return "\n".join(lines)


@contextmanager
def _alone(database_url: str) -> Iterator[psycopg.Connection]:
    """Hold the warehouse's build lock: two builds at once would rename each other's tables. Waits for the other one."""
    with database.connect(database_url) as connection:
        connection.execute("select pg_advisory_lock(hashtextextended('rsoko build', 0))")
        yield connection


@contextmanager
def _connection_environment(database_url: str, threads: int, statement_timeout: str) -> Iterator[None]:
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
        # A build aggregates a million rows at a time: in memory, not in temporary files. A statement whose build was
        # killed ends by itself.
        "PGOPTIONS": f"-c work_mem=128MB -c statement_timeout={statement_timeout} "
        f"-c client_connection_check_interval={database.CHECK_INTERVAL}",
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
