"""Transforms of single spellings, by the names that contracts use."""

from __future__ import annotations

import re
from collections.abc import Callable


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
