"""Nothing that follows from the contracts has drifted from them."""

from __future__ import annotations

import psycopg
import pytest
import yaml

from dbt_project import PROJECT, generated
from ingest.load.ledger import prepare
from ingest.read import reader
from rsoko.contracts.ddl import SERVICE_COLUMNS, raw_ddl
from rsoko.contracts.model import Contract, contracts
from rsoko.contracts.vocabulary import documents
from rsoko.ops.generate import ROOT
from rsoko.publish.dictionary import dictionary
from rsoko.publish.template import cells, template

CONTRACTS = contracts()
NAMES = [contract.source for contract in CONTRACTS]


def test_dbt_models_are_those_of_the_contracts() -> None:
    """Staging, one-to-one facts and the source `raw`; a file that no contract asks for any more is one too many."""
    expected = generated.files()
    assert expected.keys() == generated.written()
    assert {name: (PROJECT / name).read_text(encoding="utf-8") for name in expected} == expected


@pytest.mark.parametrize("contract", CONTRACTS, ids=NAMES)
def test_dbt_models_name_every_stored_column_once(contract: Contract) -> None:
    models, place = generated.files(), ["load_id", "slice_id", "sheet", "row_no"]
    items = contract.items.columns if contract.items else []
    expected = ["region_code", *(column.name for column in contract.stored_columns), *items, *place]
    model = yaml.safe_load(models[f"models/staging/{contract.source}/{generated.staging(contract)}.yml"])["models"][0]
    assert [column["name"] for column in model["columns"]] == expected
    assert all(column["description"] for column in model["columns"])
    if contract.fact and not contract.fact.by_hand:
        path = f"models/core/{contract.fact.area}/fct_{contract.fact.name}.yml"
        names = ["source_organisation_code" if name == "organisation_code" else name for name in expected]
        assert [column["name"] for column in yaml.safe_load(models[path])["models"][0]["columns"]] == names


@pytest.mark.parametrize("contract", CONTRACTS, ids=NAMES)
def test_the_grain_of_every_source_is_held_somewhere(contract: Contract) -> None:
    """In staging by a test, or in its fact by a key or a test; a fact written by hand has its own."""
    models = [yaml.safe_load(text)["models"][0] for name, text in generated.files().items()
              if name.endswith(f"{contract.source}/{generated.staging(contract)}.yml")
              or (contract.fact and name.endswith(f"/fct_{contract.fact.name}.yml"))]  # fmt: skip
    tests = [test["unique_grain"]["arguments"]["columns"] for model in models for test in model.get("data_tests", [])
             if "unique_grain" in test]  # fmt: skip
    keys = [key["columns"] for model in models for key in model.get("constraints", [])]
    by_hand = contract.fact and contract.fact.by_hand
    held = generated.fact_key(contract) if contract.fact else contract.key
    assert tests + keys == ([] if by_hand else [held])


def test_dictionary_is_that_of_the_contracts() -> None:
    assert (ROOT / "docs/dictionary.md").read_text(encoding="utf-8") == dictionary()


@pytest.mark.parametrize("contract", CONTRACTS, ids=NAMES)
def test_template_is_that_of_the_contract(contract: Contract) -> None:
    assert cells((ROOT / "docs/templates" / f"{contract.source}.xlsx").read_bytes()) == cells(template(contract))


@pytest.mark.parametrize("contract", CONTRACTS, ids=NAMES)
def test_template_is_recognised_as_its_source(contract: Contract) -> None:
    path = ROOT / "docs/templates" / f"{contract.source}.xlsx"
    assert reader.recognise(path, path.name)[0] == contract.source


def test_raw_tables_are_those_of_the_contracts(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        prepare(connection)
        prepare(connection)
        for contract in CONTRACTS:
            rows = connection.execute(
                "select column_name, col_description(%s::regclass, ordinal_position::int) "
                "from information_schema.columns where table_schema = 'raw' and table_name = %s "
                "order by ordinal_position",
                [contract.table, contract.source],
            ).fetchall()
            names = [name for name, _ in rows]
            expected = [*SERVICE_COLUMNS, *(column.name for column in contract.stored_columns)]
            assert names == expected + (contract.items.columns if contract.items else [])
            assert all(comment for _, comment in rows)


def test_no_personal_column_has_a_place_in_the_warehouse() -> None:
    personal = {column.name for contract in CONTRACTS for column in contract.columns if column.personal}
    assert personal >= {"last_name", "first_name", "middle_name", "snils", "document_number"}
    for contract in CONTRACTS:
        ddl = raw_ddl(contract)
        assert not [name for name in personal if f" {name} " in ddl]


@pytest.mark.parametrize("contract", CONTRACTS, ids=NAMES)
def test_every_basis_is_a_document_that_is_named(contract: Contract) -> None:
    assert contract.basis
    for item in contract.basis:
        assert item["document"] in documents()
        assert item["paragraph"]


def test_sources_are_what_the_folder_holds() -> None:
    files = {path.stem for path in (ROOT / "rsoko/contracts/sources").glob("*.yml")}
    assert files == set(NAMES)
