"""Ids that follow from content."""

from __future__ import annotations

import hashlib


def identity(*parts: str) -> int:
    """63 bits of SHA-256: ids that follow from content are the same in every replay, order and split."""
    return int.from_bytes(hashlib.sha256("\x1e".join(parts).encode()).digest()[:8], "big") >> 1
