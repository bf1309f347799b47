"""Airflow without a setup of one's own: environment, metadata database, background services, runs to completion.

Everything lies under `<home>`: `airflow/` (its own files), `logs/`, `run/` (process ids), `secrets/`. Nothing listens
beyond 127.0.0.1. The metadata database is never the warehouse.
"""

from __future__ import annotations

import base64
import hashlib
import json
import logging
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil
import psycopg

from rsoko.base.errors import PermanentError
from rsoko.base.settings import Settings, private_folder, secret
from rsoko.ops import postgres

ROOT = Path(__file__).parent.parent.parent
LOGIN = "admin"
SERVICES = {
    "api-server": ["api-server"],
    # Logs lie on one disk, so nobody needs the two log servers, which would listen on every address.
    "scheduler": ["scheduler", "--skip-serve-logs"],
    "dag-processor": ["dag-processor"],
    "triggerer": ["triggerer", "--skip-serve-logs"],
}
PREFERRED_PORT = 8080
UMASK = 0o077
"""Logs and whatever else Airflow's processes write are their owner's alone."""

START_TIMEOUT, STOP_TIMEOUT = 300, 20

Echo = Callable[[str], None]


@dataclass(frozen=True)
class Addresses:
    """Where the running services answer and who may log in."""

    url: str
    report_url: str
    user: str
    password: str


