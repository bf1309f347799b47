"""The contract model refuses what it does not know, and takes plain yml values as cells spell them."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from ingest.type.cells import parse
from rsoko.base.errors import PermanentError
from rsoko.contracts.model import Fact, contracts, parse_contract

SMALL: dict[str, Any] = {
    "source": "olympiad", "version": 1, "title": "Олимпиада", "entity": "result", "grain": "организация",
    "responsible": "оператор", "cadence": "раз в год", "schedule": "@daily", "sla_hours": 24,
    "basis": [{"document": "kuzbass_rsoko_2022", "paragraph": "1", "text": "…"}],
    "key": ["region_code", "organisation_code"], "slice": ["region_code"],
    "tolerance": {"rejected_row_share": 0.05, "rejected_cell_share": 0.05},
    "controls": {"rows": {"sql": "count(*)"}},
    "columns": [
        {"name": "organisation_code", "title": "Логин", "type": "text", "required": True, "transform": "login"},
        {"name": "winners", "title": "Победителей", "type": "integer", "range": [0, 10000], "default": 0},
    ],
    "layouts": [
        {"id": "list", "title": "Список", "header": {"organisation_code": ["логин"], "winners": ["победителей"]}}
    ],
}  # fmt: skip


def test_a_plain_default_is_what_an_empty_cell_means() -> None:
    contract = parse_contract(deepcopy(SMALL), "olympiad")
    assert contract.column["winners"].default == "0"
    assert parse("0", contract.column["winners"]) == (0, True)


@pytest.mark.parametrize(("value", "text"), [(0, "0"), (1.5, "1.5"), (False, "false"), ("нет", "нет")])
def test_defaults_are_spelt_as_cells(value: object, text: str) -> None:
    raw = deepcopy(SMALL)
    raw["columns"][1]["default"] = value
    assert parse_contract(raw, "olympiad").column["winners"].default == text


@pytest.mark.parametrize(
    ("place", "key"),
    [
        ((), "tolerence"),
        (("columns", 1), "requird"),
        (("layouts", 0), "requierd"),
        (("layouts", 0), "skip_where_empty"),
    ],
)  # fmt: skip
def test_an_unknown_key_is_refused_by_its_name(place: tuple[Any, ...], key: str) -> None:
    raw = deepcopy(SMALL)
    inner: Any = raw
    for step in place:
        inner = inner[step]
    inner[key] = "…"
    with pytest.raises(PermanentError, match=f"unknown keys {key}"):
        parse_contract(raw, "olympiad")


@pytest.mark.parametrize("key", ["title", "key", "columns", "basis"])
def test_a_missing_key_is_named(key: str) -> None:
    raw = {name: value for name, value in deepcopy(SMALL).items() if name != key}
    with pytest.raises(PermanentError, match=key):
        parse_contract(raw, "olympiad")


def test_a_column_that_a_layout_names_must_exist() -> None:
    raw = deepcopy(SMALL)
    raw["layouts"][0]["extract"] = {"winer": r"(\d+)"}
    with pytest.raises(PermanentError, match="winer"):
        parse_contract(raw, "olympiad")


def test_every_text_column_has_a_length_that_an_index_takes() -> None:
    keys = {(c.source, name) for c in contracts() for name in (*c.key, *c.slice) if name in c.column}
    lengths = {(c.source, column.name): column.max_length for c in contracts() for column in c.columns}
    assert all(0 < length <= 4_000 for length in lengths.values())
    assert all(lengths[name] <= 1_000 for name in keys)
    for contract in contracts():
        # A primary key takes 2704 bytes, and a Cyrillic letter is two; values of vocabularies are short words.
        parts = [contract.column[name] for name in contract.key if name in contract.column]
        width = sum(part.max_length for part in parts if part.type == "text" and not part.vocabulary)
        assert width < 1_300 or not (contract.fact and contract.key_is_filled), contract.source


def test_the_basis_is_a_document_that_the_project_knows() -> None:
    raw = deepcopy(SMALL)
    raw["basis"][0]["document"] = "kuzbas_2022"
    with pytest.raises(PermanentError, match="kuzbas_2022"):
        parse_contract(raw, "olympiad")


def test_a_fact_and_its_keys_are_read() -> None:
    raw = deepcopy(SMALL) | {"fact": {"area": "assessment", "name": "olympiad"}}
    assert parse_contract(raw, "olympiad").fact == Fact("assessment", "olympiad")
    raw["fact"]["by_hands"] = True
    with pytest.raises(PermanentError, match="fact: unknown keys by_hands"):
        parse_contract(raw, "olympiad")
