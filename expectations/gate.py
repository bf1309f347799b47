"""The gate: Great Expectations decides whether a staged load is good, our SQL names the faults and sets bad rows aside.

It runs inside the transaction that staged the load, before anything is published, and leaves its end to the caller.
What it writes is all there or not at all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import psycopg

from expectations.suite import Check, load_suite
from rsoko.base.planner import near
from rsoko.contracts.gate import CheckResult, Verdict
from rsoko.contracts.in_force import in_force_on
from rsoko.contracts.model import Contract, contracts, load_contract

if TYPE_CHECKING:
    from expectations.validation import Decision

NAMED_ROWS = 1_000
"""Rows named for one check that sets none of them aside; its result tells how many there are."""

_NO_LIMIT = 1_000
_SKIPPED = {
    "maxima": "в файле нет заданий",
    "scale": "шкалы перевода баллов в отметки для этих работ нет",
}


@dataclass(frozen=True)
class _Finding:
    """One row of `meta.rejection`; `place` is the ctid of the row in the raw table."""

    check: Check
    place: str | None
    sheet: str | None
    row_no: int | None
    column: str | None
    what: str


def check(
    connection: psycopg.Connection, contract: Contract, load_id: int, checked_at: datetime, *,
    scales: Sequence[Mapping[str, str]], keys_are_unique: bool = False,
) -> Verdict:  # fmt: skip
    """Check the staged rows of `load_id`, record results and findings, and remove the rows that are set aside.

    Args:
        connection: may be in a transaction; uncommitted rows of the load are checked too.
        checked_at: moment of the check, timezone-aware: results of every check of a load stay, as its history.
        scales: rows of seed `work_scale`; a verdict must not depend on whether dbt has run before.
        keys_are_unique: the reader has seen no key twice, which spares counting them here.

    Raises TransientError when the connection is lost, PermanentError when a check itself is broken.
    """
    with connection.transaction():
        parameters = _parameters(connection, contract, load_id, scales, keys_are_unique)
        staged = connection.execute("select rows_staged from meta.load where load_id = %s", [load_id]).fetchone()
        with near(connection, staged[0] if staged else 0):
            return _check(connection, contract, parameters, checked_at)


def _check(
    connection: psycopg.Connection, contract: Contract, parameters: dict[str, Any], checked_at: datetime
) -> Verdict:
    suite, load_id = load_suite(contract.source), parameters["load_id"]
    runnable = [item for item in suite.checks if all(parameters[name] for name in item.parameters if name in _SKIPPED)]
    decisions, findings = _decide(connection, contract, runnable, parameters)
    rows = next(iter(decisions.values())).rows
    results = [_result(item, decisions.get(item.code), rows) for item in suite.checks]
    fatal = [result for result in results if not result.is_success and result.severity == "error"]
    aside = {
        finding.place
        for code, group in findings.items()
        for finding in group
        if finding.place and finding.check.quarantine and decisions[code].success
    }
    if aside:
        share = _quarantine_share(connection, contract, load_id, rows, len(aside))
        results.append(share)
        if not share.is_success:
            fatal.append(share)
    _record(connection, load_id, checked_at, results, findings, set() if fatal else aside)
    if fatal:
        return Verdict(False, 0, results, _why_rejected(fatal, findings))
    if aside:
        connection.execute(f"delete from {contract.table} where ctid = any(%s::tid[])", [list(aside)])
    return Verdict(True, len(aside), results)


def _decide(
    connection: psycopg.Connection, contract: Contract, checks: list[Check], parameters: dict[str, Any]
) -> tuple[dict[str, Decision], dict[str, list[_Finding]]]:
    """Decisions by check code, and the rows of those that found some."""
    # Great Expectations costs seconds to import: only who checks a load pays for it.
    from expectations.validation import validate

    decisions, findings = validate(connection, contract, checks, parameters), {}
    for item in checks:
        decision = decisions[item.code]
        if decision.violations:
            limit = "" if item.quarantine and decision.success else f" limit {NAMED_ROWS}"
            naming = decision.expectation.naming(parameters["load_id"]) + limit
            findings[item.code] = _name(connection, contract, parameters["load_id"], item, naming)
    return decisions, findings


def check_again(connection: psycopg.Connection, checked_at: datetime) -> list[int]:
    """Take again the checks that read registers, for accepted loads of which one of them warned.

    Their rows are where they were: a warning that the registers answer by now goes, another count takes its place.
    Returns the ids of the loads that were looked at.
    """
    codes = {
        contract.source: [item for item in load_suite(contract.source).checks if "registers" in item.parameters]
        for contract in contracts()
    }
    waiting = connection.execute(
        """
        select load_id, source
        from (
            select distinct on (load_id, check_code) load_id, check_code, is_success
            from meta.gate_result
            where check_code = any(%s)
            order by load_id, check_code, checked_at desc
        ) as last_result
        inner join meta.load using (load_id)
        where not is_success and status in ('published', 'superseded')
        group by load_id, source
        order by load_id
        """,
        [sorted({item.code for items in codes.values() for item in items})],
    ).fetchall()
    for load_id, source in waiting:
        contract, checks = load_contract(source), codes[source]
        parameters = {"load_id": load_id, "registers": _registers(connection)}
        decisions, findings = _decide(connection, contract, checks, parameters)
        results = [_result(item, decisions[item.code], decisions[item.code].rows) for item in checks]
        connection.execute(
            "delete from meta.rejection where load_id = %s and stage = 'gate' and code = any(%s)",
            [load_id, [item.code for item in checks]],
        )
        _record(connection, load_id, checked_at, results, findings, set())
    return [load_id for load_id, _ in waiting]


# --- what only the load can tell --------------------------------------------------------------------------------------


def _parameters(
    connection: psycopg.Connection, contract: Contract, load_id: int, seeded: Sequence[Mapping[str, str]],
    keys_are_unique: bool = False,
) -> dict[str, Any]:  # fmt: skip
    scales = _scales(connection, contract, load_id, seeded)
    return {
        "load_id": load_id,
        "keys_are_unique": keys_are_unique,
        "maxima": _maxima(connection, contract, load_id),
        "limits": [(work, int(row["max_score"])) for work, row in scales if row["max_score"]],
        "scale": [(work, _mark_steps(row)) for work, row in scales if row["min_score_3"]],
        "registers": _registers(connection),
    }


def _registers(connection: psycopg.Connection) -> list[tuple[int, int]]:
    """(load id, slice id) of the current registers of organisations."""
    query = "select load_id, slice_id from meta.current_load where source = 'organisation' order by 1, 2"
    return connection.execute(query).fetchall()


def _maxima(
    connection: psycopg.Connection, contract: Contract, load_id: int
) -> list[tuple[dict[str, Any], dict[str, int]]]:
    if contract.items is None:
        return []
    works: dict[tuple[int, int, str], dict[str, int]] = defaultdict(dict)
    rows = connection.execute(
        "select year, grade, subject_code, item_no, max_score from meta.load_item where load_id = %s "
        "order by 1, 2, 3, 4",
        [load_id],
    ).fetchall()
    for year, grade, subject, number, maximum in rows:
        name = contract.items.columns[number - 1]
        works[year, grade, subject][name] = contract.items.score_max if maximum is None else maximum
    return [(_work(contract, *work), maxima) for work, maxima in works.items()]


def _scales(
    connection: psycopg.Connection, contract: Contract, load_id: int, seeded: Sequence[Mapping[str, str]]
) -> list[tuple[dict[str, Any], Mapping[str, str]]]:
    """The seeded scale of each of the load's works that has one, beside the work as columns of the raw table."""
    works = connection.execute(
        "select distinct year, grade, subject_code from meta.load_item where load_id = %s order by 1, 2, 3", [load_id]
    ).fetchall()
    found = []
    for year, grade, subject in works:
        for row in seeded:
            work = _work(contract, year, grade, subject)
            if "procedure_code" in contract.column:
                work["procedure_code"] = row["procedure_code"]
            elif row["procedure_code"] != contract.source:
                continue
            same = (int(row["grade"]), row["subject_code"]) == (grade, subject)
            if same and row["valid_from"] <= in_force_on("assessment", year).isoformat() <= row["valid_to"]:
                found.append((work, row))
    return found


