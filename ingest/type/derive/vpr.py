"""Participation and scores of a participant of ВПР."""

from __future__ import annotations

import polars as pl

from ingest.read.block import Block
from ingest.type.cells import ABSENT
from rsoko.contracts.model import UNREADABLE


def derive(frame: pl.DataFrame, block: Block, context: dict[str, str], key: bytes) -> pl.DataFrame:
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
