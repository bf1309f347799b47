"""Text cells → typed columns, column by column; whatever can't be read is named cell by cell.

Most cells are plain numbers and go the fast way; only the few that are not are looked at one spelling at a time, so the
cost of dirt is the cost of its distinct spellings, not of its rows.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache

import numpy as np
import polars as pl

from ingest.contract import NOT_ATTEMPTED, NOT_TAUGHT, UNREADABLE, Column, Contract, fold, vocabularies
from ingest.errors import SupplierError
from ingest.reading import Block, ItemColumn

ABSENT = -1
"""The variant a participant has who did not come (vocabulary `variant`)."""

_POLARS_TYPE: dict[str, pl.DataType] = {
    "smallint": pl.Int16(),
    "integer": pl.Int32(),
    "numeric": pl.Float64(),
    "text": pl.String(),
    "date": pl.Date(),
    "timestamp": pl.Datetime("us"),
    "boolean": pl.Boolean(),
}
_LIMITS = {"smallint": (0, 32_767), "integer": (0, 2_147_483_647), "numeric": (-99_999_999, 99_999_999)}
_DATE_FORMATS = (
    "%Y-%m-%d", "%d.%m.%Y", "%Y.%m.%d", "%d-%m-%Y",
    "%Y-%m-%d %H:%M:%S", "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%Y-%m-%dT%H:%M:%S",
)  # fmt: skip
_ITEM_STATES = {
    **dict.fromkeys(["x", "х", "n"], NOT_ATTEMPTED),
    **dict.fromkeys(["не пройд.", "не пройд", "не пройдена"], NOT_TAUGHT),
}
_EXPECTED = {
    "smallint": "целое число", "integer": "целое число", "numeric": "число", "date": "дата вида 31.05.2024",
    "timestamp": "дата и время", "boolean": "да или нет", "text": "текст",
}  # fmt: skip


@dataclass
class Rejection:
    """A cell or a row that could not be read. `message` is Russian and holds no personal data."""

    sheet: str | None
    row_no: int | None
    column_name: str | None
    code: str
    severity: str
    is_row_rejected: bool
    message: str


@dataclass
class Normalised:
    """Typed rows in the order of the raw table, and what did not make it there."""

    frame: pl.DataFrame
    rejections: list[Rejection] = field(default_factory=list)
    rows_read: int = 0


# --- transforms of single spellings ----------------------------------------------------------------------------------


def _login(text: str) -> str:
    found = re.search(r"(?:sch|ksh|edu)(\d{4,8})", text, re.IGNORECASE)
    return f"edu{found.group(1)}" if found else code(text)


def code(text: str) -> str:
    """A code as text: `9306.0` and `9306` are one code."""
    text = text.strip(" \u00a0\"'")
    return re.sub(r"^(\d+)[.,]0+$", r"\1", text)


def _inn(text: str) -> str:
    digits = code(text)
    # Excel eats the leading zero of regions 01–09.
    return (
        digits.zfill(10) if digits.isdigit() and len(digits) == 9 else digits.zfill(12) if len(digits) == 11 else digits
    )


def _plain(text: str) -> str | None:
    """Text of a scanned page: words that a line break cut are joined again."""
    return re.sub(r"(?<=[а-яё])- (?=[а-яё])", "", text) or None


_LATIN = str.maketrans("ABCEHKMOPTXYabcehkmoptxy", "АВСЕНКМОРТХУавсенкмортху")


def _class_label(text: str) -> str | None:
    label = re.sub(r"[\s\u00a0\"'«»()]+", "", code(text)).translate(_LATIN).upper()
    return None if label in {"НЕТ", "Н", "-"} else label or None


def _indicator_no(text: str) -> str:
    return code(text).replace(",", ".") if re.fullmatch(r"\d+[.,]0+", text) is None else text.strip().replace(",", ".")


def _bracketed(pattern: str) -> Callable[[str], str | None]:
    return lambda text: found.group(1) if (found := re.search(pattern, text)) else None


_INITIALS = r"[А-ЯЁ]\.(?:\s*[А-ЯЁ]\.)?"
_PERSONAL = re.compile(
    r"(?:[А-ЯЁ][а-яё-]+\s+){1,2}[А-ЯЁ][а-яё]+(?:[вь]ич|[оеи][вч]н)[а-яё]{0,3}(?:\s+[А-ЯЁ][а-яё-]+)?"  # patronymic
    rf"|[А-ЯЁ][а-яё-]+\s+{_INITIALS}|{_INITIALS}\s*[А-ЯЁ][а-яё-]+"  # surname and initials
    r"|\d(?:[\s()-]*\d){5,}"  # documents, СНИЛС, telephones
)


def without_names(text: str) -> str:
    """Free text without what names a person, no longer than 300 characters. A surname alone looks like any word."""
    return _PERSONAL.sub("[…]", text)[:300]


TRANSFORMS: dict[str, Callable[[str], str | None]] = {
    "login": _login,
    "code": code,
    "inn": _inn,
    "room": lambda text: code(text).zfill(4),
    "mask": lambda text: re.sub(r"[\s\u00a0]+", "", text) or None,
    "class_label": _class_label,
    "indicator_no": _indicator_no,
    "item_label": lambda text: re.sub(r"\s+", "", code(text)).replace("K", "К").replace(",", ".") or None,
    "plain": _plain,
    "before_bar": lambda text: text.split("|")[0].strip() if "|" in text else (code(text) if len(text) < 12 else None),
    "after_bar": lambda text: text.rsplit("|", 1)[-1].strip() or None,
    "login_in_brackets": _bracketed(r"\((edu\d+)\)"),
    "without_names": without_names,
    "municipality_in_brackets": _bracketed(r"\((reg\d+_m\d+)\)"),
}


def _number(text: str) -> float | None:
    text = re.sub(r"[\s\u00a0\u202f']", "", text).replace(",", ".").rstrip("%")
    return float(text) if re.fullmatch(r"[+-]?\d{1,12}(\.\d*)?", text, re.ASCII) else None


def _moment(text: str) -> datetime | None:
    text = text.strip().removesuffix(".000")
    for pattern in _DATE_FORMATS:
        try:
            return datetime.strptime(text, pattern)
        except ValueError:
            continue
    return None


def parse(text: str, column: Column) -> tuple[object, bool]:
    """One spelling → (typed value or None, readable?). An empty reading («нет отметки») is readable and None."""
    # U+0002 stands where a scanned page broke a word.
    value: str | None = re.sub(r"[\s\x00-\x1f\u00a0\u202f]+", " ", text.replace("\x02", "")).strip()
    if not value:
        return None, True
    if column.vocabulary:
        known = vocabularies()[column.vocabulary].get(fold(value))
        if known is None and column.vocabulary_default is not None:
            known = column.vocabulary_default
        if known is not None:
            value = known
            if not value:
                return None, True
        elif column.type in {"text", "boolean"}:
            return None, False
    if column.transform:
        value = TRANSFORMS[column.transform](value)
        if value is None:
            return None, True
    match column.type:
        case "text":
            return value, True
        case "boolean":
            return (value == "true", True) if value in {"true", "false"} else (None, False)
        case "date" | "timestamp":
            moment = _moment(value)
            return (moment.date() if moment and column.type == "date" else moment), moment is not None
    number = _number(value)
    if number is None or (column.type != "numeric" and number != int(number)):
        return None, False
    low, high = column.range or _LIMITS[column.type]
    if not low <= number <= high and not (column.vocabulary == "variant" and number == ABSENT):
        return None, False
    return (number if column.type == "numeric" else int(number)), True


# --- columns ---------------------------------------------------------------------------------------------------------


def _typed(text: pl.Series, column: Column) -> tuple[pl.Series, pl.Series | None]:
    """(typed column, mask of unreadable cells or None when all can be read)."""
    if column.pattern and (odd := (~text.str.contains(column.pattern)).fill_null(False)).any():
        typed, unreadable = _typed(text.set(odd, None), replace(column, pattern=None))
        return typed, odd if unreadable is None else odd | unreadable
    if column.type == "text" and column.transform == "code":
        # Codes have as many spellings as rows: strip the float's tail in one pass, and only where there is one.
        if text.str.contains("[^0-9A-Za-z]").any():
            text = (
                text.str.replace_all(r"[\x00-\x1f]", " ")
                .str.strip_chars(" \u00a0\"'")
                .str.replace(r"^(\d+)[.,]0+$", "$1")
            )
        return text, None
    readings = {spelling: parse(spelling, column) for spelling in text.unique() if spelling is not None}
    bad = [spelling for spelling, (_, readable) in readings.items() if not readable]
    typed = _replaced(text, {spelling: value for spelling, (value, _) in readings.items()}, _POLARS_TYPE[column.type])
    return typed, text.is_in(bad).fill_null(False) if bad else None


def _replaced(text: pl.Series, values: Mapping[str, object], dtype: pl.DataType) -> pl.Series:
    """The value of every spelling, null for those that have none. An Enum finds them at a third of a join's cost."""
    which = pl.first().cast(pl.Enum(list(values)), strict=False).to_physical()
    return text.to_frame().select(pl.lit(pl.Series(list(values.values()), dtype=dtype)).gather(which)).to_series()


