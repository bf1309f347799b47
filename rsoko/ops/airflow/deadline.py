"""What happens when a run takes longer than the contract allows."""

from __future__ import annotations

import logging
from typing import Any


async def deadline_missed(context: Any, **_: Any) -> None:
    """What the triggerer does when a run takes longer than the contract's `sla_hours`: an error in its log."""
    run = (context or {}).get("dag_run") or {}
    logging.getLogger(__name__).error("deadline missed: %s %s", run.get("dag_id"), run.get("dag_run_id"))
