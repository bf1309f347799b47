"""What one file may hold and take: the reader works on files of strangers. docs/supplier.md states the same."""

from __future__ import annotations

UNPACKED_BYTES = 1 << 30
SHEETS = 200
ROWS = 1_000_000
COLUMNS = 702
"""Up to column ZZ."""
SHEET_CELLS = 16_000_000
"""Rows × columns from the first filled cell to the last: a reader of workbooks holds that many."""
CELL_CHARACTERS = 32_767
