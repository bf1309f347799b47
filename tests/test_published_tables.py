"""What a BI tool sees of the warehouse: comments, keys that are true, one type and one vocabulary for one name."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import psycopg
import pytest
from warehouse import ask

from dbt_project import seed
from dbt_project.runner import build
from ingest.load.ledger import prepare
from rsoko.base.settings import Settings
from rsoko.contracts.model import contracts
from rsoko.contracts.vocabulary import fold, vocabularies, written

RELATIONS = """
select namespace.nspname || '.' || class.relname, attribute.attname,
    split_part(format_type(atttypid, atttypmod), '(', 1), format_type(atttypid, atttypmod),
    obj_description(class.oid, 'pg_class'), col_description(class.oid, attnum)
from pg_class as class
inner join pg_namespace as namespace on class.relnamespace = namespace.oid
inner join pg_attribute as attribute on attribute.attrelid = class.oid
where nspname in ('core', 'mart', 'meta') and relkind in ('r', 'v') and attnum > 0 and not attisdropped
order by 1, attnum
"""
KEYS = """
select conrelid::regclass::text, contype, pg_get_constraintdef(oid)
from pg_constraint
where connamespace in ('core'::regnamespace, 'mart'::regnamespace) and contype in ('p', 'f')
order by 1, 2, 3
"""
ANOTHER_THING = {
    "children": "a contract counts the children of one group, a mart those of a region",
    "level": "preschool: a step of the scale as the supplier gives it and the mean of such steps",
    "total": "signs: the points of a participant; leaders: the points of a leader",
    "score": "signs: −log10 p; leaders: a share of one",
}
"""Names that mean two things, each with its type."""
GRAIN_WITH_EMPTY_CELLS = {
    "core.fct_attestation",
    "core.fct_observation",
    "mart.mart_objectivity__observed",
    "mart.mart_objectivity__recheck",
}
"""Tables whose grain has a column that may be empty («all», «none», not told): a primary key cannot have that."""


def test_every_table_and_column_says_what_it_is(sample_region: Settings) -> None:
    found = ask(sample_region, RELATIONS)
    assert {table.split(".")[0] for table, *_ in found} == {"core", "mart", "meta"}
    assert {table for table, *_, told, _ in found if not told} == set()
    assert [(table, column) for table, column, *_, told in found if not told] == []


def test_a_name_has_one_type(sample_region: Settings) -> None:
    types, in_marts = defaultdict(set), defaultdict(set)
    for table, column, base, whole, *_ in ask(sample_region, RELATIONS):
        if not table.startswith("meta."):
            types[column].add(base)
        if table.startswith("mart."):
            in_marts[column].add(whole)
    assert {name: found for name, found in types.items() if len(found) > 1 and name not in ANOTHER_THING} == {}
    assert {name: found for name, found in in_marts.items() if len(found) > 1 and name not in ANOTHER_THING} == {}


def test_a_name_has_one_vocabulary(sample_region: Settings) -> None:
    """What the contracts call by a name and give a vocabulary is written so wherever that name stands."""
    spoken = {
        column.name: column.vocabulary for contract in contracts() for column in contract.columns if column.vocabulary
    }
    strange, seen = [], set()
    for table, column, base, *_ in ask(sample_region, RELATIONS):
        if column in spoken and base == "text":
            values = {value for (value,) in ask(sample_region, f"select distinct {column} from {table}")}
            seen.add(column)
            strange += [
                (table, column, value) for value in values - {None, "", *vocabularies()[spoken[column]].values()}
            ]
    assert seen >= {"subject_code", "item_kind", "procedure_code", "organisation_kind", "decision"}
    assert strange == []


def test_subjects_are_those_of_the_contracts() -> None:
    rows = {row["subject_code"]: row for row in seed("subject")}
    assert set(rows) == set(written()["subject"])
    spelled = vocabularies()["subject"]
    assert [code for code, row in rows.items() if spelled.get(fold(row["title"])) != code] == []
    assert [code for code, row in rows.items() if row["gia_number"] and spelled.get(row["gia_number"]) != code] == []


def test_keys_are_there_and_true(sample_region: Settings) -> None:
    keys = ask(sample_region, KEYS)
    published = {
        table for (table,) in ask(
            sample_region,
            "select schemaname || '.' || tablename from pg_tables"
            " where schemaname = 'mart' or (schemaname = 'core' and tablename ~ '^(dim|fct)_')",
        )
    }  # fmt: skip
    assert published - {table for table, kind, _ in keys if kind == "p"} == GRAIN_WITH_EMPTY_CELLS
    assert {table.split(".")[0] for table, kind, _ in keys if kind == "f"} == {"core", "mart"}
    for table, columns, target in references(sample_region):
        both = " and ".join(f"target.{name} = source.{name}" for name in columns)
        given = " and ".join(f"source.{name} is not null" for name in columns)
        lost = (
            f"select from {table} as source where {given} and not exists (select from {target} as target where {both})"
        )
        assert ask(sample_region, f"{lost} limit 1") == [], (table, target)


def references(settings: Settings) -> list[tuple[str, list[str], str]]:
    return ask(
        settings,
        "select conrelid::regclass::text, array(select attname::text from unnest(conkey) as no inner join pg_attribute"
        " on attrelid = conrelid and attnum = no), confrelid::regclass::text from pg_constraint where contype = 'f'"
        " and connamespace in ('core'::regnamespace, 'mart'::regnamespace)",
    )  # type: ignore[return-value]


def test_a_build_keeps_keys_and_waits_for_no_reader(
    sample_region: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dropping what a mart refers to would wait for all who read the mart, and every later reader would wait behind."""
    monkeypatch.setenv("RSOKO_BUILD_TIMEOUT", "10s")
    before = ask(sample_region, KEYS)
    referred = {target.removeprefix("core.") for _, _, target in references(sample_region) if "core." in target}
    assert referred == {"dim_municipality", "dim_procedure", "dim_subject", "int_organisation__year"}
    with psycopg.connect(sample_region.database_url) as reader:
        reader.execute("select from mart.mart_objectivity__work_list")
        result = build(sample_region.database_url, select=" ".join(referred), tests="none", target_path=tmp_path)
    assert {name for node in result.nodes for name in node.concerns} == referred
    assert ask(sample_region, KEYS) == before


def test_an_earlier_ledger_learns_the_word_of_the_catalogue(settings: Settings) -> None:
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        prepare(connection)
        connection.execute("alter table meta.load_item drop constraint load_item_item_kind_check")
        connection.execute("alter table meta.load_item drop constraint load_item_load_id_fkey")
        connection.execute("insert into meta.load_item values (1, 2024, 9, 'MA', 41, 'К1', null, 'long', 3)")
        connection.execute("comment on schema meta is 'an earlier one'")
        prepare(connection)
        assert connection.execute("select item_kind from meta.load_item").fetchall() == [("expert",)]
