"""What the eye takes for the same text: spaces, line breaks, footnote marks, look-alike letters, Unicode forms."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from rsoko.contracts.vocabulary import fold

RE_SAVE = "Сохраните файл заново в Excel как «Книга Excel (.xlsx)» или «CSV UTF-8» и пришлите ещё раз."

_LATIN, _CYRILLIC = "aceopxykmthbABCEHKMOPTXY", "асеорхукмтнвАВСЕНКМОРТХУ"
TO_CYRILLIC = str.maketrans(_LATIN, _CYRILLIC)
TO_LATIN = str.maketrans(_CYRILLIC, _LATIN)

_BREAK = re.compile(r"_x000[adAD]_|[\s\u00a0\u2007\u202f]+")
_UNSEEN = re.compile(r"[\u00ad\u200b-\u200f\u2060\ufeff]")
_FOOTNOTE = re.compile(r"[\s*†‡¹²³⁴⁵.:]+$")
_WORD = re.compile(r"[^\W\d_]+")


@lru_cache(1 << 14)
def clean(cell: str) -> str:
    """One line, single spaces, composed letters; letters of a word that mixes two alphabets are of one."""
    cell = re.sub(" +", " ", _BREAK.sub(" ", _UNSEEN.sub("", cell))).strip()
    return cell if cell.isascii() else _WORD.sub(_one_alphabet, unicodedata.normalize("NFC", cell))


def _one_alphabet(word: re.Match[str]) -> str:
    text = word[0]
    if text.isascii() or not re.search("[A-Za-z]", text):
        return text
    cyrillic = text.translate(TO_CYRILLIC)
    return text if re.search("[A-Za-z]", cyrillic) else cyrillic


@lru_cache(1 << 14)
def key(cell: str) -> str:
    """What two names of one column have in common."""
    return fold(_FOOTNOTE.sub("", clean(cell))).replace(" ", "").translate(TO_CYRILLIC)
