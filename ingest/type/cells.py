"""One spelling → one typed value, or the word that it cannot be read."""

from __future__ import annotations

import re
from datetime import datetime

from ingest.type.transforms import TRANSFORMS
from rsoko.contracts.model import NOT_ATTEMPTED, NOT_TAUGHT, UNREADABLE, Column
from rsoko.contracts.vocabulary import fold, vocabularies

ABSENT = -1
"""The variant a participant has who did not come (vocabulary `variant`)."""

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


def item_state(text: str, score_max: int) -> tuple[int | None, bool]:
    """One spelling → (score or state or None, readable?)."""
    value = re.sub(r"[\s\u00a0\u202f]+", " ", text).strip().casefold()
    if not value:
        return None, True
    if value in _ITEM_STATES:
        return _ITEM_STATES[value], True
    number = _number(value)
    readable = number is not None and number == int(number) and 0 <= number <= score_max
    return (int(number), True) if readable else (UNREADABLE, False)  # type: ignore[arg-type]


def expected(column: Column) -> str:
    if column.vocabulary and column.type == "text":
        return "одно из: " + ", ".join(v for v in dict.fromkeys(vocabularies()[column.vocabulary].values()) if v)
    limits = f" от {column.range[0]:g} до {column.range[1]:g}" if column.range else ""
    return _EXPECTED[column.type] + limits


def at_most(column: Column) -> str:
    return f"не больше {column.max_length} знаков"