def _mark_steps(row: Mapping[str, str]) -> list[tuple[int, int, int]]:
    """(mark, lowest, highest score) of a scale."""
    bounds = [0, *(int(row[f"min_score_{mark}"]) for mark in (3, 4, 5)), _NO_LIMIT]
    return [(mark, bounds[mark - 2], bounds[mark - 1] - 1) for mark in (2, 3, 4, 5)]


def _work(contract: Contract, year: int, grade: int, subject: str) -> dict[str, Any]:
    """The work of meta.load_item as columns of the raw table, those of them that the source has."""
    values = {"year": year, "grade": grade, "subject_code": subject}
    return {name: value for name, value in values.items() if name in contract.column}


# --- naming -----------------------------------------------------------------------------------------------------------


def _name(connection: psycopg.Connection, contract: Contract, load_id: int, item: Check, query: str) -> list[_Finding]:
    labels = _item_labels(connection, contract, load_id)
    findings = []
    for place, sheet, row_no, column, fields in connection.execute(query).fetchall():
        what = item.message.format(**{name: _written(value) for name, value in fields.items()})
        title = labels.get(column) or (contract.column[column].title if column else None)
        where = f"Строка {row_no}, столбец «{title}»" if title else f"Строка {row_no}"
        findings.append(_Finding(item, place, sheet, row_no, column, f"{where}: {what}."))
    return findings


