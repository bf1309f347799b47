"""The engine of builds: what is published but not built is owed, a fault holds back its own mechanism alone, readers
never see what is untested or mixed, a change of code recomputes what it affects and nothing else.

On a small dbt project with the real configuration, macros and sources: two mechanisms over municipalities.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from warehouse import ask, database_name, installation, start, template

from dbt_project import PROJECT, runner
from dbt_project.owed import Debt, owed
from ingest.load import ledger
from rsoko.base import database
from rsoko.base.errors import TransientError
from rsoko.base.settings import Settings
from rsoko.ops import pipeline, postgres

COPIED = ("dbt_project.yml", "profiles.yml", "macros", "tests/generic", "models/staging/_sources.yml",
          "models/staging/meta", "models/staging/municipality")  # fmt: skip
FACT = """{{{{ config(materialized="incremental", incremental_strategy="by_load") }}}}
select region_code, municipality_code, {value} as value, load_id, slice_id
from {{{{ ref("stg_municipality__register") }}}}
where {{{{ only_new_slices("municipality") }}}}
"""
FILES = {
    "models/core/fct_place.sql": FACT.format(value="{{ worth() }}"),
    "models/core/fct_other.sql": FACT.format(value="upper(municipality_name)"),
    "macros/worth.sql": "{% macro worth() %} lower(municipality_name) {% endmacro %}\n",
    "seeds/limits.csv": "code,value\ntop,1000\n",
    "models/marts/alpha/mart_alpha__place.sql": """{{ config(indexes=[{"columns": ["municipality_code"]}]) }}
select municipality_code, value from {{ ref("fct_place") }}
""",
    "models/marts/alpha/mart_alpha__count.sql": """select
    count(*)::integer as places,
    max(limits.value)::integer as top,
    current_setting('statement_timeout') || ' ' || current_setting('client_connection_check_interval') as timeouts
from {{ ref("mart_alpha__place") }} left join {{ ref("limits") }} as limits on true
""",
    "models/marts/beta/mart_beta__place.sql": 'select municipality_code, value from {{ ref("fct_other") }}\n',
    "models/marts.yml": """version: 2
models:
  - name: mart_alpha__place
    description: "Строка: место, как его видит alpha"
    columns:
      - {name: municipality_code, data_type: text, description: Код}
      - {name: value, data_type: text, description: Значение}
  - name: mart_alpha__count
    description: "Строка: всё"
    columns:
      - {name: places, data_type: integer, description: Мест}
      - {name: top, data_type: integer, description: Предел}
      - {name: timeouts, data_type: text, description: Сроки}
  - name: mart_beta__place
    description: "Строка: место, как его видит beta"
    columns:
      - {name: municipality_code, data_type: text, description: Код}
      - {name: value, data_type: text, description: Значение}
""",
    "tests/beta_has_no_lost_place.sql": "select * from {{ ref(\"mart_beta__place\") }} where municipality_code = '0'\n",
}
NEW = """version: 2
models:
  - name: mart_beta__new
    description: "Строка: место"
    columns: [{name: municipality_code, data_type: text, description: Код}]
