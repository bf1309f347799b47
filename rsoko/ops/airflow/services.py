"""Airflow's services in the background: up, down, healthy or not."""

from __future__ import annotations

import json
import subprocess
import time
import urllib.request
from dataclasses import dataclass
from typing import Any

import psutil

from rsoko.base.errors import PermanentError
from rsoko.base.settings import Settings, private_folder
from rsoko.ops import postgres
from rsoko.ops.airflow.environment import (
    LOGIN,
    SERVICES,
    UMASK,
    Echo,
    airflow,
    environment,
    log_file,
    migrate,
    password_file,
    pid_file,
    port,
    running,
    tail,
)

START_TIMEOUT, STOP_TIMEOUT = 300, 20


@dataclass(frozen=True)
class Addresses:
    """Where the running services answer and who may log in."""

    url: str
    report_url: str
    user: str
    password: str


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
        with log_file(settings, name).open("a") as file:
            processes[name] = subprocess.Popen(
                [*airflow(), *arguments],
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
                    f"Airflow {name} stopped, see {log_file(settings, name)}:\n{tail(log_file(settings, name))}"
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
        pid_file(settings, name).unlink(missing_ok=True)
    return bool(roots)


def is_up(settings: Settings) -> bool:
    """Whether all services run and report themselves healthy."""
    return bool(running(settings)) and _healthy(settings)


def addresses(settings: Settings) -> Addresses:
    """Addresses and the generated login of this home's services."""
    base = f"http://127.0.0.1:{port(settings)}"
    password = json.loads(password_file(settings).read_text())[LOGIN]
    return Addresses(url=base, report_url=f"{base}/gate/", user=LOGIN, password=password)


def _remember(settings: Settings, name: str, pid: int) -> None:
    path = pid_file(settings, name)
    private_folder(path.parent)
    # With the start time: a number alone may belong to somebody else after a reboot.
    path.write_text(f"{pid} {psutil.Process(pid).create_time()}")


def _healthy(settings: Settings) -> bool:
    return len(running(settings)) == len(SERVICES) and not _unhealthy(settings)


def _unhealthy(settings: Settings) -> list[str]:
    """Parts that do not report themselves healthy yet."""
    try:
        health = request(settings, "/api/v2/monitor/health")
    except OSError:
        return ["api-server"]
    return [part for part, state in health.items() if state.get("status") != "healthy"]


def request(settings: Settings, path: str, body: Any = None, token: str | None = None) -> Any:
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    data = None if body is None else json.dumps(body).encode()
    order = urllib.request.Request(f"http://127.0.0.1:{port(settings)}{path}", data=data, headers=headers)
    # Not through a proxy that the environment may name: the address is this machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(order, timeout=30) as response:
        return json.load(response)
