"""Suites: `suites/<source>.yml` with the checks of the field, and generic checks that the contract implies."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import yaml

from rsoko.base.errors import PermanentError
from rsoko.contracts.model import Column, Contract, load_contract
from rsoko.contracts.vocabulary import canonical

SUITES = Path(__file__).parent / "suites"
PARAMETER = "$PARAMETER"
Severity = Literal["error", "warn"]


@dataclass(frozen=True)
class Check:
    """One check of a suite.

    Args:
        code: name of the check, unique in the suite; also the code of what it finds in `meta.rejection`.
        expectation: Great Expectations type, `expect_…`.
        title: what is expected, Russian, a statement.
        message: what is wrong with a row, Russian, with {value}, {bound} … of the class; without the place.
        advice: what the supplier does about a warning, Russian; errors say it by their outcome.
        severity: `error` rejects the load when the expectation fails, `warn` publishes and records.
        tolerance: share of rows that may break the check before it fails.
        quarantine: rows that break a check within its tolerance leave the load one by one.
        owner: who answers for it.
        protects: marts that would be wrong without it.
    """

    code: str
    expectation: str
    kwargs: dict[str, Any]
    title: str
    message: str
    severity: Severity
    owner: str
    protects: list[str]
    advice: str = ""
    tolerance: float = 0.0
    quarantine: bool = False

    @property
    def column(self) -> str | None:
        """The column it is about, when it is about one."""
        names = (self.kwargs.get(name) for name in ("column", "reported", "score", "mark", "later"))
        return next((name for name in names if name), None)

    @property
    def parameters(self) -> list[str]:
        """Names of the values that only the load itself can tell."""
        return [v[PARAMETER] for v in self.kwargs.values() if isinstance(v, dict) and PARAMETER in v]


@dataclass(frozen=True)
class Suite:
    """All checks of one source, generic ones first."""

    source: str
    checks: list[Check] = field(default_factory=list)


@lru_cache
def load_suite(source: str) -> Suite:
    """Read the suite of `source`. Raises PermanentError when the file lacks something."""
    contract = load_contract(source)
    path = SUITES / f"{source}.yml"
    if not path.exists():
        raise PermanentError(f"no expectation suite for source {source!r}")
    raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    common = {"owner": contract.responsible, "protects": raw["protects"]}
    share = contract.tolerance["rejected_row_share"]
    checks = [Check(**(common | spec)) for spec in _generic(contract)]
    for spec in raw["checks"]:
        quarantine = spec.get("quarantine", False)
        checks.append(Check(**(common | {"tolerance": share if quarantine else 0.0, "kwargs": {}} | spec)))
    codes = [check.code for check in checks]
    if doubled := {code for code in codes if codes.count(code) > 1}:
        raise PermanentError(f"suite {source}: check codes repeat: {sorted(doubled)}")
    return Suite(source, checks)


def _generic(contract: Contract) -> list[dict[str, Any]]:
    """Checks of every column by its contract. The reader has seen to them already: that it did is what these prove."""
    specs: list[dict[str, Any]] = [
        {
            "code": "key_repeated",
            "expectation": "expect_key_unique",
            "kwargs": _key(contract),
            "title": "Строки с одним ключом не повторяются",
            "message": "{repeat}",
            "severity": "error",
            "quarantine": True,
            "tolerance": contract.tolerance["rejected_row_share"],
        }
    ]
    for column in contract.stored_columns:
        if column.required:
            specs.append(_generic_check("required", column, "expect_required_value", {}, "заполнено", "не заполнено"))
        if column.range:
            low, high = column.range
            bounds = f"от {low:g} до {high:g}"
            specs.append(
                _generic_check(
                    "range", column, "expect_value_in_range", {"minimum": low, "maximum": high}, bounds,
                    f"{{value}} вне допустимого: {bounds}",
                )
            )  # fmt: skip
        if column.vocabulary and column.type == "text":
            values = canonical(column.vocabulary)
            specs.append(
                _generic_check(
                    "vocabulary", column, "expect_value_in_vocabulary", {"values": values}, "из словаря",
                    f"нет в словаре; допустимо: {', '.join(values)}",
                )
            )  # fmt: skip
    return specs


def _generic_check(
    family: str, column: Column, expectation: str, kwargs: dict[str, Any], title: str, message: str
) -> dict[str, Any]:
    return {
        "code": f"{family}_{column.name}",
        "expectation": expectation,
        "kwargs": {"column": column.name, **kwargs},
        "title": f"«{column.title}» — {title}",
        "message": message,
        "severity": "error",
    }


def _key(contract: Contract) -> dict[str, Any]:
    """The slice id stands for its columns where the slice is a part of the key, which spares most of the hashing."""
    kwargs: dict[str, Any] = {
        "load_id": {PARAMETER: "load_id"}, "proven": {PARAMETER: "keys_are_unique"}, "key": contract.key,
    }  # fmt: skip
    if set(contract.slice) <= set(contract.key):
        kwargs |= {"key": [name for name in contract.key if name not in contract.slice], "seed": "slice_id"}
    return kwargs
