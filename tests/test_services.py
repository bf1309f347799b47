"""Settings, errors, the embedded PostgreSQL and Airflow's background services, all of them for real."""

from __future__ import annotations

import os
import pickle
import signal
import socket
import stat
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from rsoko.base.errors import PermanentError, SupplierError, TransientError
from rsoko.base.settings import Settings
from rsoko.ops import postgres
from rsoko.ops.airflow import environment, runs, services


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def answer(url: str, token: str = "") -> int:
    """The status of an answer."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code


class TestSettings:
    def test_defaults_lie_below_the_working_directory(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        settings = Settings.from_env({})
        assert settings.home == tmp_path / "var"
        assert settings.landing_url == f"file://{tmp_path}/var/landing"
        assert settings.region_code == 99
        assert settings.user

    @pytest.mark.parametrize("region", ["0", "100", "-1", "Altai"])
    def test_region_must_be_a_code(self, region: str) -> None:
        with pytest.raises(PermanentError, match="RSOKO_REGION"):
            Settings.from_env({"RSOKO_REGION": region})

    def test_a_child_process_gets_the_same_settings(self, tmp_path: Path) -> None:
        settings = Settings(
            home=tmp_path,
            region_code=22,
            landing_url="s3://landing",
            user="coordinator",
            external_database_url="postgresql://w",
            external_airflow_database_url="postgresql://a",
            given_pseudonym_key="k",
        )
        assert Settings.from_env(settings.environ()) == settings

    def test_secrets_stay_out_of_logs(self, tmp_path: Path) -> None:
        settings = Settings(tmp_path, external_database_url="postgresql://u:hush@h/d", given_pseudonym_key="hush")
        assert "hush" not in repr(settings)

    def test_pseudonym_key_is_made_once_and_for_the_owner_only(self, tmp_path: Path) -> None:
        key = Settings(home=tmp_path).pseudonym_key
        assert len(key) == 64
        assert Settings(home=tmp_path).pseudonym_key == key
        assert mode(tmp_path / "secrets" / "pseudonym.key") == 0o600
        assert Settings(home=tmp_path, given_pseudonym_key="given").pseudonym_key == b"given"

    def test_database_url_without_a_server_says_what_to_do(self, tmp_path: Path) -> None:
        with pytest.raises(PermanentError, match="rsoko up"):
            _ = Settings(home=tmp_path).database_url


def test_supplier_error_says_where_and_survives_a_process_boundary() -> None:
    error = SupplierError("балл больше максимума", sheet="Лист1", row=7, column="1 (2б)", code="over_maximum")
    assert str(error) == "лист «Лист1», строка 7, столбец «1 (2б)»: балл больше максимума"
    copy = pickle.loads(pickle.dumps(error))
    assert (str(copy), copy.code, copy.row) == (str(error), "over_maximum", 7)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Settings]:
    """An installation whose embedded server a test may maltreat."""
    settings = Settings(home=tmp_path / "home")
    yield settings
    postgres.stop(settings)


def postmaster(settings: Settings) -> psutil.Process:
    return psutil.Process(int((settings.home / "postgres/data/postmaster.pid").read_text().split()[0]))


class TestEmbeddedServer:
    def test_survives_stop_kill_and_a_taken_port(self, home: Settings) -> None:
        url = postgres.ensure(home)
        first = postmaster(home)
        assert postgres.ensure(home) == url
        assert postmaster(home) == first
        with psycopg.connect(url) as connection:
            connection.execute("create table kept as select generate_series(1, 1000) as id")

        os.kill(first.pid, signal.SIGKILL)
        postgres.ensure(home)
        assert postmaster(home) != first

        assert postgres.stop(home)
        assert not postgres.status(home).running
        port = int(url.rsplit(":", 1)[1].split("/")[0])
        with socket.socket() as squatter:
            # A port whose connections were closed a moment ago waits; another program may take it all the same.
            squatter.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            squatter.bind(("127.0.0.1", port))
            squatter.listen()
            moved = postgres.ensure(home)
        assert moved != url
        assert home.database_url == moved
        with psycopg.connect(moved) as connection:
            assert connection.execute("select count(*) from kept").fetchone() == (1000,)

    def test_a_pid_file_of_another_program_is_no_server(self, home: Settings) -> None:
        postgres.ensure(home)
        postgres.stop(home)
        stale = home.home / "postgres/data/postmaster.pid"
        stale.write_text(f"{os.getpid()}\n{stale.parent}\n")
        assert not postgres.stop(home)
        assert postgres.ensure(home)

    def test_processes_that_start_it_at_once_get_one_server(self, home: Settings) -> None:
        code = "import rsoko.ops.postgres as p, rsoko.base.settings as s; print(p.ensure(s.Settings.from_env()))"
        environ = os.environ | home.environ()
        command = [sys.executable, "-c", code]
        children = [subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True) for _ in range(3)]
        urls = {child.communicate()[0].strip() for child in children}
        assert urls == {home.database_url}

    def test_interrupted_first_start_is_begun_anew(self, home: Settings) -> None:
        half = home.home / "postgres/data/base"
        half.mkdir(parents=True)
        assert postgres.ensure(home)

    def test_is_closed_to_others(self, server: Settings) -> None:
        listening = {c.laddr.ip for c in postmaster(server).net_connections() if c.status == psutil.CONN_LISTEN}
        assert listening == {"127.0.0.1"}
        assert mode(server.home / "postgres/password") == 0o600
        password = (server.home / "postgres/password").read_text()
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(server.database_url.replace(password, "guess"))

    def test_knows_russian_letters(self, database_url: str) -> None:
        with psycopg.connect(database_url) as connection:
            row = connection.execute("select lower('ЁЛКА'), 'Школа' ilike 'ШКОЛА', getdatabaseencoding()").fetchone()
        assert row == ("ёлка", True, "UTF8")

    def test_airflow_has_a_database_of_its_own(self, server: Settings) -> None:
        assert postgres.ensure_airflow(server) == server.embedded_url("airflow") != postgres.ensure(server)

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root needs another account")
    def test_root_without_user_namespaces_runs_it_as_nobody(
        self, server: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(postgres, "_unshare_works", lambda: False)
        settings = Settings(home=server.home / "as_nobody")  # pytest's own directories are closed to that account
        try:
            postgres.ensure(settings)
            assert postmaster(settings).username() == "nobody"
        finally:
            postgres.stop(settings)


class TestExternalServer:
    def test_is_used_as_it_is(self, settings: Settings) -> None:
        assert postgres.ensure(settings) == settings.external_database_url == settings.database_url
        assert not (settings.home / "postgres").exists()
        assert postgres.status(settings).running
        assert not postgres.stop(settings)

    def test_silence_is_transient(self, tmp_path: Path) -> None:
        with socket.socket() as nobody:
            nobody.bind(("127.0.0.1", 0))
            url = f"postgresql://127.0.0.1:{nobody.getsockname()[1]}/warehouse"
            silent = Settings(home=tmp_path, external_database_url=url)
            with pytest.raises(TransientError):
                postgres.ensure(silent)
            assert not postgres.status(silent).running

    def test_an_old_one_is_refused(self, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(postgres, "OLDEST_VERSION", 1000)
        with pytest.raises(PermanentError, match="too old"):
            postgres.ensure(settings)


@pytest.mark.slow
def test_airflow_services_come_up_closed_to_strangers_and_go_down_whole(airflow_settings: Settings) -> None:
    settings = airflow_settings
    said: list[str] = []
    addresses = services.up(settings, said.append)
    try:
        assert services.is_up(settings)
        alive = environment.running(settings).values()
        family = {process for service in alive for process in [service, *service.children(recursive=True)]}
        assert len(family) > len(environment.SERVICES)
        listening = {
            connection.laddr.ip
            for process in family
            for connection in process.net_connections()
            if connection.status == psutil.CONN_LISTEN
        }
        assert listening == {"127.0.0.1"}
        assert mode(settings.home / "secrets/airflow_login.json") == 0o600
        # What plugin `preload` is for: workers are forked from a scheduler that has imported the gate.
        scheduler = environment.running(settings)["scheduler"]
        assert any("pandas" in mapped.path for mapped in scheduler.memory_maps())
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(addresses.report_url)
        assert refused.value.code == 401
        for app in ("", "/gate", "/auth", "/execution"):
            for page in ("docs", "redoc", "openapi.json", "docs/oauth2-redirect", "openapi.json?version=2025-04-28"):
                assert answer(f"{addresses.url}{app}/{page}") == 401, (app, page)
        login = {"username": addresses.user, "password": addresses.password}
        token = services.request(settings, "/auth/token", login)["access_token"]
        assert answer(f"{addresses.url}/docs", token) == answer(f"{addresses.url}/openapi.json", token) == 200
        assert answer(f"{addresses.url}/gate/openapi.json", token) == 404
        assert services.up(settings) == addresses
        # With the services up their scheduler runs it: a second runner on the same database would run tasks twice.
        assert runs.run_dags(settings, ["maintenance"], echo=said.append) == {"maintenance": "success"}
        assert {mode(settings.home / folder) for folder in ("logs", "airflow", "run", "secrets")} == {0o700}
        written = list((settings.home / "logs" / "airflow").rglob("*.log"))
        assert written
        assert not [path for path in written if path.lstat().st_mode & 0o077]
    finally:
        assert services.down(settings)
    assert not [process for process in family if process.is_running()]
    assert not services.is_up(settings)
    assert not services.down(settings)
