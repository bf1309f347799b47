"""Connections to the warehouse."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from rsoko.base.errors import TransientError

CHECK_INTERVAL = "2s"
"""How often the server looks, while it computes, whether the client that asked is still there."""


@contextmanager
def connect(database_url: str) -> Iterator[psycopg.Connection]:
    """A connection that commits by itself; a lost connection and a deadlock are TransientError."""
    try:
        with psycopg.connect(database_url, autocommit=True, application_name="rsoko") as connection:
            connection.execute("select set_config('client_connection_check_interval', %s, false)", [CHECK_INTERVAL])
            yield connection
    except (psycopg.OperationalError, psycopg.errors.DeadlockDetected) as error:
        raise TransientError(f"database: {error}") from error