def _written(value: Any) -> str:
    """As a supplier writes it: a decimal comma, no trailing zeros, thousands apart."""
    if isinstance(value, float):
        return f"{value:g}".replace(".", ",")
    return f"{value:,}".replace(",", "\u00a0") if isinstance(value, int) else str(value)


def _item_labels(connection: psycopg.Connection, contract: Contract, load_id: int) -> dict[str, str]:
    if contract.items is None:
        return {}
    rows = connection.execute(
        "select item_no, min(item_label) from meta.load_item where load_id = %s group by item_no",
        [load_id],
    ).fetchall()
    word = "задание" if contract.entity == "result" else "вопрос"
    return {contract.items.columns[number - 1]: f"{word} {label}" for number, label in rows}


# --- results ----------------------------------------------------------------------------------------------------------


def _result(item: Check, decision: Any, rows: int) -> CheckResult:
    def result(is_success: bool, violations: int | None, message: str) -> CheckResult:
        return CheckResult(
            item.code, item.expectation, item.column, item.severity, is_success, violations, rows, item.tolerance,
            f"{item.title}: {message}",
        )  # fmt: skip

    if decision is None:
        return result(True, None, f"не проверено: {_SKIPPED[item.parameters[0]]}.")
    if not decision.violations:
        return result(True, 0, "выполнено.")
    found = f"нарушено в {_written(decision.violations)} из {_written(rows)} строк"
    if item.severity == "warn":
        return result(decision.success, decision.violations, f"{found}. {item.advice}")
    if decision.success:
        return result(True, decision.violations, f"{found}, они отложены.")
    return result(False, decision.violations, f"{found}{_limit(item.tolerance)}.")


def _limit(tolerance: float) -> str:
    return f" (допустимо {tolerance:.0%})".replace("%", "\u00a0%") if tolerance else ""


def _quarantine_share(
    connection: psycopg.Connection, contract: Contract, load_id: int, rows: int, aside: int
) -> CheckResult:
    """Rows that the reader dropped and rows set aside here together stay within the contract's tolerance."""
    from expectations.classes import allowed

    tolerance = contract.tolerance["rejected_row_share"]
    found = connection.execute("select rows_rejected from meta.load where load_id = %s", [load_id]).fetchone()
    dropped = found[0] if found else 0
    is_success = aside < rows and aside + dropped <= allowed(tolerance, rows + dropped)
    message = f"Отложено {_written(aside)} из {_written(rows)} строк, ещё {_written(dropped)} не прочитано до проверки"
    return CheckResult(
        "quarantined_rows", "rows_set_aside", None, "error", is_success, aside, rows, tolerance,
        f"{message}{_limit(tolerance)}.",
    )  # fmt: skip


def _why_rejected(fatal: list[CheckResult], findings: dict[str, list[_Finding]]) -> str:
    # Too many rows set aside are no check of their own: their first is that of the checks that set them aside.
    named = [found for result in fatal for found in findings.get(result.code, [])]
    aside = [found for group in findings.values() for found in group if found.check.quarantine]
    first = next((found.what for found in named or aside), "")
    reasons = " ".join(result.message for result in fatal)
    return " ".join(part for part in ("Файл не принят.", reasons, first and f"Первое место: {first}", _RESEND) if part)


_RESEND = "Исправьте и пришлите файл ещё раз."


def _record(
    connection: psycopg.Connection,
    load_id: int,
    checked_at: datetime,
    results: list[CheckResult],
    findings: dict[str, list[_Finding]],
    aside: set[str],
) -> None:
    checked = []
    for r in results:
        found = [r.is_success, r.violations, r.rows, r.tolerance, r.message]
        checked.append([load_id, checked_at, r.code, r.expectation, r.column, r.severity, *found])
    _copy(connection, "gate_result", _RESULT_COLUMNS, checked)
    rejected = []
    for finding in (finding for group in findings.values() for finding in group):
        item, is_aside = finding.check, finding.place in aside
        advice = item.advice if item.severity == "warn" else _RESEND
        message = f"{finding.what} Строка не загружена. {advice}" if is_aside else f"{finding.what} {advice}"
        place = [finding.sheet, finding.row_no, finding.column]
        rejected.append([load_id, "gate", *place, item.code, item.severity, is_aside, message])
    if rejected:
        _copy(connection, "rejection", _REJECTION_COLUMNS, rejected)


_RESULT_COLUMNS = (
    "load_id, checked_at, check_code, expectation_type, column_name, severity, is_success, violations, row_count, "
    "tolerance, message"
)
_REJECTION_COLUMNS = "load_id, stage, sheet, row_no, column_name, code, severity, is_row_rejected, message"


def _copy(connection: psycopg.Connection, table: str, columns: str, rows: list[list[Any]]) -> None:
    with connection.cursor() as cursor, cursor.copy(f"copy meta.{table} ({columns}) from stdin") as copy:
        for row in rows:
            copy.write_row(row)