def _item_state(text: str, score_max: int) -> tuple[int | None, bool]:
    """One spelling → (score or state or None, readable?)."""
    value = re.sub(r"[\s\u00a0\u202f]+", " ", text).strip().casefold()
    if not value:
        return None, True
    if value in _ITEM_STATES:
        return _ITEM_STATES[value], True
    number = _number(value)
    readable = number is not None and number == int(number) and 0 <= number <= score_max
    return (int(number), True) if readable else (UNREADABLE, False)  # type: ignore[arg-type]


@dataclass(frozen=True)
class _Whole:
    """How cells become small whole numbers: by `value`, and by `reading` where `odd` says that it is not good.

    `odd` finds the value under the column's name with « typed». Expressions are made once a process: making them takes
    longer than typing a small file.
    """

    value: pl.Expr
    odd: pl.Expr
    reading: Callable[[str], tuple[object, bool]]


def _whole(
    name: str, value: pl.Expr, good: Callable[[pl.Expr], pl.Expr], reading: Callable[[str], tuple[object, bool]]
) -> _Whole:
    odd = pl.col(name).is_not_null() & ~good(pl.col(f"{name} typed")).fill_null(False)
    return _Whole(value.alias(name), odd.alias(name), reading)


@lru_cache(None)
def _whole_column(column: Column) -> _Whole:
    # «0» may be a word of the vocabulary («вариант 0» is no variant), so those spellings go the long way.
    words = [int(word) for word in vocabularies()[column.vocabulary] if word.isdigit()] if column.vocabulary else []
    low, high = column.range or (0, 32767)
    return _whole(
        column.name,
        pl.col(column.name).cast(pl.Int16, strict=False),
        lambda value: value.is_between(low, high) & ~value.is_in(words),
        lambda spelling: parse(spelling, column),
    )


