"""Items of ГИА from answer masks; procedure, grade, year and the participant's pseudonym."""

from __future__ import annotations

import polars as pl

from ingest.read.block import Block, ItemColumn
from ingest.type.person import PARTICIPANT, person_hash
from rsoko.contracts.model import NOT_ATTEMPTED, UNREADABLE
from rsoko.contracts.vocabulary import fold, vocabularies

LONG_FROM = 41
"""First item position of the tasks with a long answer: fixed, so that a short mask of another length moves nothing."""


def derive(frame: pl.DataFrame, block: Block, context: dict[str, str], key: bytes) -> pl.DataFrame:
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
        ItemColumn(LONG_FROM + n, f"К{n + 1}", maximum, kind="expert") for n, maximum in enumerate(maxima)
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
        person_hash(frame, key, PARTICIPANT, "participant_hash"),
    )  # fmt: skip
    return frame
