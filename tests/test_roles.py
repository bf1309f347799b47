"""Who may do what: the owner of the warehouse is no superuser, who asks it reads marts, facts and the ledger alone."""

from __future__ import annotations

import shutil
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner
from psycopg import errors
from warehouse import ask, installation, participant, write_csv

from ingest.load import ledger
from rsoko.base.settings import READER, Settings
from rsoko.ops import cli, pipeline, postgres


@pytest.fixture(scope="module")
def warehouse(server: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """One accepted file, and one table in each schema that dbt fills."""
    folder = tmp_path_factory.mktemp("roles")
    with installation(server, folder / "home") as settings:
        pipeline.load(settings, [write_csv(folder / "vpr_2024_g5_MA.csv", [participant(1)])], "vpr")
        with psycopg.connect(settings.database_url) as connection:
            connection.execute("create schema staging")
            for schema in ("staging", "core", "mart"):
                connection.execute(f"create table {schema}.made_later as select 1 as one")  # type: ignore[call-overload]
        yield settings


@pytest.mark.parametrize(
    "query",
    [
        "set transaction read write; drop table mart.made_later",
        "set transaction read write; delete from meta.delivery",
        "set transaction read write; create table core.mine (id int)",
        "set transaction read write; create table public.mine (id int)",
        "set transaction read write; create schema mine",
        "set transaction read write; alter role rsoko_reader superuser",
        "set role rsoko; select 1",
        "set role postgres; select 1",
        "reset role; select participant_code from raw.vpr",
        "copy (select 1) to program 'touch {home}/ran'",
        "copy (select 1) to '{home}/written'",
        "select pg_read_file('{home}/secrets/pseudonym.key')",
        "select pg_ls_dir('{home}')",
        "select lo_import('{home}/secrets/pseudonym.key')",
        "select * from raw.vpr",
        "select * from staging.made_later",
    ],
)
def test_who_asks_can_do_nothing_else(warehouse: Settings, query: str) -> None:
    key = warehouse.home / "secrets" / "pseudonym.key"
    key.parent.mkdir(exist_ok=True)
    key.write_text("the key of the hashes")
    runner = CliRunner(env=warehouse.environ(), catch_exceptions=False)
    done = runner.invoke(cli.main, ["sql", query.format(home=warehouse.home)])
    assert done.exit_code == 1, done.output
    assert "permission denied" in done.output or "must be" in done.output
    assert "the key of the hashes" not in done.output
    assert not (warehouse.home / "ran").exists()
    assert not (warehouse.home / "written").exists()
    assert ask(warehouse, "select one from mart.made_later") == [(1,)]


@pytest.mark.parametrize("table", ["mart.made_later", "core.made_later", "meta.delivery_summary", "meta.current_load"])
def test_who_asks_sees_marts_facts_and_the_ledger(warehouse: Settings, table: str) -> None:
    with postgres.reader(warehouse) as connection:
        assert connection.execute(f"select count(*) from {table}").fetchone() == (1,)  # type: ignore[call-overload]


def test_who_asks_is_bounded_in_time_and_space(warehouse: Settings) -> None:
    with postgres.reader(warehouse) as connection:
        shown = [connection.execute(f"show {name}").fetchone() for name in ("statement_timeout", "temp_file_limit")]  # type: ignore[call-overload]
        assert shown == [("15min",), ("10GB",)]
        with pytest.raises(errors.InsufficientPrivilege):
            connection.execute("set temp_file_limit = -1")


def test_a_table_of_an_older_version_is_opened_when_the_role_appears(server: Settings, tmp_path: Path) -> None:
    with installation(server, tmp_path, template="template1") as settings:
        with psycopg.connect(settings.database_url) as connection:
            connection.execute("create schema mart")
            connection.execute("create table mart.of_old as select 1 as one")
        with postgres.reader(settings) as connection:
            assert connection.execute("select one from mart.of_old").fetchone() == (1,)


def test_the_owner_is_no_superuser_and_rules_its_databases_only(server: Settings) -> None:
    with psycopg.connect(server.database_url) as connection:
        assert connection.execute(
            "select rolsuper, rolcreatedb, rolcreaterole, rolbypassrls from pg_roles where rolname = current_user"
        ).fetchone() == (False, False, False, False)
        owners = "select datname, pg_get_userbyid(datdba) from pg_database where datname in ('warehouse', 'airflow')"
        assert dict(connection.execute(owners).fetchall()) == {"warehouse": "rsoko", "airflow": "rsoko"}
        with pytest.raises(errors.InsufficientPrivilege):
            connection.execute("copy (select 1) to program 'true'")


def test_airflows_metadata_are_closed_to_who_asks(server: Settings) -> None:
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(server.embedded_url("airflow", READER))


def test_passwords_are_the_owners_own(server: Settings) -> None:
    files = list(server.server_directory.glob("*password"))
    assert len(files) == 3
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert len({file.read_text() for file in files}) == 3


class TestExternalWarehouse:
    def test_without_a_readers_login_its_owner_asks_in_the_readers_role(
        self, server: Settings, warehouse: Settings
    ) -> None:
        settings = replace(warehouse, external_reader_database_url=None)
        runner = CliRunner(env=settings.environ(), catch_exceptions=False)
        refused = runner.invoke(cli.main, ["sql", "select 1"])
        assert refused.exit_code == 1
        assert "RSOKO_READER_DATABASE_URL" in refused.output
        with psycopg.connect(postgres.admin_url(server), autocommit=True) as admin:
            admin.execute("grant rsoko_reader to rsoko")
            try:
                answer = runner.invoke(cli.main, ["sql", "--csv", "select current_user as name"])
                assert answer.output.split() == ["name", READER]
                with postgres.reader(settings) as connection:
                    connection.execute("reset role")
                    assert connection.execute("select current_user").fetchone() == (READER,)
                assert runner.invoke(cli.main, ["sql", "select * from raw.vpr"]).exit_code == 1
            finally:
                admin.execute("revoke rsoko_reader from rsoko")

    def test_the_owners_address_is_never_printed_for_bi(self, warehouse: Settings) -> None:
        assert postgres.reader_address(warehouse) == warehouse.external_reader_database_url
        bare = replace(warehouse, external_reader_database_url=None)
        assert "RSOKO_READER_DATABASE_URL" in postgres.reader_address(bare)


def test_a_server_of_an_older_installation_changes_hands() -> None:
    """Its only role was the superuser `rsoko`, who owned everything."""
    home = Path(tempfile.mkdtemp(prefix="rsoko-"))
    home.chmod(0o755)
    settings = Settings(home=home)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(postgres, "ADMIN", "rsoko")
            patch.setattr(postgres, "PASSWORD_FILES", {"rsoko": "password"})
            postgres._initialise(settings)
            postgres._start(settings)
        with psycopg.connect(settings.embedded_url("postgres"), autocommit=True) as connection:
            for name in postgres.DATABASES:
                connection.execute(f"create database {name}")  # type: ignore[call-overload]
        with pipeline.connect(settings) as connection:
            assert connection.execute("select rolsuper from pg_roles where rolname = 'rsoko'").fetchone() == (True,)
            connection.execute("create schema other")
            connection.execute("create table other.counted (id int generated always as identity, no serial)")
            connection.execute("create type other.kind as enum ('one')")
            connection.execute("create function other.one() returns int language sql as 'select 1'")
        assert not (settings.server_directory / "admin.password").exists()

        for _ in range(2):  # and nothing happens a second time
            postgres.ensure(settings)
            with psycopg.connect(settings.database_url, autocommit=True) as connection:
                super_users = connection.execute(
                    "select rolname from pg_roles where rolsuper and rolcanlogin"
                ).fetchall()
                assert super_users == [("postgres",)]
                strangers = connection.execute(
                    "select count(*) from pg_class inner join pg_namespace on relnamespace = pg_namespace.oid "
                    "where nspname in ('meta', 'raw', 'core', 'mart', 'other') and relowner <> 'rsoko'::regrole"
                ).fetchone()
                assert strangers == (0,)
        with psycopg.connect(settings.database_url) as connection:
            connection.execute("drop function other.one(); drop type other.kind; drop schema other cascade")
        ledger._prepared.clear()  # as in a new process
        with postgres.reader(settings) as connection:
            assert connection.execute("select count(*) from meta.delivery").fetchone() == (0,)
    finally:
        postgres.stop(settings)
        shutil.rmtree(home)


def test_the_roles_may_be_made_twice(server: Settings) -> None:
    postgres._psql(server, "roles.sql", "postgres")
    with psycopg.connect(server.reader_url) as connection:
        assert connection.execute("show default_transaction_read_only").fetchone() == ("on",)