@lru_cache(None)
def _item_column(name: str, score_max: int) -> _Whole:
    # Without a sign «-1» is no number and can't pass for a state.
    score = pl.col(name).cast(pl.UInt8, strict=False).cast(pl.Int16)
    return _whole(
        name,
        pl.when(pl.col(name) == "X").then(pl.lit(NOT_ATTEMPTED, pl.Int16)).otherwise(score),
        lambda value: value <= score_max,
        lambda spelling: _item_state(spelling, score_max),
    )


def _typed_whole(batch: pl.DataFrame, numbers: dict[str, _Whole]) -> tuple[pl.DataFrame, dict[str, pl.Series]]:
    """Number columns, all at once, because many small steps would cost more than the cells do; and the masks of
    unreadable cells of the columns that have any."""
    typed = batch.select(number.value for number in numbers.values())
    odd = batch.hstack(typed.rename(lambda name: f"{name} typed")).select(number.odd for number in numbers.values())
    unreadable: dict[str, pl.Series] = {}
    for position, (name, number) in enumerate(numbers.items()):
        if not odd[name].any():
            continue
        spelled = batch[name].filter(odd[name]).to_list()
        readings = {spelling: number.reading(spelling) for spelling in set(spelled)}
        values = pl.Series([readings[spelling][0] for spelling in spelled], dtype=pl.Int16)
        typed.replace_column(position, typed[name].scatter(odd[name].to_numpy().nonzero()[0], values))
        if bad := [spelling for spelling, (_, readable) in readings.items() if not readable]:
            unreadable[name] = batch[name].is_in(bad).fill_null(False)
    return typed, unreadable


def _cell_rejections(
    mask: pl.Series,
    row_no: pl.Series,
    sheet: str | None,
    column: str,
    title: str,
    expected: str,
    text: pl.Series | None,
) -> list[Rejection]:
    """One rejection a cell. `text` is None for cells that may hold personal data."""
    rows = row_no.filter(mask).to_list()
    cells = [None] * len(rows) if text is None else text.filter(mask).to_list()
    return [
        Rejection(
            sheet, row, column, "unreadable_cell", "warn", False,
            f"Строка {row}, столбец «{title}»: {f'«{_short(cell)}»' if cell else 'значение'} не читается; "
            f"ожидается {expected}.",
        )
        for row, cell in zip(rows, cells, strict=True)
    ]  # fmt: skip


