"""Contracts: one YAML file describes one source once; everything else about the source is derived from it."""

from __future__ import annotations

import re
from dataclasses import MISSING, dataclass, field, fields, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Literal, TypeVar

import yaml

from rsoko.base.errors import PermanentError
from rsoko.contracts.vocabulary import documents, vocabularies

_T = TypeVar("_T")

CONTRACTS = Path(__file__).parent / "sources"
OPTIONS_SUFFIX = ".options.yml"
"""`<file>.options.yml` beside a delivered file says what the file itself does not."""

ColumnType = Literal["smallint", "integer", "numeric", "text", "date", "timestamp", "boolean"]
SQL_TYPE: dict[str, str] = {
    "smallint": "smallint",
    "integer": "integer",
    "numeric": "numeric(12, 4)",
    "text": "text",
    "date": "date",
    "timestamp": "timestamp",
    "boolean": "boolean",
}

NOT_ATTEMPTED, NOT_TAUGHT, UNREADABLE = -1, -2, -3
"""States of an item cell that is not a score; the field's word for each is in `vocabulary.yml` and the dictionary."""


CODE_LENGTH, TEXT_LENGTH = 64, 1_000
"""How long a text may be where its column does not say: a code, and any other text."""
_CODES = {"login", "login_in_brackets", "municipality_in_brackets", "code", "inn", "room", "item_label", "indicator_no"}


@dataclass(frozen=True)
class Column:
    """A canonical column. `context` values may come from a title, a file name or delivery options instead of a cell.

    `default` is what an empty cell or a missing column means. `length` is the most characters a text may have.
    Where a file holds personal data, a `pattern` keeps a shifted row from putting a name into a column that is stored.
    """

    name: str
    title: str
    type: ColumnType
    required: bool = False
    range: tuple[float, float] | None = None
    unit: str | None = None
    vocabulary: str | None = None
    vocabulary_default: str | None = None
    transform: str | None = None
    pattern: str | None = None
    description: str | None = None
    personal: Literal["hash"] | None = None
    default: str | None = None
    context: bool = False
    derived: bool = False
    length: int | None = None

    @property
    def max_length(self) -> int:
        """The most characters of a text: a longer one is a shifted or a pasted cell, and no index would take it."""
        return self.length or (CODE_LENGTH if self.transform in _CODES else TEXT_LENGTH)

    @property
    def never_empty(self) -> bool:
        """Every row that gets as far as core has a value here."""
        return self.required or self.default is not None

    @property
    def stored(self) -> bool:
        """Personal columns are hashed as they are read and never stored."""
        return self.personal is None


@dataclass(frozen=True)
class Items:
    """A family of numbered columns `<prefix>_01 … <prefix>_NN` (item scores, answers)."""

    prefix: str
    max_count: int
    score_max: int

    @cached_property
    def columns(self) -> list[str]:
        return [f"{self.prefix}_{number:02d}" for number in range(1, self.max_count + 1)]


