"""Great Expectations on a psycopg connection that is in the middle of a transaction.

Importing this module imports Great Expectations (about seven seconds of CPU): import it where a load is checked, and
not before.
"""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock
from typing import Any, cast

os.environ["GX_ANALYTICS_ENABLED"] = "false"  # read once, at import

import great_expectations as gx
import psycopg
from great_expectations.datasource.fluent import PostgresDatasource
from great_expectations.datasource.fluent.sql_datasource import QueryAsset
from great_expectations.expectations.expectation_configuration import ExpectationConfiguration
from sqlalchemy.pool import StaticPool

from expectations.classes import LoadExpectation
from expectations.suite import Check, load_suite
from rsoko.base.errors import PermanentError, TransientError
from rsoko.base.planner import rows_of
from rsoko.contracts.model import Contract

logging.getLogger("great_expectations").setLevel(logging.WARNING)  # it tells of its temporary directories
_BATCH = "load"
_lock = Lock()


@dataclass(frozen=True)
class Decision:
    """What Great Expectations decided of one check."""

    success: bool
    violations: int
    rows: int
    _configuration: ExpectationConfiguration

    @property
    def expectation(self) -> LoadExpectation:
        """The expectation with the values of this load: it names the rows."""
        return cast(LoadExpectation, self._configuration.to_domain_obj())


class _Borrowed:
    """The caller's connection as SQLAlchemy sees it: everything but the right to end its transaction or to close it."""

    connection: psycopg.Connection

    def commit(self) -> None: ...

    def rollback(self) -> None: ...

    def close(self) -> None: ...

    def __getattr__(self, name: str) -> Any:
        return getattr(self.connection, name)


_borrowed = _Borrowed()


@lru_cache
def _asset(source: str) -> QueryAsset:
    """One a source for the process; its query is that of the load at hand."""
    asset = _datasource().add_query_asset(source, query="select 1")
    asset.add_batch_definition_whole_table(_BATCH)
    return asset


@lru_cache
def _datasource() -> PostgresDatasource:
    """One for the process. Every query goes to the connection that is borrowed at that moment."""
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}  # type: ignore[assignment]
    # The address is a formality: the creator gives the connection.
    datasource = PostgresDatasource(
        name="warehouse",
        connection_string="postgresql+psycopg://gate@localhost/warehouse",
        kwargs={"creator": lambda: _borrowed, "poolclass": StaticPool, "use_native_hstore": False},
    )
    return context.data_sources.add_or_update_postgres(datasource=datasource)


@lru_cache
def _suite(source: str, codes: tuple[str, ...]) -> gx.ExpectationSuite:
    return gx.ExpectationSuite(
        name=source,
        expectations=[
            {
                "type": check.expectation,
                "kwargs": {**check.kwargs, "table": f"raw.{source}", "tolerance": check.tolerance},
                "severity": "critical" if check.severity == "error" else "warning",
                "meta": {"code": check.code, "owner": check.owner, "protects": check.protects},
                "description": check.title,
            }
            for check in load_suite(source).checks
            if check.code in codes
        ],
    )


def validate(
    connection: psycopg.Connection, contract: Contract, checks: list[Check], parameters: dict[str, Any]
) -> dict[str, Decision]:
    """Decide the checks on the rows of `parameters["load_id"]`, uncommitted ones too, in one statement.

    Returns decisions by check code. Raises TransientError when the connection is lost, PermanentError when a check
    itself can not be computed.
    """
    suite = _suite(contract.source, tuple(check.code for check in checks))
    with _lock:
        _borrowed.connection = connection
        asset = _asset(contract.source)
        asset.query = f"select * from {contract.table} where {rows_of(parameters['load_id'])}"
        batch = asset.get_batch_definition(_BATCH).get_batch()
        outcome = batch.validate(suite, result_format="BASIC", expectation_parameters=parameters)
    decisions = {}
    for result in outcome.results:
        configuration = result.expectation_config
        assert configuration is not None
        code = configuration.meta["code"]
        if result.exception_info.get("raised_exception") or "observed_value" not in result.result:
            if connection.broken:
                raise TransientError("the connection was lost while a load was checked")
            raise PermanentError(f"{code} can not be computed: {result.exception_info}")
        decisions[code] = Decision(
            success=bool(result.success),
            violations=int(result.result["observed_value"]),
            rows=int(result.result["element_count"]),
            _configuration=configuration,
        )
    return decisions
