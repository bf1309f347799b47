"""What every load needs and takes ten seconds to import is imported once, in the scheduler, before it forks workers."""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any, ClassVar

from airflow.listeners import hookimpl
from airflow.plugins_manager import AirflowPlugin

# Nothing that starts threads of its own, as polars does: a fork would leave them behind.
MODULES = ["expectations.validation", "dbt.cli.main"]


class Preload:
    @hookimpl
    def on_starting(self, component: Any) -> None:
        # The component does not know its own kind yet, but the command line does: `airflow scheduler`.
        if "scheduler" in sys.argv:
            os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
            for module in MODULES:
                importlib.import_module(module)


class PreloadPlugin(AirflowPlugin):
    """Registers the listener."""

    name = "preload"
    listeners: ClassVar[list[Any]] = [Preload()]