def _short(text: str) -> str:
    # Long cells are shifted free text: a few letters show the supplier which, and leak nothing.
    return text if len(text) <= 12 else text[:12] + "…"


# --- blocks ----------------------------------------------------------------------------------------------------------


@dataclass
class Normaliser:
    """Normalises the batches of one delivery and remembers what spans them: slices, items, the pseudonym key."""

    contract: Contract
    key: bytes
    default_region: int
    slices: dict[int, str] = field(default_factory=dict)
    items: dict[tuple[int, int, str, int], ItemColumn] = field(default_factory=dict)
    _keys: list[np.ndarray] = field(default_factory=list)

    @property
    def keys_are_unique(self) -> bool:
        """Whether no two rows so far share a key. Eight bytes a row remember it; hashes that meet by chance say no."""
        hashes = np.sort(np.concatenate(self._keys or [np.empty(0)]))
        return bool((hashes[1:] != hashes[:-1]).all())

    def batch(self, block: Block, batch: pl.DataFrame, context: dict[str, str]) -> Normalised:
        """Type one batch. `context` is what `merge_context` made of the block's surroundings."""
        contract = self.contract
        rejections: list[Rejection] = []
        numbers, odd = _typed_whole(batch, self._numbers(batch.columns))
        columns: dict[str, pl.Series] = {"row_no": batch["row_no"]}
        for column in contract.columns:
            if column.name in batch.columns:
                text = batch[column.name]
                if column.personal:
                    columns[column.name] = text
                    continue
                if column.name in numbers.columns:
                    typed, unreadable = numbers[column.name], odd.get(column.name)
                else:
                    typed, unreadable = _typed(text, column)
                usual = None if column.default is None else parse(column.default, column)[0]
                columns[column.name] = typed if usual is None else typed.fill_null(usual)
                if unreadable is not None:
                    quoted, expected = self._quoted(text), _expected(column)
                    rejections += _cell_rejections(
                        unreadable, batch["row_no"], block.sheet, column.name, column.title, expected, quoted
                    )
            elif (said := context.get(column.name, column.default)) is not None:
                value, readable = parse(said, column)
                if not readable:
                    raise SupplierError(
                        f"{column.title}: «{said}» не читается; ожидается {_expected(column)}.",
                        code="unreadable_context",
                    )
                columns[column.name] = pl.Series([value], dtype=_POLARS_TYPE[column.type]).new_from_index(
                    0, batch.height
                )
            elif column.name in contract.slice and not (column.required or column.derived):
                empty = pl.Series([None], dtype=_POLARS_TYPE[column.type])
                columns[column.name] = empty.new_from_index(0, batch.height)
        frame = pl.DataFrame([series.alias(name) for name, series in columns.items()])
        self._refuse_unknown(frame)
        frame = self._with_items(frame, batch, block, numbers, odd, rejections)
        frame = self._derive(frame, block, context)
        frame = self._with_region(frame, block, context)
        frame, lost = self._drop_incomplete(frame, block)
        rejections += lost
        self._remember_items(frame, block, context.keys() - set(batch.columns))
        frame = self._with_slice(frame)
        self._remember_keys(frame)
        return Normalised(self._in_table_order(frame, block), rejections, batch.height)

    # -- parts

    def _quoted(self, text: pl.Series) -> pl.Series | None:
        """Cells that a message may quote: none where a shifted row could put a name into any column."""
        named = (column.personal or column.transform == "without_names" for column in self.contract.columns)
        return None if any(named) else text

    def _refuse_unknown(self, frame: pl.DataFrame) -> None:
        missing = [c for c in self.contract.columns if c.required and not c.derived and c.name not in frame.columns]
        if missing:
            names = ", ".join(f"«{column.title}»" for column in missing)
            example = " ".join(f"--set {column.name}=…" for column in missing)
            raise SupplierError(
                f"Не известно: {names}. Ни внутри файла, ни в его имени этого нет. Назовите файл по образцу из "
                f"инструкции поставщика или укажите при доставке: {example}.",
                code="context_missing",
            )

    def _numbers(self, names: list[str]) -> dict[str, _Whole]:
        numbers = {
            column.name: _whole_column(column)
            for column in self.contract.columns
            if column.name in names and column.type == "smallint"
            and not (column.personal or column.transform or column.pattern)
        }  # fmt: skip
        if items := self.contract.items:
            numbers |= {name: _item_column(name, items.score_max) for name in names if name.startswith("item_")}
        return numbers

    def _with_items(
        self, frame: pl.DataFrame, batch: pl.DataFrame, block: Block, numbers: pl.DataFrame, odd: dict[str, pl.Series],
        out: list[Rejection],
    ) -> pl.DataFrame:  # fmt: skip
        if not self.contract.items or not block.items:
            return frame
        if len(block.items) > self.contract.items.max_count:
            raise SupplierError(
                f"В файле заданий {len(block.items)}, контракт источника «{self.contract.title}» рассчитан на "
                f"{self.contract.items.max_count}. Сообщите инженеру данных.",
                code="too_many_items",
            )
        names = {f"item_{item.position:02d}": item for item in block.items}
        expected = f"балл от 0 до {self.contract.items.score_max}, X или «не пройд.»"
        prefix = self.contract.items.prefix
        for name, item in names.items():
            if name in odd:
                out += _cell_rejections(
                    odd[name], batch["row_no"], block.sheet, name.replace("item", prefix), f"задание {item.label}",
                    expected, self._quoted(batch[name]),
                )  # fmt: skip
        return frame.hstack(numbers.select(pl.col(name).alias(name.replace("item", prefix)) for name in names))

    def _derive(self, frame: pl.DataFrame, block: Block, context: dict[str, str]) -> pl.DataFrame:
        match self.contract.derive:
            case "vpr":
                return _derive_vpr(frame, block)
            case "gia":
                return _derive_gia(frame, self.key, context, block)
            case "organisation":
                codes = [
                    c for c in ("organisation_code", "ris_code", "ogrn", "register_number", "inn") if c in frame.columns
                ]
                return frame.with_columns(pl.coalesce(codes).alias("source_organisation_code"))
        if "line_no" in self.contract.column:
            return frame.with_columns(pl.col("row_no").alias("line_no"))
        if "participant_name_hash" in self.contract.column:
            return frame.with_columns(
                _person_hash(frame, self.key, PARTICIPANT, "participant_hash"),
                _person_hash(frame, self.key, PARTICIPANT[1:], "participant_name_hash"),
            )
        if "person_hash" in self.contract.column:
            return frame.with_columns(
                _person_hash(frame, self.key, [["snils"], ["last_name", "first_name", "middle_name"]])
            )
        return frame

    def _with_region(self, frame: pl.DataFrame, block: Block, context: dict[str, str]) -> pl.DataFrame:
        told = context.get("region_code")
        base = pl.lit(int(told) if told else self.default_region, pl.Int16)
        if "organisation_code" in frame.columns:
            # The first two digits of a ФИС ОКО login are the region.
            codes = frame["organisation_code"].unique().drop_nulls()
            own = codes.str.extract(r"^edu(\d{2})\d{4}$", 1).cast(pl.Int16, strict=False)
            if own.n_unique() == 1 and not frame["organisation_code"].null_count():
                regions: pl.Expr = pl.lit(own[0], pl.Int16)
            else:
                regions = pl.lit(_replaced(frame["organisation_code"], dict(zip(codes, own, strict=True)), pl.Int16()))
            frame = frame.with_columns(pl.coalesce(regions, base).alias("region_code"))
            if told and (other := frame.filter(pl.col("region_code") != int(told))).height:
                raise SupplierError(
                    f"При доставке указан регион {told}, а логины школ в файле — региона {other['region_code'][0]} "
                    f"(строка {other['row_no'][0]}). Исправьте указание или файл.",
                    code="context_contradiction", row=other["row_no"][0],
                )  # fmt: skip
            return frame
        return frame.with_columns(base.alias("region_code"))

    def _drop_incomplete(self, frame: pl.DataFrame, block: Block) -> tuple[pl.DataFrame, list[Rejection]]:
        """Rows without a required value: they have no place in any slice, so they are named and left out."""
        required = [column for column in self.contract.columns if column.required]
        rejections: list[Rejection] = []
        keep = pl.Series([True]).new_from_index(0, frame.height)
        for column in required:
            if not frame[column.name].null_count():
                continue
            empty = frame[column.name].is_null() & keep
            keep &= ~empty
            rejections += [
                Rejection(block.sheet, row, column.name, "required_value", "error", True,
                          f"Строка {row}: не заполнено или не читается «{column.title}». Строка не загружена.")
                for row in frame["row_no"].filter(empty).to_list()
            ]  # fmt: skip
        return (frame, rejections) if not rejections else (frame.filter(keep), rejections)

    def _remember_items(self, frame: pl.DataFrame, block: Block, constant: set[str]) -> None:
        if not block.items or frame.is_empty():
            return
        works = {"year": pl.Int16(), "grade": pl.Int16(), "subject_code": pl.String()}
        present = [name for name in works if name in frame.columns]
        rows = frame.head(1) if constant >= set(present) else frame.select(present).filter(_changes(frame, present))
        for row in rows.select(present).iter_rows(named=True):
            for item in block.items:
                key = (row["year"], row.get("grade", 0), row.get("subject_code", ""), item.position)
                self.items[key] = item

    def _with_slice(self, frame: pl.DataFrame) -> pl.DataFrame:
        names = self.contract.slice
        # Files are sorted by school more often than not: hash the key once a run of rows, not once a row.
        starts = _changes(frame, names)
        first = (
            frame.select(names)
            .filter(starts)
            .select(pl.concat_str([pl.col(name).cast(pl.String).fill_null("") for name in names], separator="\x1f"))
            .to_series()
        )
        ids = {text: identity("slice", self.contract.source, text) for text in first.unique().to_list()}
        for text, number in ids.items():
            self.slices[number] = json.dumps(dict(zip(names, text.split("\x1f"), strict=True)), ensure_ascii=False)
        by_run = pl.Series([ids[text] for text in first.to_list()], dtype=pl.Int64)
        return frame.with_columns(by_run.gather(starts.cum_sum() - 1).alias("slice_id"))

    def _remember_keys(self, frame: pl.DataFrame) -> None:
        # The slice id stands for the columns it is made of.
        of_slice = self.contract.slice if set(self.contract.slice) <= set(self.contract.key) else []
        # An empty text is stored as none, and so is a column that one sheet has and another has not.
        rest = [
            pl.col(name).cast(pl.String).fill_null("") if name in frame.columns else pl.lit("").alias(name)
            for name in self.contract.key
            if name not in of_slice
        ]
        of_key = ["slice_id", *rest] if of_slice else rest
        self._keys.append(frame.select(of_key).hash_rows().to_numpy())

    def _in_table_order(self, frame: pl.DataFrame, block: Block) -> pl.DataFrame:
        names = [column.name for column in self.contract.stored_columns if column.name in frame.columns]
        items = [name for name in self.contract.items.columns if name in frame.columns] if self.contract.items else []
        return frame.select(
            "region_code", "slice_id", pl.lit(block.sheet, pl.String).alias("sheet"), "row_no", *names, *items
        )


