"""What the DAG files share: names of assets, the retry rule, defaults. Cheap to import: contracts are all it reads."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import Asset, ExceptionRetryPolicy, RetryAction, RetryRule

from rsoko.base.errors import TransientError

RUNBOOKS = "docs/runbooks"

# Time heals a lost connection, nothing else: a bug or a bad setting fails at its first try.
# Tries are also spent when the worker process itself dies.
DEFAULTS: dict[str, Any] = {
    "retries": 3,
    "retry_delay": timedelta(minutes=1),
    "retry_policy": ExceptionRetryPolicy(
        rules=[RetryRule(exception=TransientError, action=RetryAction.RETRY)], default=RetryAction.FAIL
    ),
}


def raw_asset(source: str) -> Asset:
    """The rows of a source that passed the gate and are published."""
    return Asset(name=f"raw_{source}", uri=f"rsoko://raw/{source}", group="raw")


OWED = Asset(name="owed", uri="rsoko://owed", group="mart")
"""Marts that are behind what is published: a run that should have built them died, or they were held back."""

MARTS = Asset(name="marts", uri="rsoko://mart", group="mart")
