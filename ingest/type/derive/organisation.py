"""The code by which a register knows an organisation."""

from __future__ import annotations

import polars as pl

from ingest.read.block import Block

CODES = ("organisation_code", "ris_code", "ogrn", "register_number", "inn")
"""The better code first."""


def derive(frame: pl.DataFrame, block: Block, context: dict[str, str], key: bytes) -> pl.DataFrame:
    """The source's own code of the organisation: the best one that the row has."""
    codes = [code for code in CODES if code in frame.columns]
    return frame.with_columns(pl.coalesce(codes).alias("source_organisation_code"))