"""
PUBLISHED = {
    "alpha": "select string_agg(municipality_code, ',' order by municipality_code) from mart.mart_alpha__place",
    "beta": "select string_agg(municipality_code, ',' order by municipality_code) from mart.mart_beta__place",
}


@dataclass
class House:
    """An installation, a project of its own and deliveries of municipalities to it."""

    settings: Settings
    project: Path
    folder: Path
    deliveries: int = 0

    def deliver(self, *codes: int) -> None:
        """The register comes anew, with these municipalities."""
        self.deliveries += 1
        rows = [{"register_code": "msu", "municipality_code": c, "municipality_name": f"Район {c}"} for c in codes]
        path = template(self.folder / f"{self.deliveries}" / "реестр.csv", "municipality", rows)
        [outcome] = pipeline.load(self.settings, [path], "municipality")
        assert outcome.published, outcome.message

    def build(self, **options: Any) -> runner.BuildResult:
        target = self.folder / "dbt"
        return runner.build(self.settings.database_url, project=self.project, target_path=target, **options)

    def write(self, name: str, text: str) -> None:
        path = self.project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def change(self, name: str, old: str, new: str) -> None:
        text = (self.project / name).read_text(encoding="utf-8")
        assert old in text
        self.write(name, text.replace(old, new))

    @property
    def owed(self) -> list[Debt]:
        with pipeline.connect(self.settings) as connection:
            return owed(connection, self.project)

    @property
    def published(self) -> dict[str, str]:
        return {mechanism: ask(self.settings, query)[0][0] for mechanism, query in PUBLISHED.items()}


@pytest.fixture(scope="module")
def origin(server: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Places 1 and 2, delivered and built. Only to be copied."""
    folder = tmp_path_factory.mktemp("origin")
    for name in COPIED:
        copy = shutil.copytree if (PROJECT / name).is_dir() else shutil.copy
        (folder / "project" / name).parent.mkdir(parents=True, exist_ok=True)
        copy(PROJECT / name, folder / "project" / name)
    with installation(server, folder / "home") as settings:
        house = House(settings, folder / "project", folder)
        for name, text in FILES.items():
            house.write(name, text)
        house.deliver(1, 2)
        house.build()
        yield house


@pytest.fixture
def house(server: Settings, origin: House, tmp_path: Path) -> Iterator[House]:
    for name in ("project", "dbt"):
        shutil.copytree(origin.folder / name, tmp_path / name)
    with installation(server, tmp_path / "home", template=database_name(origin.settings)) as settings:
        yield House(settings, tmp_path / "project", tmp_path)


def oid(house: House, table: str) -> int:
    return int(ask(house.settings, "select %s::regclass::oid::integer", table)[0][0])


def test_what_is_published_but_not_built_is_owed(house: House) -> None:
    assert house.published == {"alpha": "1,2", "beta": "1,2"}
    assert house.owed == []
    house.deliver(1, 2, 3)
    assert house.owed == [Debt(m, ("municipality",), False, None) for m in ("alpha", "beta")]
    house.build(select="+mart_beta__place")
    assert house.published == {"alpha": "1,2", "beta": "1,2,3"}
    assert [debt.mechanism for debt in house.owed] == ["alpha"]  # a part of the project settles its own debt alone
    house.build()
    assert house.owed == []
    house.change("seeds/limits.csv", "1000", "2000")
    assert house.owed == [Debt(m, (), True, None) for m in ("alpha", "beta")]
    house.build()
    assert house.owed == []
    assert ask(house.settings, "select places, top from mart.mart_alpha__count") == [(3, 2000)]


def test_an_empty_warehouse_owes_nothing_and_builds(server: Settings, origin: House, tmp_path: Path) -> None:
    with installation(server, tmp_path / "home") as settings:
        house = House(settings, origin.project, tmp_path)
        assert house.owed == []
        assert house.build().published == ["alpha", "beta"]
        assert house.published == {"alpha": None, "beta": None}
        house.deliver(5)
        assert [debt.mechanism for debt in house.owed] == ["alpha", "beta"]


def test_a_warehouse_from_before_the_count_owes_everything(house: House) -> None:
    with psycopg.connect(house.settings.database_url) as connection:
        connection.execute("drop table meta.publication, meta.build, meta.model")
        connection.execute("comment on schema meta is 'an older one'")
    with database.connect(house.settings.database_url) as connection:
        ledger.prepare(connection)
    assert [(debt.mechanism, debt.sources) for debt in house.owed] == [
        ("alpha", ("municipality",)), ("beta", ("municipality",)),
    ]  # fmt: skip
    house.build()
    assert house.owed == []


