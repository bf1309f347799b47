"""What could not be read, as the ledger keeps it and the supplier is told."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Rejection:
    """A cell or a row that could not be read. `message` is Russian and holds no personal data."""

    sheet: str | None
    row_no: int | None
    column_name: str | None
    code: str
    severity: str
    is_row_rejected: bool
    message: str
