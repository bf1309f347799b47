"""Batches of one delivery → typed rows in the order of the raw table, with their slices, items and keys."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from ingest.read.block import Block, ItemColumn
from ingest.rejection import Rejection
from ingest.type.cells import at_most, expected, parse
from ingest.type.columns import (
    POLARS_TYPE,
    Whole,
    cell_rejections,
    item_column,
    replaced,
    shortened,
    too_long,
    typed_column,
    typed_whole,
    whole_column,
)
from ingest.type.derive import derived
from rsoko.base.errors import SupplierError
from rsoko.base.identity import identity
from rsoko.contracts.model import Column, Contract


@dataclass
class Normalised:
    """Typed rows in the order of the raw table, and what did not make it there."""

    frame: pl.DataFrame
    rejections: list[Rejection] = field(default_factory=list)
    rows_read: int = 0


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
        numbers, odd = typed_whole(batch, self._numbers(batch.columns))
        columns: dict[str, pl.Series] = {"row_no": batch["row_no"]}
        for column in contract.columns:
            if column.name in batch.columns and column.personal:
                columns[column.name] = batch[column.name]
            elif column.name in batch.columns:
                columns[column.name], named = self._cells(batch, column, numbers, odd, block)
                rejections += named
            elif (said := context.get(column.name, column.default)) is not None:
                value = pl.Series([_said(said, column)], dtype=POLARS_TYPE[column.type])
                columns[column.name] = value.new_from_index(0, batch.height)
            elif column.name in contract.slice and not (column.required or column.derived):
                empty = pl.Series([None], dtype=POLARS_TYPE[column.type])
                columns[column.name] = empty.new_from_index(0, batch.height)
        frame = pl.DataFrame([series.alias(name) for name, series in columns.items()])
        self._refuse_unknown(frame)
        frame = self._with_items(frame, batch, block, numbers, odd, rejections)
        frame = derived(contract, frame, block, context, self.key)
        frame = self._with_region(frame, block, context)
        frame, lost = self._drop_incomplete(frame, block)
        rejections += lost
        self._remember_items(frame, block, context.keys() - set(batch.columns))
        frame = self._with_slice(frame)
        self._remember_keys(frame)
        return Normalised(self._in_table_order(frame, block), rejections, batch.height)

    # -- parts

    def _cells(
        self, batch: pl.DataFrame, column: Column, numbers: pl.DataFrame, odd: dict[str, pl.Series], block: Block
    ) -> tuple[pl.Series, list[Rejection]]:
        """A typed column of the batch and its cells that can't be read."""
        text = batch[column.name]
        if column.name in numbers.columns:
            typed, unreadable = numbers[column.name], odd.get(column.name)
        else:
            typed, unreadable = typed_column(text, column)
        rejections: list[Rejection] = []
        for mask, wanted in ((unreadable, expected(column)), (too_long(typed, column), at_most(column))):
            if mask is not None:
                rejections += cell_rejections(
                    mask, batch["row_no"], block.sheet, column.name, column.title, wanted, self._quoted(text)
                )
                typed = typed.set(mask, None)
        usual = None if column.default is None else parse(column.default, column)[0]
        return typed if usual is None else typed.fill_null(usual), rejections

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

    def _numbers(self, names: list[str]) -> dict[str, Whole]:
        numbers = {
            column.name: whole_column(column)
            for column in self.contract.columns
            if column.name in names and column.type == "smallint"
            and not (column.personal or column.transform or column.pattern)
        }  # fmt: skip
        if items := self.contract.items:
            numbers |= {name: item_column(name, items.score_max) for name in names if name.startswith("item_")}
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
        wanted = f"балл от 0 до {self.contract.items.score_max}, X или «не пройд.»"
        prefix = self.contract.items.prefix
        for name, item in names.items():
            if name in odd:
                out += cell_rejections(
                    odd[name], batch["row_no"], block.sheet, name.replace("item", prefix), f"задание {item.label}",
                    wanted, self._quoted(batch[name]),
                )  # fmt: skip
        return frame.hstack(numbers.select(pl.col(name).alias(name.replace("item", prefix)) for name in names))

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
                regions = pl.lit(replaced(frame["organisation_code"], dict(zip(codes, own, strict=True)), pl.Int16()))
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


def _said(text: str, column: Column) -> object:
    """The value of a column that a title, an option or a name tells."""
    value, readable = parse(text, column)
    if readable and not (isinstance(value, str) and len(value) > column.max_length):
        return value
    wanted = at_most(column) if readable else expected(column)
    raise SupplierError(
        f"{column.title}: «{shortened(text)}» не читается; ожидается {wanted}.", code="unreadable_context"
    )


def _changes(frame: pl.DataFrame, names: list[str]) -> pl.Series:
    """Where a run of equal values of the columns begins."""
    changed = pl.any_horizontal(pl.col(name).ne_missing(pl.col(name).shift()) for name in names)
    return frame.select((changed | (pl.int_range(pl.len()) == 0)).alias("starts")).to_series()
