"""The gate against one hand-written SQL scan of the same checks: `python -m bench.bench_gate`."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import psycopg

from dbt_project import seed
from expectations import gate
from expectations.suite import load_suite
from ingest.load import ledger
from rsoko.base.settings import Settings
from rsoko.contracts.model import load_contract
from rsoko.contracts.vocabulary import vocabularies
from rsoko.ops import postgres

ROWS, ITEMS, SCHOOLS = 500_000, 20, 1_000
SMALL_ROWS, SMALL_LOADS = 30, 20
BIG, SMALL = 1, 2
CONTRACT = load_contract("vpr")


def measure(connection: psycopg.Connection, rows: int = ROWS, repeats: int = 5) -> dict[str, float]:
    """Seconds (medians of interleaved runs) and their ratio on a load of `rows` participants × 33 columns, 20 items.

    Args:
        connection: autocommit, to a warehouse prepared by the ledger; nothing stays in it.
    """
    started = time.perf_counter()
    import expectations.validation  # noqa: F401

    imported = time.perf_counter() - started
    with connection.transaction(force_rollback=True):
        _register(connection)
        _stage(connection, BIG, rows)
        _stage(connection, SMALL, SMALL_ROWS)
        connection.execute("select brin_summarize_new_values('raw.vpr_load_id')")  # as the pipeline does after COPY
        _check(connection, SMALL)  # the first validation of a process makes the context
        by_hand, by_gate = [], []
        for _ in range(repeats):
            by_hand.append(_timed(lambda: connection.execute(scan(BIG)).fetchone()))
            by_gate.append(_timed(lambda: _check(connection, BIG)))
        small = [_timed(lambda: _check(connection, SMALL)) for _ in range(SMALL_LOADS)]
    return {
        "import_s": imported,
        "scan_s": median(by_hand),
        "gate_s": median(by_gate),
        "ratio": median(by_gate) / median(by_hand),
        "small_load_s": median(small),
    }


def scan(load_id: int) -> str:
    """The checks of the suite `vpr` as a person would write them in one statement."""
    subjects = ", ".join(f"'{code}'" for code in dict.fromkeys(vocabularies()["subject"].values()))
    over = " or ".join(f"{name} > 2" for name in CONTRACT.items.columns[:ITEMS]) if CONTRACT.items else "false"
    required = ("year", "grade", "subject_code", "organisation_code", "participant_code", "participation")
    ranges = {
        "year": (2015, 2050), "grade": (1, 11), "variant": (0, 99), "variant_2": (0, 99), "journal_mark": (1, 5),
        "reported_score": (0, 150), "max_score": (1, 150), "mark": (2, 5),
    }  # fmt: skip
    conditions = [
        *(f"{name} is null" for name in required),
        *(f"{name} not between {low} and {high}" for name, (low, high) in ranges.items()),
        f"subject_code not in ({subjects})",
        "gender not in ('m', 'f')",
        over,
        "primary_score > max_score",
        "reported_score <> computed_score",
        "organisation_code not in (select organisation_code from raw.organisation where load_id = 3)",
        "participation = 'absent' and reported_score > 0",
        "participation <> 'absent' and primary_score is null",
    ]
    counts = ", ".join(f"count(*) filter (where {condition})" for condition in conditions)
    return (
        f"select count(*), {counts}, (select count(*) from (select 1 from raw.vpr where load_id = {load_id} "
        f"group by slice_id, participant_code having count(*) > 1) as repeated) from raw.vpr where load_id = {load_id}"
    )


def _check(connection: psycopg.Connection, load_id: int) -> None:
    with connection.transaction(force_rollback=True):
        verdict = gate.check(connection, CONTRACT, load_id, datetime.now(UTC), scales=seed("work_scale"))
    violated = [result.code for result in verdict.results if result.violations]
    assert verdict.accepted
    assert not violated, violated


def _stage(connection: psycopg.Connection, load_id: int, rows: int) -> None:
    _load(connection, load_id, "vpr", rows)
    connection.execute(
        "insert into meta.load_item (load_id, year, grade, subject_code, item_no, item_label, max_score) "
        "select %s, 2021, 5, 'RU', number, number::text, 2 from generate_series(1, %s) as number",
        [load_id, ITEMS],
    )
    items = [f"item_{number:02d}" for number in range(1, ITEMS + 1)]
    scores = ", ".join(f"(n * {7 * number + 3} %% 3)::smallint" for number in range(1, ITEMS + 1))
    connection.execute(
        "insert into raw.vpr (region_code, load_id, slice_id, row_no, year, grade, subject_code, organisation_code, "
        "participant_code, class_label, gender, variant, journal_mark, reported_score, computed_score, primary_score, "
        f"participation, {', '.join(items)}) "
        "select 99, %(load)s, n %% %(schools)s, n + 2, 2021, 5, 'RU', 'edu' || (990000 + n %% %(schools)s), "
        "(50000 + n / %(schools)s)::text, '5А', case n %% 2 when 0 then 'm' else 'f' end, 1 + n %% 2, 2 + n %% 4, "
        f"20, 20, 20, 'present', {scores} from generate_series(0, %(rows)s - 1) as n",  # type: ignore[arg-type]
        {"load": load_id, "schools": SCHOOLS, "rows": rows},
    )


def _register(connection: psycopg.Connection) -> None:
    _load(connection, 3, "organisation", SCHOOLS)
    connection.execute(
        "insert into raw.organisation (region_code, load_id, slice_id, row_no, register_code, "
        "source_organisation_code, organisation_code) "
        "select 99, 3, 3, n, 'fisoko', 'edu' || (990000 + n), 'edu' || (990000 + n) "
        "from generate_series(0, %s) as n",
        [SCHOOLS],
    )
    connection.execute("insert into meta.slice values (3, 99, 'organisation', '{}')")
    connection.execute("insert into meta.slice_load values (3, 3, %s, '{}', true)", [SCHOOLS])


def _load(connection: psycopg.Connection, load_id: int, source: str, rows: int) -> None:
    connection.execute(
        "insert into meta.delivery (delivery_id, source, sha256, file_name, byte_size, archive_url, file_modified_at, "
        "received_at, received_by, precedence_at, status) "
        "values (%s, %s, '', 'bench', 1, '', now(), now(), 'bench', now(), 'staged')",
        [load_id, source],
    )
    connection.execute(
        "insert into meta.load (load_id, delivery_id, source, contract_version, rows_staged, status) "
        "values (%s, %s, %s, 1, %s, 'staged')",
        [load_id, load_id, source, rows],
    )


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def main() -> None:
    """Measure on an embedded server of its own and print a table."""
    home = Path(tempfile.mkdtemp(prefix="rsoko-bench-"))
    home.chmod(0o755)  # the account that the server may need under root has to reach its data
    settings = Settings(home=home)
    try:
        with psycopg.connect(postgres.ensure(settings), autocommit=True) as connection:
            ledger.prepare(connection)
            found = measure(connection)
    finally:
        postgres.stop(settings)
        shutil.rmtree(home)
    checks = len(load_suite("vpr").checks)
    print(f"{ROWS} rows × 33 columns, {ITEMS} items, {checks} checks")
    print(f"one hand-written scan   {found['scan_s']:.3f} s")
    print(f"gate                    {found['gate_s']:.3f} s   × {found['ratio']:.2f}")
    print(f"gate of {SMALL_ROWS} rows         {found['small_load_s'] * 1000:.0f} ms")
    print(f"import, once a process  {found['import_s']:.1f} s")


if __name__ == "__main__":
    main()