def _changes(frame: pl.DataFrame, names: list[str]) -> pl.Series:
    """Where a run of equal values of the columns begins."""
    changed = pl.any_horizontal(pl.col(name).ne_missing(pl.col(name).shift()) for name in names)
    return frame.select((changed | (pl.int_range(pl.len()) == 0)).alias("starts")).to_series()


def _expected(column: Column) -> str:
    if column.vocabulary and column.type == "text":
        return "одно из: " + ", ".join(v for v in dict.fromkeys(vocabularies()[column.vocabulary].values()) if v)
    limits = f" от {column.range[0]:g} до {column.range[1]:g}" if column.range else ""
    return _EXPECTED[column.type] + limits


def merge_context(
    block: Block, name_context: dict[str, str], options: dict[str, str], contract: Contract
) -> tuple[dict[str, str], list[str]]:
    """What is known beside the cells: content first, then delivery options, then the file name.

    Content against an option is the supplier's to solve: SupplierError. A file name that says otherwise is overruled
    and told.
    """
    told: list[str] = []
    merged = dict(name_context)

    def same(name: str, left: str, right: str) -> bool:
        column = contract.column.get(name)
        return left == right if column is None else parse(left, column)[0] == parse(right, column)[0]

    for name, value in options.items():
        if name in merged and not same(name, merged[name], value):
            told.append(
                f"Имя файла говорит «{merged[name]}» ({_title(contract, name)}), при доставке указано «{value}»: "
                "взято указанное."
            )
        merged[name] = value
    for name, value in block.context.items():
        if name in options and not same(name, options[name], value):
            raise SupplierError(
                f"{_title(contract, name)}: внутри файла «{value}», при доставке указано «{options[name]}». "
                "Исправьте указание или файл.",
                code="context_contradiction",
            )
        if name in name_context and not same(name, name_context[name], value):
            told.append(
                f"Имя файла говорит «{name_context[name]}» ({_title(contract, name)}), внутри файла «{value}»: "
                "взято из файла."
            )
        merged[name] = value
    return merged, told


