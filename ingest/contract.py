"""Contracts: one YAML file describes one source once; everything else about the source is derived from it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Literal

import yaml

from ingest.errors import PermanentError

LARGE_LOAD = 100_000
"""Rows from which on a load is worth the server's parallel workers and an autovacuum of its own."""

CONTRACTS = Path(__file__).parent / "contracts"

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


@dataclass(frozen=True)
class Column:
    """A canonical column. `context` values may come from a title, a file name or delivery options instead of a cell.

    `default` is what an empty cell or a missing column means.
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
class Contract:
    """One source. See `docs/add_source.md` for the meaning of every key."""

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
    derive: str | None = None
    file_names: list[re.Pattern[str]] = field(default_factory=list)
    folder_names: list[re.Pattern[str]] = field(default_factory=list)

    @cached_property
    def column(self) -> dict[str, Column]:
        return {column.name: column for column in self.columns}

    @cached_property
    def stored_columns(self) -> list[Column]:
        return [column for column in self.columns if column.stored]

    @property
    def table(self) -> str:
        return f"raw.{self.source}"


def _layout(raw: dict[str, Any]) -> Layout:
    first_row = {name: re.compile(cell) for name, cell in raw.get("first_row", {}).items()}
    header = raw.get("header", {name: [] for name in first_row})
    shifted = raw.get("shifted_left")
    pattern = lambda key: re.compile(raw[key], re.IGNORECASE) if raw.get(key) else None  # noqa: E731
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
        constants=raw.get("constants", {}),
        title_row=pattern("title_row"),
        title_cells=raw.get("title_cells", {}),
        region_row=pattern("region_row"),
        skip_where_empty=raw.get("skip_rows", {}).get("where_empty"),
        declared_rows=pattern("declared_rows"),
        repeats=raw.get("repeats", False),
        shifted_left=(shifted["column"], re.compile(shifted["where"])) if shifted else None,
        extract={name: re.compile(cell) for name, cell in raw.get("extract", {}).items()},
        spills=raw.get("spills"),
        first_row=first_row,
    )


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
    raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    columns = [
        Column(**{**spec, "range": tuple(spec["range"]) if "range" in spec else None}) for spec in raw.pop("columns")
    ]
    items = Items(**raw.pop("items")) if "items" in raw else None
    layouts = [_layout(layout) for layout in raw.pop("layouts")] + [_template(columns, items)]
    names, folders = (
        [re.compile(pattern, re.IGNORECASE) for pattern in raw.pop(key, [])] for key in ("file_names", "folder_names")
    )
    contract = Contract(columns=columns, items=items, layouts=layouts, file_names=names, folder_names=folders, **raw)
    _check(contract)
    return contract


def _check(contract: Contract) -> None:
    known = set(contract.column) | {"region_code"}
    named = {*contract.key, *contract.slice, *(name for layout in contract.layouts for name in layout.header)}
    if unknown := named - known:
        raise PermanentError(f"contract {contract.source}: unknown columns {sorted(unknown)}")
    if contract.slice[0] != "region_code" or contract.key[0] != "region_code":
        raise PermanentError(f"contract {contract.source}: region_code comes first in key and slice")
    if not set(contract.slice) <= set(contract.key) | {"ris_code"}:
        raise PermanentError(f"contract {contract.source}: the slice must be part of the key")
    for column in contract.columns:
        if column.vocabulary and column.vocabulary not in vocabularies():
            raise PermanentError(f"contract {contract.source}: no vocabulary {column.vocabulary!r}")


@lru_cache
def sources() -> tuple[str, ...]:
    """Names of all sources, in alphabetical order."""
    return tuple(sorted(path.stem for path in CONTRACTS.glob("*.yml") if path.stem != "vocabulary"))


def contracts() -> list[Contract]:
    return [load_contract(source) for source in sources()]


@lru_cache
def vocabularies() -> dict[str, dict[str, str]]:
    """Vocabulary name → {spelling as `fold` gives it: canonical value}."""
    raw = yaml.safe_load((CONTRACTS / "vocabulary.yml").read_text(encoding="utf-8"))
    return {
        name: {
            fold(str(spelling)): str(value)
            for value, spellings in values.items()
            for spelling in [value, *spellings]
            if str(spelling)
        }
        for name, values in raw.items()
    }


_SPACES = re.compile(r"[\s\u00a0\u2007\u202f]+")


def fold(text: str) -> str:
    """Fold a spelling for comparison: case, ё, non-breaking and repeated spaces, quotes, look-alike K."""
    return _SPACES.sub(" ", text).strip(' "«»').casefold().replace("ё", "е")
