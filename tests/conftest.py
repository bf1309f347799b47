"""Shared fixtures: one embedded PostgreSQL for the whole run, a fresh database for every test that asks for one."""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from hypothesis import settings as hypothesis_settings

from rsoko.base.settings import READER, Settings
from rsoko.ops import postgres

ROOT = Path(__file__).parent.parent
SHARED = ROOT.parent / "shared"

# The same examples in every run; two busy cores make hypothesis' own deadline meaningless.
hypothesis_settings.register_profile("rsoko", deadline=None, derandomize=True, print_blob=True)
hypothesis_settings.load_profile("rsoko")

# Nothing of the developer's own installation may leak into the tests.
for variable in [name for name in os.environ if name.startswith(("RSOKO_", "AIRFLOW_", "DBT_"))]:
    del os.environ[variable]


@pytest.fixture(scope="session")
def server() -> Iterator[Settings]:
    """Settings of the installation whose embedded server the tests share."""
    home = Path(tempfile.mkdtemp(prefix="rsoko-"))
    home.chmod(0o755)  # pytest's own directories are closed to the account that the server may need under root
    settings = Settings(home=home)
    postgres.ensure(settings)
    with psycopg.connect(postgres.admin_url(settings), autocommit=True) as connection:
        connection.execute("alter system set fsync = off")
        connection.execute("select pg_reload_conf()")
    yield settings
    postgres.stop(settings)
    shutil.rmtree(home)


@pytest.fixture
def database_url(server: Settings) -> Iterator[str]:
    """URL of a fresh empty database, dropped afterwards."""
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(postgres.admin_url(server), autocommit=True) as connection:
        connection.execute(f"create database {name} owner rsoko")
        yield server.embedded_url(name)
        connection.execute(f"drop database {name} with (force)")


@pytest.fixture
def settings(tmp_path: Path, server: Settings, database_url: str) -> Settings:
    """A whole installation of its own: fresh home, landing zone and warehouse, a fixed pseudonym key."""
    return Settings(
        home=tmp_path / "home",
        user="tester",
        external_database_url=database_url,
        external_reader_database_url=server.embedded_url(database_url.rsplit("/", 1)[1], READER),
        given_pseudonym_key="key of the tests",
    )


@pytest.fixture
def shared() -> Path:
    """The folder of real data beside the project; tests that need it are skipped where it is absent."""
    if not (SHARED / "data").is_dir():
        pytest.skip(f"the real data are not here: there is no folder {SHARED}/data beside the project")
    return SHARED


@pytest.fixture(scope="session")
def airflow_settings(server: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """An installation with its own warehouse and migrated Airflow metadata, shared by the tests that run DAGs."""
    names = [f"test_{part}_{uuid.uuid4().hex}" for part in ("warehouse", "airflow")]
    warehouse, metadata = (server.embedded_url(name) for name in names)
    with psycopg.connect(postgres.admin_url(server), autocommit=True) as connection:
        for name in names:
            connection.execute(f"create database {name} owner rsoko")
        settings = Settings(
            home=tmp_path_factory.mktemp("airflow"),
            user="tester",
            external_database_url=warehouse,
            external_airflow_database_url=metadata,
            given_pseudonym_key="key of the tests",
        )
        yield settings
        for name in names:
            connection.execute(f"drop database {name} with (force)")
