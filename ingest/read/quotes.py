"""Records of csv files whose inner quotes are not doubled: some portals export so."""

from __future__ import annotations

import csv
import io
import re

import polars as pl


def are_loose(text: str, delimiter: str) -> bool:
    """Quotes inside a quoted field that are not doubled: some portals export so."""
    complete = text[: text.rfind("\n") + 1] or text
    try:
        for _ in csv.reader(io.StringIO(complete), delimiter=delimiter, strict=True):
            pass
    except csv.Error as error:
        # A sample may end inside a quoted field; anything else is a quote out of place.
        return "unexpected end" not in str(error)
    return False


def parse_loosely(chunk: bytes, names: list[str], delimiter: str) -> pl.DataFrame:
    """Fields split at quote–delimiter–quote, records at a line break before a quote: inner quotes stay as they are."""
    sign = re.escape(delimiter)
    between = re.compile(rf'(?<="){sign}(?=")|(?<=\d){sign}(?=")|(?<="){sign}(?=-?[\d.]+(?:{sign}|$))')
    records = []
    for line in re.split(rf'(?<=["\d{sign}])\r?\n(?="|\d|$)', chunk.decode()):
        if not line.strip():
            continue
        # A run of delimiters between quotes is a run of empty fields.
        line = re.sub(rf'(?<="){sign}+$', lambda run: f'{delimiter}""' * len(run[0]), line.strip("\r\n"))
        line = re.sub(rf'(?<="){sign}{{2,}}(?=")', lambda run: delimiter + f'""{delimiter}' * (len(run[0]) - 1), line)
        cells = [cell.removeprefix('"').removesuffix('"').replace('""', '"') for cell in between.split(line)]
        records.append((cells + [""] * len(names))[: len(names)])
    frame = pl.DataFrame(records, schema=dict.fromkeys(names, pl.String), orient="row")
    return frame.with_columns(pl.when(pl.all() != "").then(pl.all()))
