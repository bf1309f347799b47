"""What the planner of PostgreSQL cannot know of rows that just came, and how it is told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

LARGE_LOAD = 100_000
"""Rows from which on a load is worth the server's parallel workers and an autovacuum of its own."""


@contextmanager
def near(connection: psycopg.Connection, rows: int) -> Iterator[None]:
    """Make the planner find a load of that many `rows` by its block index, inside a transaction.

    Of rows that just came it has no statistics and would read the whole table, with helpers whose start alone takes
    longer than to read a small load.
    """
    wanted = {"enable_seqscan": "off"}
    if rows < LARGE_LOAD:
        wanted["max_parallel_workers_per_gather"] = "0"
    found = connection.execute(
        "select name, current_setting(name) from unnest(%s::text[]) as given (name)", [list(wanted)]
    ).fetchall()
    _set(connection, wanted)
    yield
    _set(connection, dict(found))


def _set(connection: psycopg.Connection, values: dict[str, str]) -> None:
    connection.execute(
        "select set_config(name, value, true) from unnest(%s::text[], %s::text[]) as given (name, value)",
        [list(values), list(values.values())],
    )


def rows_of(load_id: int) -> str:
    """SQL condition for the rows of a load in its raw table, for scans that may be shared by parallel workers.

    Asked for a number it does not know yet, the planner expects one row and sends one worker; of a number that it
    learns only when it runs it expects the usual.
    """
    return f"load_id = (select {load_id:d}::bigint)"
