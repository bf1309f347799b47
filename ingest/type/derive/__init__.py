"""What is derived from the cells of a row: one module a source; persons and line numbers where a contract has them."""

from __future__ import annotations

import polars as pl

from ingest.read.block import Block
from ingest.type.derive import gia, organisation, vpr
from ingest.type.person import PARTICIPANT, PERSON, person_hash
from rsoko.contracts.model import Contract

_OF_SOURCE = {"vpr": vpr.derive, "gia": gia.derive, "organisation": organisation.derive}


def derived(contract: Contract, frame: pl.DataFrame, block: Block, context: dict[str, str], key: bytes) -> pl.DataFrame:
    """The typed rows with the contract's derived columns. `key` is the secret of the keyed hashes."""
    if contract.derive:
        return _OF_SOURCE[contract.derive](frame, block, context, key)
    if "line_no" in contract.column:
        frame = frame.with_columns(pl.col("row_no").alias("line_no"))
    if "participant_name_hash" in contract.column:
        frame = frame.with_columns(
            person_hash(frame, key, PARTICIPANT, "participant_hash"),
            person_hash(frame, key, PARTICIPANT[1:], "participant_name_hash"),
        )
    if "person_hash" in contract.column:
        frame = frame.with_columns(
            person_hash(frame, key, PERSON, "person_hash"), person_hash(frame, key, PERSON[1:], "person_name_hash")
        )
    return frame
