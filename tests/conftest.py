"""Shared fixtures: one embedded PostgreSQL for the whole run, a fresh database for every test that asks for one."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import settings as hypothesis_settings
from warehouse import PREPARED, copy_database, drop_database, free_name, installation, target
from xdist.scheduler import LoadScopeScheduling

from dbt_project import runner
from ingest.load import ledger
from rsoko.base.settings import Settings
from rsoko.contracts.model import OPTIONS_SUFFIX
from rsoko.ops import pipeline, postgres
from sample_region import generate

ROOT = Path(__file__).parent.parent
SHARED = ROOT.parent / "shared"
SAMPLE_SEED, SAMPLE_SCALE = 20261, 0.1

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
    copy_database(settings, "template1", PREPARED)
    with psycopg.connect(settings.embedded_url(PREPARED), autocommit=True) as connection:
        ledger.prepare(connection)
    yield settings
    postgres.stop(settings)
    shutil.rmtree(home)


@pytest.fixture
def database_url(server: Settings) -> Iterator[str]:
    """URL of a fresh empty database, dropped afterwards."""
    with free_name() as name:
        copy_database(server, "template1", name)
        yield server.embedded_url(name)
        drop_database(server, name)


@pytest.fixture
def settings(server: Settings, tmp_path: Path) -> Iterator[Settings]:
    """A whole installation of its own: fresh home, landing zone and warehouse, a fixed pseudonym key."""
    with installation(server, tmp_path / "home") as installed:
        yield replace(installed, user="tester")


@pytest.fixture(scope="session")
def sample_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of a small sample region, as its suppliers send them."""
    target = tmp_path_factory.mktemp("region")
    generate.write(target, seed=SAMPLE_SEED, scale=SAMPLE_SCALE)
    return target


@pytest.fixture(scope="session")
def sample_region(server: Settings, sample_files: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A warehouse with that region delivered wave by wave and built with every test of the data. Only to be read."""
    with installation(server, tmp_path_factory.mktemp("sample")) as settings:
        for wave in ("inbox", "corrections", "broken"):
            files = [path for path in sorted((sample_files / wave).rglob("*")) if path.is_file()]
            pipeline.load(settings, [path for path in files if not path.name.endswith(OPTIONS_SUFFIX)])
        runner.build(settings.database_url, target_path=target(settings))
        yield settings


@pytest.fixture
def shared() -> Path:
    """The folder of real data beside the project; tests that need it are skipped where it is absent."""
    if not (SHARED / "data").is_dir():
        pytest.skip(f"the real data are not here: there is no folder {SHARED}/data beside the project")
    return SHARED


@pytest.fixture(scope="session")
def airflow_settings(server: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """An installation with its own warehouse and migrated Airflow metadata, shared by the tests that run DAGs."""
    with free_name() as warehouse, free_name() as metadata:
        copy_database(server, PREPARED, warehouse)
        copy_database(server, "template1", metadata)
        yield Settings(
            home=tmp_path_factory.mktemp("airflow"),
            user="tester",
            external_database_url=server.embedded_url(warehouse),
            external_airflow_database_url=server.embedded_url(metadata),
            given_pseudonym_key="key of the tests",
        )
        for name in (warehouse, metadata):
            drop_database(server, name)


# --- two workers -----------------------------------------------------------------------------------------------------

READ_THE_SAMPLE = ("test_documents", "test_published_tables")
"""Files with tests that read `sample_region`."""
LONGEST_FIRST = (
    "test_altai", "test_metamorphic", "sample", "test_signs_reference", "test_dbt_objectivity", "test_exam_signs",
    "test_signs", "test_dags", "test_services",
)  # fmt: skip


def group_of(nodeid: str) -> str:
    """What shares fixtures with this test: its file, and the other files that read the sample region."""
    name = Path(nodeid.partition("::")[0]).stem
    return "sample" if name in READ_THE_SAMPLE else name


class Groups(LoadScopeScheduling):
    """A group goes to one worker as a whole. pytest-xdist's own `loadgroup` does nothing under pytest 9.2."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Groups:
    config.option.loadscopereorder = False  # it would put first what has most tests, not what takes longest
    return Groups(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest begins first, so that both workers end at about the same time."""
    place = {group: number for number, group in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: place.get(group_of(item.nodeid), len(place)))