def _title(contract: Contract, name: str) -> str:
    return contract.column[name].title if name in contract.column else {"region_code": "Регион"}.get(name, name)


def from_file_name(file_name: str, contract: Contract, folder: str = "") -> dict[str, str]:
    """Year, grade, subject … as the first fitting pattern of the contract tells them; the name before its folder."""
    told: dict[str, str] = {}
    for patterns, text in ((contract.folder_names, folder), (contract.file_names, file_name)):
        if found := next((found for pattern in patterns if (found := pattern.search(text))), None):
            told |= {name: value.strip() for name, value in found.groupdict().items() if value}
    return told


def identity(*parts: str) -> int:
    """63 bits of SHA-256: ids that follow from content are the same in every replay, order and split."""
    return int.from_bytes(hashlib.sha256("\x1e".join(parts).encode()).digest()[:8], "big") >> 1


def pseudonym(key: bytes, *parts: str) -> str:
    """Keyed hash that stands for a person; the same person has the same in every file of one installation."""
    text = "\x1f".join(fold(part) for part in parts)
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()[:32]


PARTICIPANT = [["document_number", "document_series"], ["last_name", "first_name", "middle_name", "ris_code"]]
"""By what a participant of ГИА is known, the better way first."""


def _person_hash(frame: pl.DataFrame, key: bytes, ways: list[list[str]], name: str = "person_hash") -> pl.Series:
    """The pseudonym by the first way whose parts are all there; SNILS and documents count by their digits."""
    present = [[part for part in way if part in frame.columns] for way in ways]
    out: list[str | None] = []
    for row in frame.select(list(dict.fromkeys(part for way in present for part in way))).iter_rows(named=True):
        value = None
        for way in present:
            parts = [row[part] or "" for part in way]
            if way and parts[0].strip():
                if way[0] in {"snils", "document_number"}:
                    parts = [re.sub(r"\D", "", part) for part in parts]
                value = pseudonym(key, way[0], *parts)
                break
        out.append(value)
    return pl.Series(name, out, dtype=pl.String)