def test_news_between_two_layers_stay_owed(house: House) -> None:
    """The marts take account of what the staging layer fixed, not of what has been published meanwhile."""
    house.deliver(1, 2, 3)
    for layer in ("seeds", "staging", "core"):
        house.build(layer=layer)
    house.deliver(1, 2, 3, 4)
    house.build(layer="marts")
    assert house.published == {"alpha": "1,2,3", "beta": "1,2,3"}
    assert [debt.sources for debt in house.owed] == [("municipality",)] * 2


def test_a_fault_holds_back_its_own_mechanism(house: House) -> None:
    house.deliver(0, 1)
    with pytest.raises(runner.BuildError, match="the marts of beta are held back") as failure:
        house.build()
    assert failure.value.result.published == ["alpha"]
    assert list(failure.value.result.held_back) == ["beta"]
    assert house.published == {"alpha": "0,1", "beta": "1,2"}
    [debt] = house.owed
    assert debt.mechanism == "beta"
    assert "beta_has_no_lost_place" in (debt.held_back or "")
    # The untested table is there to be looked at, and is gone with the next build.
    assert ask(house.settings, "select count(*) from mart_build.mart_beta__place where municipality_code = '0'") == [
        (1,)
    ]
    house.build(select="mart_alpha__count")
    assert ask(house.settings, "select count(*) from mart_build.mart_beta__place where municipality_code = '0'") == [
        (0,)
    ]
    house.deliver(1, 2, 3)
    house.build()
    assert house.published == {"alpha": "1,2,3", "beta": "1,2,3"}
    assert house.owed == []


def test_a_fault_in_core_holds_back_what_reads_it(house: House) -> None:
    house.write(
        "tests/other_has_no_lost_place.sql", "select * from {{ ref('fct_other') }} where municipality_code = '0'"
    )
    house.deliver(0, 1)
    with pytest.raises(runner.BuildError) as failure:
        house.build()
    assert failure.value.result.published == ["alpha"]
    assert "other_has_no_lost_place" in failure.value.result.held_back["beta"][0]
    house.deliver(0, 1, 2)
    for layer in ("seeds", "staging"):
        house.build(layer=layer)
    with pytest.raises(runner.BuildError) as failure:
        house.build(layer="core")
    with pytest.raises(runner.BuildError, match="beta: fct_other failed in an earlier layer"):
        house.build(layer="marts", without=failure.value.result.faulty)
    assert house.published == {"alpha": "0,1,2", "beta": "1,2"}


RED_Q = "objectivity,red_q,,Красный флаг: доля ложных открытий не больше,0.1,доля,2015-01-01,"
"""The beginning of a row of the seed `parameter`; its last day follows."""


@pytest.fixture
def judging(house: House) -> House:
    """The project has the parameters of the real one, and a mart that reads one of them."""
    parameters = ("models/core/parameter", "seeds/parameters/parameter", "seeds/parameters/parameter_item",
                  "models/core/assessment/dim_academic_year")  # fmt: skip
    for path in (path for name in parameters for path in sorted(PROJECT.glob(f"{name}*"))):
        for file in path.iterdir() if path.is_dir() else [path]:
            house.write(str(file.relative_to(PROJECT)), file.read_text(encoding="utf-8"))
    worth = 'value || \' \' || {{ parameter("objectivity", "red_q", "2024") }} as value'
    house.change("models/marts/beta/mart_beta__place.sql", " value ", f" {worth} ")
    house.change("models/marts/beta/mart_beta__place.sql", "municipality_code,", "region_code, municipality_code,")
    house.change(
        "models/marts.yml",
        "  - name: mart_beta__place\n",
        "  - name: mart_beta__place\n    config: {contract: {enforced: false}}\n",
    )
    return house