@dataclass(frozen=True)
class Layout:
    """How one kind of file names the canonical columns."""

    id: str
    title: str
    header: dict[str, list[str]]
    required: list[str]
    sheet: str | None = None
    items: re.Pattern[str] | None = None
    items_end: str | None = None
    ignore: list[str] = field(default_factory=list)
    ignore_other: bool = False
    constants: dict[str, str] = field(default_factory=dict)
    title_row: re.Pattern[str] | None = None
    title_cells: dict[str, str] = field(default_factory=dict)
    region_row: re.Pattern[str] | None = None
    skip_where_empty: str | None = None
    declared_rows: re.Pattern[str] | None = None
    repeats: bool = False
    shifted_left: tuple[str, re.Pattern[str]] | None = None
    extract: dict[str, re.Pattern[str]] = field(default_factory=dict)
    spills: str | None = None
    first_row: dict[str, re.Pattern[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Fact:
    """The fact `core/<area>/fct_<name>` that holds the rows of a source, and their grain.

    It is made from the contract, one row for each of the source, unless it is written `by_hand`. `note` is what an
    analyst has to know besides (Russian).
    """

    area: str
    name: str
    by_hand: bool = False
    note: str = ""


@dataclass(frozen=True)
class Contract:
    """One source. See `docs/add_source.md` for the meaning of every key.

    A `register` says which organisations, municipalities … there are: of a batch it is processed first.
    """

    source: str
    version: int
    title: str
    entity: str
    grain: str
    responsible: str
    cadence: str
    schedule: str
    sla_hours: int
    basis: list[dict[str, str]]
    key: list[str]
    slice: list[str]
    tolerance: dict[str, float]
    controls: dict[str, dict[str, str]]
    columns: list[Column]
    layouts: list[Layout]
    items: Items | None = None
    fact: Fact | None = None
    derive: str | None = None
    register: bool = False
    file_names: list[re.Pattern[str]] = field(default_factory=list)
    folder_names: list[re.Pattern[str]] = field(default_factory=list)

    @cached_property
    def column(self) -> dict[str, Column]:
        return {column.name: column for column in self.columns}

    @cached_property
    def stored_columns(self) -> list[Column]:
        return [column for column in self.columns if column.stored]

    @property
    def key_is_filled(self) -> bool:
        """No part of the key is ever empty: it may be a primary key."""
        return all(self.column[name].never_empty for name in self.key if name in self.column)

    @property
    def table(self) -> str:
        return f"raw.{self.source}"


_LAYOUT_KEYS = {name.name for name in fields(Layout)} - {"skip_where_empty"} | {"skip_rows"}


def _layout(raw: dict[str, Any], where: str) -> Layout:
    _refuse_unknown_keys(raw, _LAYOUT_KEYS, {"id", "title"}, where)
    where = f"{where} {raw['id']!r}"
    skip, shifted = raw.get("skip_rows", {}), raw.get("shifted_left")
    _refuse_unknown_keys(skip, {"where_empty"}, set(), f"{where}: skip_rows")
    first_row = {name: re.compile(cell) for name, cell in raw.get("first_row", {}).items()}
    header = raw.get("header", {name: [] for name in first_row})
    pattern = lambda key: re.compile(raw[key], re.IGNORECASE) if raw.get(key) else None  # noqa: E731
    if shifted:
        _refuse_unknown_keys(shifted, {"column", "where"}, {"column", "where"}, f"{where}: shifted_left")
    return Layout(
        id=raw["id"],
        title=raw["title"],
        header=header,
        required=raw.get("required", [name for name in header if header[name]]),
        sheet=raw.get("sheet"),
        items=pattern("items"),
        items_end=raw.get("items_end"),
        ignore=[str(name) for name in raw.get("ignore", [])],
        ignore_other=raw.get("ignore_other", False),
        constants={name: _text(value) for name, value in raw.get("constants", {}).items()},
        title_row=pattern("title_row"),
        title_cells=raw.get("title_cells", {}),
        region_row=pattern("region_row"),
        skip_where_empty=skip.get("where_empty"),
        declared_rows=pattern("declared_rows"),
        repeats=raw.get("repeats", False),
        shifted_left=(shifted["column"], re.compile(shifted["where"])) if shifted else None,
        extract={name: re.compile(cell) for name, cell in raw.get("extract", {}).items()},
        spills=raw.get("spills"),
        first_row=first_row,
    )


def _text(value: object) -> str:
    """A yml scalar as a cell would spell it: `default: 0` and `default: false` mean their text."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _column(raw: dict[str, Any], where: str) -> Column:
    column = _made(Column, raw, where)
    if column.type not in SQL_TYPE:
        raise PermanentError(f"{where} {column.name!r}: type must be one of {', '.join(SQL_TYPE)}, not {column.type!r}")
    bounds = tuple(column.range) if column.range else None
    return replace(column, range=bounds, default=None if column.default is None else _text(column.default))  # type: ignore[arg-type]


def _made(kind: type[_T], raw: dict[str, Any], where: str) -> _T:
    """A dataclass from a yml mapping with exactly its keys."""
    required = {f.name for f in fields(kind) if f.default is MISSING and f.default_factory is MISSING}  # type: ignore[arg-type]
    _refuse_unknown_keys(raw, {f.name for f in fields(kind)}, required, where)  # type: ignore[arg-type]
    return kind(**raw)


def _refuse_unknown_keys(raw: dict[str, Any], known: set[str], required: set[str], where: str) -> None:
    if unknown := sorted(map(str, raw.keys() - known)):
        raise PermanentError(f"{where}: unknown keys {', '.join(unknown)}; known: {', '.join(sorted(known))}")
    if missing := sorted(required - raw.keys()):
        raise PermanentError(f"{where}: missing keys {', '.join(missing)}")


def _template(columns: list[Column], items: Items | None) -> Layout:
    """The layout every source has: Russian titles of the columns a supplier fills, items as «1 (2б)»."""
    supplied = [column for column in columns if not column.derived]
    return Layout(
        id="template",
        title="Шаблон поставщика",
        header={column.name: [column.title] for column in supplied},
        required=[column.name for column in supplied if column.required and not column.context],
        items=re.compile(r"^(?P<label>\d+(?:[.,]\d+)?(?:[КK]\d+)?)\s*\((?P<max>\d+)\s*б\)$") if items else None,
        skip_where_empty=None,
    )


@lru_cache
def load_contract(source: str) -> Contract:
    """Read and check the contract of `source`. Raises PermanentError when the file breaks the contract's own rules."""
    path = CONTRACTS / f"{source}.yml"
    if not path.exists():
        raise PermanentError(f"no contract for source {source!r}; known: {', '.join(sources())}")
    return parse_contract(yaml.safe_load(path.read_text(encoding="utf-8")), source)


def parse_contract(raw: dict[str, Any], source: str) -> Contract:
    """The contract that a yml document describes. Raises PermanentError that names the key that is wrong."""
    where = f"contract {source}"
    columns = [_column(spec, f"{where}: column") for spec in raw.get("columns", [])]
    items = _made(Items, raw["items"], f"{where}: items") if "items" in raw else None
    layouts = [_layout(layout, f"{where}: layout") for layout in raw.get("layouts", [])] + [_template(columns, items)]
    fact = _made(Fact, raw["fact"], f"{where}: fact") if "fact" in raw else None
    names = {
        key: [re.compile(pattern, re.IGNORECASE) for pattern in raw.get(key, [])]
        for key in ("file_names", "folder_names")
    }
    made = {"columns": columns, "items": items, "layouts": layouts, "fact": fact}
    contract = _made(Contract, raw | made | names, where)
    _check(contract)
    return contract


def _check(contract: Contract) -> None:
    known = set(contract.column) | {"region_code"}
    named = {*contract.key, *contract.slice}
    for layout in contract.layouts:
        named |= {*layout.header, *layout.required, *layout.extract, *layout.first_row}
        named |= {name for name in (layout.skip_where_empty, layout.spills) if name}
    if unknown := named - known:
        raise PermanentError(f"contract {contract.source}: unknown columns {sorted(unknown)}")
    if contract.slice[0] != "region_code" or contract.key[0] != "region_code":
        raise PermanentError(f"contract {contract.source}: region_code comes first in key and slice")
    if not set(contract.slice) <= set(contract.key) | {"ris_code"}:
        raise PermanentError(f"contract {contract.source}: the slice must be part of the key")
    for item in contract.basis:
        if item["document"] not in documents():
            raise PermanentError(f"contract {contract.source}: no document {item['document']!r} in documents.yml")
    for column in contract.columns:
        if column.vocabulary and column.vocabulary not in vocabularies():
            raise PermanentError(f"contract {contract.source}: no vocabulary {column.vocabulary!r}")


@lru_cache
def sources() -> tuple[str, ...]:
    """Names of all sources, in alphabetical order."""
    return tuple(sorted(path.stem for path in CONTRACTS.glob("*.yml")))


def contracts() -> list[Contract]:
    return [load_contract(source) for source in sources()]