# --- derived columns -------------------------------------------------------------------------------------------------


def _derive_vpr(frame: pl.DataFrame, block: Block) -> pl.DataFrame:
    """Participation and scores of a ВПР participant; see the contract for what each column means."""
    items = [name for name in frame.columns if name.startswith("item_")]
    second = pl.col("variant_2") if "variant_2" in frame.columns else pl.lit(None, pl.Int16)
    reported = pl.col("reported_score") if "reported_score" in frame.columns else pl.lit(None, pl.Int16)
    said_absent = (pl.col("variant") == ABSENT).fill_null(False) | (second == ABSENT).fill_null(False)
    came = (pl.col("variant") > 0).fill_null(False) | (second > 0).fill_null(False)
    # Made once: as expressions they would be computed anew wherever they are used.
    some, bad = frame.select(
        pl.any_horizontal(pl.lit(False), pl.col(items).is_not_null()).alias("some"),
        pl.any_horizontal(pl.lit(False), pl.col(items).eq_missing(UNREADABLE)).alias("bad"),
    )
    any_item, unreadable = pl.lit(some), pl.lit(bad)
    # Forms fill «Итого баллов» with 0 for those who did not come: that is no score.
    reported = pl.when(said_absent & ~any_item & (reported == 0)).then(None).otherwise(reported)
    # States are below zero and add nothing.
    total = pl.Series(frame.select(items).fill_null(0).to_numpy().clip(0).sum(axis=1, dtype="int16"))
    computed = pl.when(any_item & ~unreadable).then(total)
    has_result = any_item | reported.is_not_null()
    participation = (
        pl.when(said_absent & ~came)
        .then(pl.lit("absent"))
        .when(has_result)
        .then(pl.lit("present"))
        .otherwise(pl.lit("no_result"))
    )
    frame = frame.with_columns(
        reported.alias("reported_score"), computed.alias("computed_score"), participation.alias("participation")
    )
    layout_max = sum(item.max_score or 0 for item in block.items) if all(item.max_score for item in block.items) else 0
    maximum = (
        [] if "max_score" in frame.columns or not layout_max else [pl.lit(layout_max, pl.Int16).alias("max_score")]
    )
    present = pl.col("participation") == "present"
    return frame.with_columns(
        pl.when(present).then(pl.coalesce("computed_score", "reported_score")).alias("primary_score"),
        *[
            pl.when(pl.col(v) == ABSENT).then(None).otherwise(pl.col(v)).alias(v)
            for v in ("variant", "variant_2")
            if v in frame.columns
        ],
        *maximum,
    )