def test_a_region_has_its_own_parameter(judging: House) -> None:
    values = "select distinct split_part(value, ' ', 3) from mart.mart_beta__place"
    judging.build()
    assert ask(judging.settings, values) == [("0.1",)]
    for region in (98, 99):
        row = f"{RED_Q.replace(',,', f',{region},').replace('0.1', f'0.0{region}')}9999-12-31,приказ региона,law\n"
        judging.change("seeds/parameters/parameter.csv", RED_Q, f"{row}{RED_Q}")
    judging.build()
    assert ask(judging.settings, values) == [("0.099",)]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ([("2015-01-01", "2023-12-31")], "parameters_have_no_gap.*red_q, gap_from 2024-01-01, gap_to 9999-12-31"),
        (
            [("2015-01-01", "2021-12-31"), ("2024-06-01", "9999-12-31")],
            "parameters_have_no_gap.*red_q, gap_from 2022-01-01, gap_to 2024-05-31",
        ),
        ([("2018-01-01", "9999-12-31")], "parameters_have_no_gap.*red_q, gap_from 2015-01-01, gap_to 2017-12-31"),
        (
            [("2015-01-01", "2024-12-31"), ("2024-01-01", "9999-12-31")],
            "periods_do_not_overlap.*parameter_set objectivity, parameter_code red_q",
        ),
    ],
)
def test_a_gap_or_an_overlap_of_a_parameter_stops_the_build_and_is_named(
    judging: House, given: list[tuple[str, str]], told: str
) -> None:
    rows = [f"{RED_Q.replace('2015-01-01', since)}{until},метод,project\n" for since, until in given]
    text = (judging.project / "seeds/parameters/parameter.csv").read_text(encoding="utf-8")
    [old] = [line for line in text.splitlines(keepends=True) if line.startswith(RED_Q)]
    judging.write("seeds/parameters/parameter.csv", text.replace(old, "".join(rows)))
    judging.deliver(1, 2, 3)
    with pytest.raises(runner.BuildError, match=told) as failure:
        judging.build()
    assert failure.value.result.published == ["alpha"]
    assert judging.published == {"alpha": "1,2,3", "beta": "1,2"}


@pytest.fixture
def analyst(server: Settings, house: House) -> Iterator[psycopg.Connection]:
    """A connection of role `analyst`, who may use the marts and owns what it makes."""
    url = postgres.admin_url(server, database_name(house.settings))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("create role analyst; grant usage on schema mart to analyst")
        connection.execute("grant all on schema public to analyst, rsoko")
        connection.execute("grant select on all tables in schema mart to analyst; set role analyst")
        yield connection
        connection.execute("reset role; drop owned by analyst; drop role analyst")


def test_new_tables_keep_privileges_and_comments(house: House, analyst: psycopg.Connection) -> None:
    privileges = (
        "select distinct privilege_type, is_grantable from information_schema.column_privileges "
        "where table_name = %s and grantee = 'analyst'"
    )
    with psycopg.connect(house.settings.database_url, autocommit=True) as connection:
        connection.execute("grant select on mart.mart_alpha__place to analyst with grant option")
        connection.execute("revoke select on mart.mart_alpha__count, mart.mart_beta__place from analyst")
        connection.execute("grant select (top) on mart.mart_alpha__count to analyst")
        connection.execute("revoke select on mart.mart_beta__place from rsoko_reader")
    house.write("models/marts/beta/mart_beta__new.sql", "select municipality_code from {{ ref('fct_other') }}")
    house.write("models/new.yml", NEW)
    before = oid(house, "mart.mart_alpha__place")
    house.build()
    assert oid(house, "mart.mart_alpha__place") != before
    assert ask(house.settings, privileges, "mart_alpha__place") == [("SELECT", "YES")]
    assert ask(house.settings, privileges, "mart_alpha__count") == [("SELECT", "NO")]
    assert analyst.execute("select top from mart.mart_alpha__count").fetchall() == [(1000,)]
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        analyst.execute("select places from mart.mart_alpha__count")
    # A table has what it had before; one that is new has what the schema gives.
    reads = (
        "select array_agg(relname::text order by relname) from pg_class where relnamespace = 'mart'::regnamespace "
        "and relkind = 'r' and has_table_privilege('rsoko_reader', oid, 'select')"
    )
    assert ask(house.settings, reads) == [(["mart_alpha__count", "mart_alpha__place", "mart_beta__new"],)]
    without_comment = (
        "select attrelid::regclass::text, attname from pg_attribute inner join pg_class on pg_class.oid = attrelid "
        "where relnamespace = 'mart'::regnamespace and relkind = 'r' and attnum > 0 "
        "and (col_description(attrelid, attnum) is null or obj_description(attrelid) is null)"
    )
    assert ask(house.settings, without_comment) == []
    indexed = "select count(*) from pg_indexes where schemaname = 'mart' and tablename = 'mart_alpha__place'"
    assert ask(house.settings, indexed) == [(1,)]


