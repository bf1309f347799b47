"""The variables, ports, secrets and the metadata database of an installation's Airflow."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import psutil
import psycopg

from rsoko.base.errors import PermanentError
from rsoko.base.settings import Settings, private_folder, secret
from rsoko.ops import postgres

ROOT = Path(__file__).parent.parent.parent.parent

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

Echo = Callable[[str], None]


def environment(settings: Settings) -> dict[str, str]:
    """Variables of every Airflow process of this home, on top of the caller's own environment."""
    address = f"http://127.0.0.1:{port(settings)}"
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
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(password_file(settings)),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": _sqlalchemy_url(metadata),
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port(settings)),
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
    log = log_file(settings, "migrate")
    with log.open("a") as file:
        done = subprocess.run([*airflow(), "db", "migrate"], env=environ, stdout=file, stderr=file, umask=UMASK)
    if done.returncode:
        raise PermanentError(f"`airflow db migrate` failed, see {log}:\n{tail(log)}")
    stamp.write_text(_migrated(metadata))


def running(settings: Settings) -> dict[str, psutil.Process]:
    """Services of this home that are alive."""
    found = {}
    for name in SERVICES:
        try:
            pid, created = pid_file(settings, name).read_text().split()
            process = psutil.Process(int(pid))
            if process.create_time() == float(created) and process.status() != psutil.STATUS_ZOMBIE:
                found[name] = process
        except (FileNotFoundError, psutil.NoSuchProcess):
            continue
    return found


def airflow() -> list[str]:
    return [sys.executable, "-m", "airflow"]


def _secret(settings: Settings, name: str) -> str:
    return secret(settings.home / "secrets" / f"{name}.key")


def password_file(settings: Settings) -> Path:
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


def port(settings: Settings) -> int:
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


def log_file(settings: Settings, name: str) -> Path:
    path = settings.home / "logs" / f"{name}.log"
    private_folder(path.parent)
    return path


def tail(path: Path) -> str:
    return "\n".join(path.read_text(errors="replace").splitlines()[-20:])


def pid_file(settings: Settings, name: str) -> Path:
    return settings.home / "run" / f"{name}.pid"
