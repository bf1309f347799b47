"""Runs of DAGs to completion: by the services where they are up, otherwise in a process of our own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from rsoko.base.errors import PermanentError
from rsoko.base.settings import Settings
from rsoko.ops.airflow.environment import UMASK, Echo, environment, log_file, migrate, running, tail
from rsoko.ops.airflow.services import addresses, request


def run_dags(
    settings: Settings,
    dag_ids: Iterable[str],
    *,
    conf: Mapping[str, Mapping[str, Any]] | None = None,
    echo: Echo = print,
) -> dict[str, str]:
    """Run DAGs one after another to completion and return the state of each run: `success` or `failed`.

    Where the services are up, their scheduler runs them; otherwise one process of our own does, without services.

    Args:
        dag_ids: in the order in which they run.
        conf: params of a run by DAG id.
        echo: gets one line per finished task.
    """
    orders = [(dag_id, dict((conf or {}).get(dag_id, {}))) for dag_id in dag_ids]
    if running(settings):
        return _run_by_api(settings, orders, echo)
    migrate(settings, echo)
    log = log_file(settings, "run")
    with log.open("a") as file:
        child = subprocess.Popen(
            [sys.executable, "-m", "rsoko.ops.airflow.runs", json.dumps(orders)],
            env=environment(settings),
            stdout=subprocess.PIPE,
            stderr=file,
            text=True,
            umask=UMASK,
        )
    states: dict[str, str] = {}
    assert child.stdout is not None
    for line in child.stdout:
        event = json.loads(line)
        if "state" in event:
            states[event["dag_id"]] = event["state"]
        echo(event["text"])
    if child.wait() or len(states) < len(orders):
        raise PermanentError(f"Airflow stopped before the runs were over, see {log}:\n{tail(log)}")
    return states


def _run_by_api(settings: Settings, orders: list[tuple[str, dict[str, Any]]], echo: Echo) -> dict[str, str]:
    login = addresses(settings)
    token = request(settings, "/auth/token", {"username": login.user, "password": login.password})["access_token"]
    states = {}
    for dag_id, conf in orders:
        path = f"/api/v2/dags/{dag_id}/dagRuns"
        try:
            run = request(settings, path, {"logical_date": None, "conf": conf}, token)
        except urllib.error.HTTPError as error:
            raise PermanentError(f"Airflow refused to run {dag_id}: {error.read().decode(errors='replace')}") from error
        while run["state"] not in ("success", "failed"):
            time.sleep(1)
            run = request(settings, f"{path}/{run['dag_run_id']}", token=token)
        states[dag_id] = run["state"]
        echo(f"{dag_id}: {run['state']}")
    return states


def _run_in_process(orders: list[tuple[str, dict[str, Any]]]) -> None:
    """The child of `run_dags`: one JSON line per event on stdout, everything that Airflow says on stderr."""
    events = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)

    from airflow.dag_processing.dagbag import BundleDagBag
    from airflow.listeners import hookimpl
    from airflow.sdk.listener import get_listener_manager

    def tell(text: str, **more: str) -> None:
        events.write(json.dumps({"text": text, **more}) + "\n")

    class Progress:
        @hookimpl
        def on_task_instance_success(self, task_instance: Any) -> None:
            self.done(task_instance, "success")

        @hookimpl
        def on_task_instance_failed(self, task_instance: Any, error: BaseException | str | None) -> None:
            self.done(task_instance, f"failed: {error}")

        def done(self, instance: Any, state: str) -> None:
            of = (
                f" [{instance.rendered_map_index or instance.map_index}]"
                if instance.map_index not in (None, -1)
                else ""
            )
            tell(f"  {instance.dag_id}.{instance.task_id}{of}: {state}")

    get_listener_manager().add_listener(Progress())
    folder = Path(os.environ["AIRFLOW__CORE__DAGS_FOLDER"])
    bag = BundleDagBag(dag_folder=folder, bundle_path=folder)
    for dag_id, conf in orders:
        if dag_id not in bag.dags:
            raise PermanentError(f"no DAG {dag_id}; import errors: {bag.import_errors}")
        dag = bag.dags[dag_id]
        # A run that is tested in place ends with an SQL error when it has a deadline to forget (Airflow 3.3.2).
        dag.deadline = None
        started = time.monotonic()
        state = dag.test(run_conf=conf).state
        tell(f"{dag_id}: {state}, {time.monotonic() - started:.0f} s", dag_id=dag_id, state=str(state))


if __name__ == "__main__":
    _run_in_process(json.loads(sys.argv[1]))
