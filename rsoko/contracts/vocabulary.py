"""Vocabularies of the field (`vocabulary.yml`), its documents (`documents.yml`) and how spellings are compared."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

import yaml

PATH = Path(__file__).parent / "vocabulary.yml"


@lru_cache
def written() -> dict[str, dict[str, list[str]]]:
    """Vocabulary name → {canonical value: its spellings as the file has them; of a subject title and dative first}."""
    raw = yaml.safe_load(PATH.read_text(encoding="utf-8"))
    return {
        name: {str(value): [str(spelling) for spelling in spellings] for value, spellings in values.items()}
        for name, values in raw.items()
    }


@lru_cache
def vocabularies() -> dict[str, dict[str, str]]:
    """Vocabulary name → {spelling as `fold` gives it: canonical value}."""
    return {
        name: {
            fold(spelling): value for value, spellings in values.items() for spelling in [value, *spellings] if spelling
        }
        for name, values in written().items()
    }


@lru_cache
def documents() -> dict[str, str]:
    """Name by which the basis of a contract calls a document → its title."""
    titles: dict[str, str] = yaml.safe_load(PATH.with_name("documents.yml").read_text(encoding="utf-8"))
    return titles


def canonical(name: str) -> list[str]:
    """The values of a vocabulary that a column may hold, in the order of the file."""
    return [value for value in dict.fromkeys(vocabularies()[name].values()) if value]


_SPACES = re.compile(r"[\s\u00a0\u2007\u202f]+")


def fold(text: str) -> str:
    """Fold a spelling for comparison: case, ё, non-breaking and repeated spaces, quotes, look-alike K."""
    return _SPACES.sub(" ", text).strip(' "«»').casefold().replace("ё", "е")