def environment(settings: Settings) -> dict[str, str]:
    """Variables of every Airflow process of this home, on top of the caller's own environment."""
    address = f"http://127.0.0.1:{_port(settings)}"
    metadata = postgres.ensure_airflow(settings)
    fernet_key = base64.urlsafe_b64encode(hashlib.sha256(_secret(settings, "airflow_fernet").encode()).digest())
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW_", "RSOKO_"))}
    return {
        **inherited,
        **settings.environ(),
        "AIRFLOW_HOME": str(settings.home / "airflow"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "dags" / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__FERNET_KEY": fernet_key.decode(),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{address}/execution/",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{LOGIN}:admin",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(_password_file(settings)),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": _sqlalchemy_url(metadata),
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(_port(settings)),
        "AIRFLOW__API__BASE_URL": address,
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__API__SECRET_KEY": _secret(settings, "airflow_api"),
        "AIRFLOW__API_AUTH__JWT_SECRET": _secret(settings, "airflow_jwt"),
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(settings.home / "logs" / "airflow"),
        "AIRFLOW__LOGGING__FILE_TASK_HANDLER_NEW_FOLDER_PERMISSIONS": "0o700",
        "AIRFLOW__LOGGING__FILE_TASK_HANDLER_NEW_FILE_PERMISSIONS": "0o600",
        "AIRFLOW__LOGGING__NAMESPACE_LEVELS": "great_expectations=WARNING",
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "60",
    }


def migrate(settings: Settings, echo: Echo = print) -> None:
    """Bring the metadata database to the installed Airflow's revision; quick when it is there already."""
    stamp = settings.home / "airflow" / "migrated"
    metadata = postgres.ensure_airflow(settings)
    known = stamp.read_text() if stamp.exists() else ""
    if known and known == _migrated(metadata):
        return
    echo("Airflow: preparing the metadata database")
    environ = environment(settings)
    private_folder(Path(environ["AIRFLOW_HOME"]))
    log = _log(settings, "migrate")
    with log.open("a") as file:
        done = subprocess.run([*_airflow(), "db", "migrate"], env=environ, stdout=file, stderr=file, umask=UMASK)
    if done.returncode:
        raise PermanentError(f"`airflow db migrate` failed, see {log}:\n{_tail(log)}")
    stamp.write_text(_migrated(metadata))


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
    log = _log(settings, "run")
    with log.open("a") as file:
        child = subprocess.Popen(
            [sys.executable, "-m", "rsoko.ops.airflow_service", json.dumps(orders)],
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
        raise PermanentError(f"Airflow stopped before the runs were over, see {log}:\n{_tail(log)}")
    return states


def up(settings: Settings, echo: Echo = print) -> Addresses:
    """Start the services in the background, wait until all of them are healthy and return their addresses."""
    if _healthy(settings):
        return addresses(settings)
    down(settings)
    postgres.ensure(settings)
    migrate(settings, echo)
    environ = environment(settings)
    processes = {}
    for name, arguments in SERVICES.items():
        with _log(settings, name).open("a") as file:
            processes[name] = subprocess.Popen(
                [*_airflow(), *arguments],
                env=environ,
                cwd=settings.home,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                start_new_session=True,
                umask=UMASK,
            )
        _remember(settings, name, processes[name].pid)
    echo("Airflow: starting " + ", ".join(SERVICES))
    waiting = ""
    deadline = time.monotonic() + START_TIMEOUT
    while time.monotonic() < deadline:
        for name, process in processes.items():
            if process.poll() is not None:
                down(settings)
                raise PermanentError(
                    f"Airflow {name} stopped, see {_log(settings, name)}:\n{_tail(_log(settings, name))}"
                )
        missing = _unhealthy(settings)
        if not missing:
            return addresses(settings)
        if (text := ", ".join(missing)) != waiting:
            echo(f"Airflow: waiting for {text}")
            waiting = text
        time.sleep(1)
    down(settings)
    raise PermanentError(
        f"Airflow did not become healthy within {START_TIMEOUT} s: {waiting}; logs: {settings.home}/logs"
    )


def down(settings: Settings) -> bool:
    """Stop the services with everything they started. False when none was running."""
    roots = list(running(settings).values())
    # Running tasks live in sessions of their own: only their parents know them, so ask before stopping the parents.
    family = {process for root in roots for process in [root, *root.children(recursive=True)]}
    for root in roots:
        root.terminate()
    _, stubborn = psutil.wait_procs(family, timeout=STOP_TIMEOUT)
    for process in stubborn:
        process.kill()
    psutil.wait_procs(stubborn, timeout=STOP_TIMEOUT)
    for name in SERVICES:
        _pid_file(settings, name).unlink(missing_ok=True)
    return bool(roots)


def running(settings: Settings) -> dict[str, psutil.Process]:
    """Services of this home that are alive."""
    found = {}
    for name in SERVICES:
        try:
            pid, created = _pid_file(settings, name).read_text().split()
            process = psutil.Process(int(pid))
            if process.create_time() == float(created) and process.status() != psutil.STATUS_ZOMBIE:
                found[name] = process
        except (FileNotFoundError, psutil.NoSuchProcess):
            continue
    return found


def is_up(settings: Settings) -> bool:
    """Whether all services run and report themselves healthy."""
    return bool(running(settings)) and _healthy(settings)


def addresses(settings: Settings) -> Addresses:
    """Addresses and the generated login of this home's services."""
    base = f"http://127.0.0.1:{_port(settings)}"
    password = json.loads(_password_file(settings).read_text())[LOGIN]
    return Addresses(url=base, report_url=f"{base}/gate/", user=LOGIN, password=password)


async def deadline_missed(context: Any, **_: Any) -> None:
    """What the triggerer does when a run takes longer than the contract's `sla_hours`: an error in its log."""
    run = (context or {}).get("dag_run") or {}
    logging.getLogger(__name__).error("deadline missed: %s %s", run.get("dag_id"), run.get("dag_run_id"))


def _airflow() -> list[str]:
    return [sys.executable, "-m", "airflow"]


def _secret(settings: Settings, name: str) -> str:
    return secret(settings.home / "secrets" / f"{name}.key")


def _password_file(settings: Settings) -> Path:
    path = settings.home / "secrets" / "airflow_login.json"
    if not path.exists():
        password = _secret(settings, "airflow_login")[:16]
        with os.fdopen(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as file:
            json.dump({LOGIN: password}, file)
    return path


def _sqlalchemy_url(libpq_url: str) -> str:
    """SQLAlchemy 2.1 takes psycopg 3 where no driver is named; Airflow wants psycopg2."""
    return "postgresql+psycopg2://" + libpq_url.split("://", 1)[1]


def _migrated(metadata_url: str) -> str:
    """Airflow's version and the revision that the metadata database has."""
    with psycopg.connect(metadata_url) as connection:
        if connection.execute("select to_regclass('alembic_version') is null").fetchone() == (True,):
            return ""
        revisions = connection.execute("select version_num from alembic_version order by 1").fetchall()
    return f"{version('apache-airflow-core')} {revisions}"


def _port(settings: Settings) -> int:
    """The API server's port: the usual one where it is free at first start, another otherwise; kept from then on."""
    path = settings.home / "airflow" / "port"
    if path.exists():
        port = int(path.read_text())
        if running(settings) or _free(port):
            return port
    private_folder(path.parent)
    port = PREFERRED_PORT if _free(PREFERRED_PORT) else _any_port()
    path.write_text(str(port))
    return port


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _any_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _log(settings: Settings, name: str) -> Path:
    path = settings.home / "logs" / f"{name}.log"
    private_folder(path.parent)
    return path


def _tail(path: Path) -> str:
    return "\n".join(path.read_text(errors="replace").splitlines()[-20:])


def _pid_file(settings: Settings, name: str) -> Path:
    return settings.home / "run" / f"{name}.pid"


def _remember(settings: Settings, name: str, pid: int) -> None:
    path = _pid_file(settings, name)
    private_folder(path.parent)
    # With the start time: a number alone may belong to somebody else after a reboot.
    path.write_text(f"{pid} {psutil.Process(pid).create_time()}")


def _healthy(settings: Settings) -> bool:
    return len(running(settings)) == len(SERVICES) and not _unhealthy(settings)


def _unhealthy(settings: Settings) -> list[str]:
    """Parts that do not report themselves healthy yet."""
    try:
        health = _request(settings, "/api/v2/monitor/health")
    except OSError:
        return ["api-server"]
    return [part for part, state in health.items() if state.get("status") != "healthy"]


def _request(settings: Settings, path: str, body: Any = None, token: str | None = None) -> Any:
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{_port(settings)}{path}", data=data, headers=headers)
    # Not through a proxy that the environment may name: the address is this machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=30) as response:
        return json.load(response)


def _run_by_api(settings: Settings, orders: list[tuple[str, dict[str, Any]]], echo: Echo) -> dict[str, str]:
    login = addresses(settings)
    token = _request(settings, "/auth/token", {"username": login.user, "password": login.password})["access_token"]
    states = {}
    for dag_id, conf in orders:
        path = f"/api/v2/dags/{dag_id}/dagRuns"
        try:
            run = _request(settings, path, {"logical_date": None, "conf": conf}, token)
        except urllib.error.HTTPError as error:
            raise PermanentError(f"Airflow refused to run {dag_id}: {error.read().decode(errors='replace')}") from error
        while run["state"] not in ("success", "failed"):
            time.sleep(1)
            run = _request(settings, f"{path}/{run['dag_run_id']}", token=token)
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
