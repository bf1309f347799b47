"""Three kinds of failure; who has to act decides which."""

from __future__ import annotations


class RsokoError(Exception):
    """Base of every error that rsoko raises on purpose."""


class TransientError(RsokoError):
    """Time heals it (a lost connection, a busy lock): the same call may be made again."""


class PermanentError(RsokoError):
    """Our fault: a bug or a setting. Calling again changes nothing."""


class SupplierError(RsokoError):
    """The supplier's fault: the delivery is rejected and the Russian `message` says what to correct.

    Args:
        message: Russian, one sentence or two, without personal data.
        sheet, row, column: where in the file; `row` as the supplier sees it, from 1.
        code: stable machine name of the fault, as in `meta.rejection.code`.
    """

    def __init__(
        self,
        message: str,
        *,
        sheet: str | None = None,
        row: int | None = None,
        column: str | None = None,
        code: str = "unreadable",
    ) -> None:
        super().__init__(message)
        self.message, self.sheet, self.row, self.column, self.code = message, sheet, row, column, code

    def __str__(self) -> str:
        place = [
            f"{name} {value if name == 'строка' else f'«{value}»'}"
            for name, value in (("лист", self.sheet), ("строка", self.row), ("столбец", self.column))
            if value is not None
        ]
        return f"{', '.join(place)}: {self.message}" if place else self.message

    def __reduce__(self) -> tuple[object, ...]:
        # Keyword-only arguments do not survive the default pickling between worker processes.
        return _supplier_error, (self.message, self.sheet, self.row, self.column, self.code)


def _supplier_error(message: str, sheet: str | None, row: int | None, column: str | None, code: str) -> SupplierError:
    return SupplierError(message, sheet=sheet, row=row, column=column, code=code)