LONG_FROM = 41
"""First item position of the tasks with a long answer: fixed, so that a short mask of another length moves nothing."""


def _derive_gia(frame: pl.DataFrame, key: bytes, context: dict[str, str], block: Block) -> pl.DataFrame:
    """Items from answer masks, procedure, grade, year and the participant's pseudonym.

    A short mask has one character a task (`+` full, `-` nothing, digit points), a long one `2(3)1(2)`: score(max) a
    criterion.
    """
    empty = pl.lit(None, pl.String)
    has = set(frame.columns)
    short = pl.col("short_mask") if "short_mask" in has else empty
    long = pl.col("long_mask") if "long_mask" in has else empty
    frame = frame.with_columns(
        short.str.split("").alias("_short"), long.str.extract_all(r"(?:\d+|[-+XХxх])\(\d+\)").alias("_long")
    )
    short_count = min(int(frame["_short"].list.len().max() or 0), LONG_FROM - 1)  # type: ignore[arg-type]
    long_count = min(int(frame["_long"].list.len().max() or 0), 60 - LONG_FROM + 1)  # type: ignore[arg-type]
    cells: list[pl.Expr] = []
    for position in range(1, short_count + 1):
        sign = pl.col("_short").list.get(position - 1, null_on_oob=True)
        cells.append(
            pl.when(sign == "+").then(1).when(sign == "-").then(0)
            .when(sign.str.contains(r"^[XxХх]$")).then(NOT_ATTEMPTED)
            .when(sign.str.contains(r"^\d$")).then(sign.cast(pl.Int16, strict=False))
            .when(sign.is_not_null()).then(UNREADABLE)
            .cast(pl.Int16).alias(f"item_{position:02d}")
        )  # fmt: skip
    maxima: list[int | None] = []
    for position in range(long_count):
        entry = pl.col("_long").list.get(position, null_on_oob=True)
        score = entry.str.extract(r"^(\d+)\(", 1).cast(pl.Int16)
        cells.append(
            pl.when(score.is_not_null()).then(score).when(entry.str.starts_with("-")).then(0)
            .when(entry.is_not_null()).then(NOT_ATTEMPTED).cast(pl.Int16).alias(f"item_{LONG_FROM + position:02d}")
        )  # fmt: skip
        maxima.append(frame.select(entry.str.extract(r"\((\d+)\)$", 1).cast(pl.Int16).max()).item())
    frame = frame.with_columns(cells)
    items = [name for name in frame.columns if name.startswith("item_")]
    block.items = [ItemColumn(n, str(n), kind="short") for n in range(1, short_count + 1)] + [
        ItemColumn(LONG_FROM + n, f"К{n + 1}", maximum, kind="long") for n, maximum in enumerate(maxima)
    ]
    total = pl.sum_horizontal(pl.col(items).clip(0)).cast(pl.Int16) if items else pl.lit(None, pl.Int16)
    any_item = pl.any_horizontal(pl.col(items).is_not_null()) if items else pl.lit(False)
    label = pl.col("class_label") if "class_label" in has else empty
    grade = label.str.extract(r"^(\d{1,2})", 1).cast(pl.Int16, strict=False)
    test = pl.col("test_score") if "test_score" in has else pl.lit(None, pl.Int16)
    number = int(context["exam_subject_no"]) if str(context.get("exam_subject_no", "")).isdigit() else 0
    if procedure := context.get("procedure_code"):
        stated = vocabularies()["procedure"].get(fold(procedure), procedure)
        form = pl.lit(stated)
    elif 50 < number < 60:
        form = pl.when(grade >= 11).then(pl.lit("gve11")).otherwise(pl.lit("gve9"))
    else:
        form = pl.when((grade >= 11) | test.is_not_null()).then(pl.lit("ege")).otherwise(pl.lit("oge"))
    frame = frame.with_columns(
        pl.when(any_item).then(total).alias("computed_score"),
        pl.lit(short_count, pl.Int16).alias("short_count"),
        form.alias("procedure_code"),
        pl.col("exam_date").dt.year().cast(pl.Int16).alias("year"),
        pl.coalesce(grade, pl.when(form.is_in(["ege", "gve11"])).then(11).otherwise(9)).cast(pl.Int16).alias("grade"),
        _person_hash(frame, key, PARTICIPANT, "participant_hash"),
    )  # fmt: skip
    return frame