def test_views_of_users_are_made_again(
    house: House, analyst: psycopg.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    with psycopg.connect(house.settings.database_url, autocommit=True) as connection:
        connection.execute("create schema bi; grant usage on schema bi to analyst")
        connection.execute("create view bi.own as select value from mart.mart_alpha__place")
        connection.execute("create view bi.upon with (security_barrier=true) as select value from bi.own")
        connection.execute("grant select on bi.upon to analyst; comment on view bi.upon is 'Значения'")
        connection.execute("create view bi.odd as select places from mart.mart_alpha__count")
    analyst.execute("create view public.theirs as select value from mart.mart_alpha__place")
    house.change("models/marts/alpha/mart_alpha__count.sql", "as places", "as n_places")
    house.change("models/marts.yml", "name: places", "name: n_places")
    house.deliver(1, 2, 3)
    house.build()
    for view in ("bi.upon", "public.theirs"):
        assert analyst.execute(f"select value from {view} order by 1").fetchall() == [  # type: ignore[call-overload]
            ("район 1",), ("район 2",), ("район 3",),
        ]  # fmt: skip
    said = "select obj_description(oid), reloptions from pg_class where oid = 'bi.upon'::regclass"
    assert ask(house.settings, said) == [("Значения", ["security_barrier=true"])]
    # Its column is gone.
    assert ask(house.settings, "select to_regclass('bi.odd')") == [(None,)]
    assert "bi.odd read a mart and is gone" in caplog.text


def test_a_long_reader_is_waited_for_and_never_ended(house: House) -> None:
    house.deliver(1, 2, 3)
    with psycopg.connect(house.settings.database_url) as reader:
        reader.execute("select * from mart.mart_alpha__count")
        with pytest.raises(TransientError, match=r"marts of alpha are built but not published.*process"):
            house.build(patience=2)
        # Inside its transaction the reader sees the marts of one build, whatever it opens next.
        assert reader.execute("select count(*) from mart.mart_alpha__place").fetchone() == (2,)
        assert house.published == {"alpha": "1,2", "beta": "1,2,3"}
        assert [debt.mechanism for debt in house.owed] == ["alpha"]
        leaving = threading.Timer(4, reader.commit)
        leaving.start()
        house.build(layer="marts")
        leaving.join()
    assert house.published == {"alpha": "1,2,3", "beta": "1,2,3"}
    assert house.owed == []


def test_readers_always_see_the_marts_of_one_build(house: House) -> None:
    """Count and places of a mechanism agree in every transaction while builds go on."""
    seen: set[tuple[int, int]] = set()
    stop = threading.Event()

    def read() -> None:
        with psycopg.connect(house.settings.database_url) as connection:
            while not stop.is_set():
                with connection.transaction():
                    [(places,)] = connection.execute("select places from mart.mart_alpha__count").fetchall()
                    [(rows,)] = connection.execute("select count(*) from mart.mart_alpha__place").fetchall()
                    seen.add((places, rows))

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for last in (3, 4):
            house.deliver(*range(1, last + 1))
            house.build()
    finally:
        stop.set()
        reader.join()
    assert seen == {(2, 2), (3, 3), (4, 4)}


def test_a_build_killed_before_its_marts_are_published(house: House) -> None:
    house.deliver(1, 2, 3)
    with psycopg.connect(house.settings.database_url) as reader:
        reader.execute("select * from mart.mart_alpha__count")
        process = start(House.build, house)
        waits = "select count(*) from pg_locks where relation = 'mart.mart_alpha__count'::regclass and not granted"
        while ask(house.settings, waits) == [(0,)]:
            assert process.is_alive(), "the build ended without having waited"
        process.kill()
        process.join()
    assert house.published["alpha"] == "1,2"
    assert "alpha" in [debt.mechanism for debt in house.owed]
    # What it left aside is not read by a build of a part.
    house.build(select="mart_alpha__count")
    assert ask(house.settings, "select places from mart.mart_alpha__count") == [(2,)]
    house.build()
    assert house.published == {"alpha": "1,2,3", "beta": "1,2,3"}
    assert house.owed == []


def test_changed_sql_recomputes_what_reads_it_and_nothing_else(house: House) -> None:
    values = "select distinct value from core.{} order by 1"
    place, other = oid(house, "core.fct_place"), oid(house, "core.fct_other")
    house.build()
    assert (oid(house, "core.fct_place"), oid(house, "core.fct_other")) == (place, other)

    house.change("macros/worth.sql", "lower(", "reverse(")
    assert [debt.code_has_changed for debt in house.owed] == [True, True]
    house.build(select="+mart_beta__place")
    assert house.published == {"alpha": "1,2", "beta": "1,2"}
    assert [debt.mechanism for debt in house.owed] == ["alpha"]
    house.build()
    assert ask(house.settings, values.format("fct_place")) == [("1 нойаР",), ("2 нойаР",)]
    assert ask(house.settings, "select distinct value from mart.mart_alpha__place order by 1") == [
        ("1 нойаР",), ("2 нойаР",),
    ]  # fmt: skip
    assert oid(house, "core.fct_other") == other
    assert house.owed == []

    # The change lies further up, and a part of the project is built before the whole.
    staging = "models/staging/municipality/stg_municipality__register.sql"
    house.change(staging, "municipality_name,", "'!' || municipality_name as municipality_name,")
    house.build(select="fct_other")
    assert ask(house.settings, values.format("fct_other")) == [("РАЙОН 1",), ("РАЙОН 2",)]
    house.build()
    assert ask(house.settings, values.format("fct_other")) == [("!РАЙОН 1",), ("!РАЙОН 2",)]
    other = oid(house, "core.fct_other")
    house.build()
    assert oid(house, "core.fct_other") == other


def test_what_models_read_has_statistics(house: House) -> None:
    analysed = (
        "select relname from pg_class where reltuples >= 0 and relkind = 'r' and relnamespace = any(%s::regnamespace[])"
    )
    found = {name for (name,) in ask(house.settings, analysed, ["core", "staging", "mart"])}
    assert found == {"fct_place", "fct_other", "limits", "stg_meta__current_slice", "mart_alpha__place"}


def test_statements_of_a_build_have_an_end(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    timeouts = "select timeouts from mart.mart_alpha__count"
    assert ask(house.settings, timeouts) == [("2h 2s",)]
    monkeypatch.setenv("RSOKO_BUILD_TIMEOUT", "3h")
    house.build(select="mart_alpha__count")
    assert ask(house.settings, timeouts) == [("3h 2s",)]


def _compute_for_ever(url: str) -> None:
    with database.connect(url) as connection:
        connection.execute("select count(*) from generate_series(1, 1e12::bigint) as endless")


def test_the_query_of_a_killed_client_ends(house: House) -> None:
    running = "select count(*) from pg_stat_activity where query like '%%as endless' and state = 'active'"
    process = start(_compute_for_ever, house.settings.database_url)
    while ask(house.settings, running) == [(0,)]:
        assert process.is_alive()
    process.kill()
    process.join()
    deadline = time.monotonic() + 10
    while ask(house.settings, running) != [(0,)]:
        assert time.monotonic() < deadline, "the server computes for nobody"
        time.sleep(0.1)
