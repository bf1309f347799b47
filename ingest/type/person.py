"""Keyed hashes that stand for persons."""

from __future__ import annotations

import hashlib
import hmac
import re

import polars as pl

from rsoko.contracts.vocabulary import fold


def pseudonym(key: bytes, *parts: str) -> str:
    """Keyed hash that stands for a person; the same person has the same in every file of one installation."""
    text = "\x1f".join(fold(part) for part in parts)
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()[:32]


PARTICIPANT = [["document_number", "document_series"], ["last_name", "first_name", "middle_name", "ris_code"]]
"""By what a participant of ГИА is known, the better way first."""
PERSON = [["snils"], ["last_name", "first_name", "middle_name"]]
"""By what a teacher or leader is known."""


def person_hash(frame: pl.DataFrame, key: bytes, ways: list[list[str]], name: str) -> pl.Series:
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
