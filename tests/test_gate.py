"""The gate on a real PostgreSQL with the real Great Expectations: each class with rows that pass and that break it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from psycopg import sql
from psycopg.rows import dict_row

from expectations import gate
from expectations.classes import allowed
from expectations.suite import load_suite
from ingest.load import ledger
from rsoko.base.errors import PermanentError
from rsoko.contracts.gate import Verdict
from rsoko.contracts.model import Column, load_contract, sources
from rsoko.contracts.vocabulary import canonical

NOW = datetime(2026, 5, 20, 12, 0, tzinfo=UTC)
LOAD = 7_000_000_000_000_000_001

Row = dict[str, Any]

NEEDED: dict[str, Row] = {
    "vpr": {
        "year": 2022, "grade": 5, "reported_score": 3, "computed_score": 3, "primary_score": 3, "max_score": 5,
        "mark": 4, "journal_mark": 4, "participation": "present", "item_01": 1, "item_02": 2,
    },
    "gia": {
        "year": 2024, "procedure_code": "oge", "exam_date": date(2024, 6, 3), "grade": 9, "primary_score": 3,
        "computed_score": 3, "mark": 4, "item_01": 1, "item_02": 2,
    },
    "vpr_summary": {
        "share_2": 10, "share_3": 40, "share_4": 30, "share_5": 20, "lowered_share": 20, "confirmed_share": 70,
        "raised_share": 10,
    },
    "organisation": {"organisation_code": "edu990001", "ris_code": "9306"},
    "survey": {"answer_01": 5, "answer_02": 4},
    "leader": {"started_on": date(2020, 9, 1), "ended_on": date(2024, 8, 31)},
    "mark_scale": {"max_score": 20, "min_score_3": 7, "min_score_4": 11, "min_score_5": 15},
    "school_context": {"cohort_pupils": 50, "cohort_adapted": 2, "teachers": 30, "teachers_qualified": 30},
    "task_catalogue": {"max_score": 2},
    "federal_bias_list": {"listed_ru_4": 1, "listed_ma_5": None, "marker_count": 1},
}  # fmt: skip
"""What the checks of the field need besides what every row of the source has."""


def good(source: str) -> Row:
    """A row that passes: what its contract asks of every row, and what the checks of its field need."""
    columns = load_contract(source).stored_columns
    return {column.name: plain(column) for column in columns if column.required} | NEEDED.get(source, {})


def plain(column: Column) -> Any:
    """The plainest value that a column may hold."""
    if column.range:
        return int(column.range[0])
    if column.vocabulary and column.type == "text":
        return canonical(column.vocabulary)[0]
    known = {"organisation_code": "edu990001", "ris_code": "9306"}
    kinds = {"text": known.get(column.name, "p"), "boolean": True, "date": date(2024, 1, 10), "timestamp": NOW}
    return kinds.get(column.type, 1)


def key_part(source: str) -> str:
    """What tells one row of a source from another; where a slice is one row, it is the slice."""
    contract = load_contract(source)
    names = [name for name in contract.key if name not in {*contract.slice, "organisation_code"}]
    columns = [column for column in map(contract.column.__getitem__, names) if column.type in ("text", "integer")]
    free = [column.name for column in columns if column.required and not (column.vocabulary or column.range)]
    return free[0] if free else "slice_id"


@pytest.fixture
def connection(database_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database_url, autocommit=True) as connection:
        ledger.prepare(connection)
        yield connection


def stage(
    connection: psycopg.Connection,
    source: str,
    rows: list[Row],
    *,
    load_id: int = LOAD,
    maxima: dict[int, int | None] | None = None,
) -> None:
    """Enter a load of `rows` into the ledger and the raw table; rows get line numbers from 2 on."""
    connection.execute(
        "insert into meta.delivery (delivery_id, source, sha256, file_name, byte_size, archive_url, file_modified_at, "
        "received_at, received_by, precedence_at, status) "
        "values (%s, %s, '0', 'file.xlsx', 1, '', %s, %s, 'x', %s, 'staged')",
        [load_id, source, NOW, NOW, NOW],
    )
    connection.execute(
        "insert into meta.load (load_id, delivery_id, source, contract_version, status) "
        "values (%s, %s, %s, 1, 'staged')",
        [load_id, load_id, source],
    )
    add(connection, source, rows, load_id=load_id)
    if maxima is None:
        maxima = {1: None, 2: None} if source == "survey" else {1: 1, 2: 4}
    if load_contract(source).items:
        works = {(row["year"], row.get("grade", 0), row.get("subject_code", "")) for row in rows}
        for work in works:
            for number, maximum in maxima.items():
                connection.execute(
                    "insert into meta.load_item (load_id, year, grade, subject_code, item_no, item_label, max_score) "
                    "values (%s, %s, %s, %s, %s, %s, %s)",
                    [load_id, *work, number, str(number), maximum],
                )


def add(connection: psycopg.Connection, source: str, rows: list[Row], *, load_id: int) -> None:
    for number, row in enumerate(rows, 2):
        values = {"region_code": 99, "load_id": load_id, "slice_id": 1, "sheet": "Лист1", "row_no": number, **row}
        connection.execute(
            sql.SQL("insert into raw.{} ({}) values ({})").format(
                sql.Identifier(source),
                sql.SQL(", ").join(map(sql.Identifier, values)),
                sql.SQL(", ").join(map(sql.Placeholder, values)),
            ),
            values,
        )


def register(connection: psycopg.Connection) -> None:
    """The current register knows `edu990001` alone."""
    stage(connection, "organisation", [good("organisation")], load_id=1)
    connection.execute("insert into meta.slice values (1, 99, 'organisation', '{}')")
    connection.execute("insert into meta.slice_load values (1, 1, 1, '{}', true)")


# 5 РУ and ОГЭ РУ give «3» from 1, «4» from 3, «5» from 5 points; 7 РУ has a maximum alone.
SCALES = tuple(
    csv.DictReader(
        io.StringIO(
            "procedure_code,grade,subject_code,valid_from,valid_to,max_score,min_score_3,min_score_4,min_score_5\n"
            "vpr,5,RU,2020-01-01,2030-12-31,5,1,3,5\nvpr,5,RU,2010-01-01,2019-12-31,5,1,4,5\n"
            "vpr,7,RU,2020-01-01,2030-12-31,47,,,\noge,9,RU,2020-01-01,2030-12-31,33,1,3,5\n"
        )
    )
)


def many(source: str, count: int, **changes: Any) -> list[Row]:
    """Rows that pass and differ in their key."""
    name = key_part(source)
    text = name in load_contract(source).column and load_contract(source).column[name].type == "text"
    return [good(source) | {name: f"p{number}" if text else number + 1} | changes for number in range(count)]


def check(connection: psycopg.Connection, source: str, load_id: int = LOAD, at: datetime = NOW) -> Verdict:
    return gate.check(connection, load_contract(source), load_id, at, scales=SCALES)


def rejections(connection: psycopg.Connection, code: str | None = None) -> list[Row]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            "select * from meta.rejection where stage = 'gate' and (%s::text is null or code = %s) "
            "order by code, row_no, column_name",
            [code, code],
        ).fetchall()


def row_numbers(connection: psycopg.Connection, source: str) -> list[int]:
    rows = connection.execute(
        sql.SQL("select row_no from raw.{} where load_id = %s order by 1").format(sql.Identifier(source)), [LOAD]
    )
    return [row[0] for row in rows]


# --- suites -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", sources())
def test_good_rows_pass_every_check_of_the_suite(connection: psycopg.Connection, source: str) -> None:
    register(connection)
    stage(connection, source, many(source, 3))
    verdict = check(connection, source)
    assert verdict.accepted
    assert verdict.message is None
    assert {result.code for result in verdict.results} == {item.code for item in load_suite(source).checks}
    assert [result.message for result in verdict.results if result.violations != 0] == []
    assert rejections(connection) == []
    assert row_numbers(connection, source) == [2, 3, 4]


@pytest.mark.parametrize("source", sources())
def test_every_check_of_every_suite_can_name_its_rows(connection: psycopg.Connection, source: str) -> None:
    """A check that fails for the first time after a year must not fail on its own SQL."""
    from expectations.validation import validate

    register(connection)
    stage(connection, source, many(source, 1))
    contract, checks = load_contract(source), load_suite(source).checks
    decisions = validate(connection, contract, checks, gate._parameters(connection, contract, LOAD, SCALES))
    for item in checks:
        cursor = connection.execute(decisions[item.code].expectation.naming(LOAD))
        assert cursor.description is not None
        assert [column.name for column in cursor.description] == ["place", "sheet", "row_no", "column_name", "fields"]


# --- classes ----------------------------------------------------------------------------------------------------------

BROKEN: list[tuple[str, str, Row, str, str | None]] = [
    ("vpr", "required_participant_code", {"participant_code": None},
     "столбец «Код участника»: не заполнено.", "participant_code"),
    ("vpr", "range_journal_mark", {"journal_mark": 7},
     "столбец «Отметка по журналу»: 7 вне допустимого: от 1 до 5.", "journal_mark"),
    ("vpr_summary", "range_share_2", {"share_2": 140},
     "столбец «Доля отметки 2, %»: 140 вне допустимого: от 0 до 100.", "share_2"),
    ("vpr", "vocabulary_gender", {"gender": "?"},
     "столбец «Пол»: нет в словаре; допустимо: m, f.", "gender"),
    ("vpr", "item_over_maximum", {"item_02": 5},
     "столбец «задание 2»: 5 больше максимума задания 4.", "item_02"),
    ("survey", "answer_over_maximum", {"answer_02": 6},
     "столбец «вопрос 2»: 6 больше высшей ступени шкалы 5.", "answer_02"),
    ("vpr", "score_over_maximum", {"primary_score": 41, "mark": 5, "max_score": 38},
     "столбец «Первичный балл»: 41 больше максимума работы 38.", "primary_score"),
    ("vpr", "total_differs", {"reported_score": 2},
     "столбец «Итоговый балл в файле»: в файле 2, сумма баллов за задания 3.", "reported_score"),
    ("gia", "total_differs", {"computed_score": 4},
     "столбец «Первичный балл»: в файле 3, сумма баллов по маскам 4.", "primary_score"),
    ("vpr", "mark_off_scale", {"mark": 3},
     "столбец «Отметка за работу»: отметка 3 за 3 б., по шкале 4.", "mark"),
    ("vpr", "mark_off_scale", {"mark": 2, "primary_score": 5},
     "столбец «Отметка за работу»: отметка 2 за 5 б., по шкале 5.", "mark"),
    ("gia", "mark_off_scale", {"mark": 5},
     "столбец «Оценка»: отметка 5 за 3 б., по шкале 4.", "mark"),
    ("vpr", "unknown_organisation", {"organisation_code": "edu990002"},
     "столбец «Логин ОО в ФИС ОКО»: организации edu990002 нет в реестре (строк: 1).", "organisation_code"),
    ("gia", "unknown_organisation", {"ris_code": "9307"},
     "столбец «Код ОО»: организации с кодом 9307 нет в реестре (строк: 1).", "ris_code"),
    ("vpr", "absent_with_score", {"participation": "absent", "primary_score": None, "mark": None},
     "столбец «Итоговый балл в файле»: отмечен как отсутствовавший, но итоговый балл 3.", "reported_score"),
    ("vpr", "present_without_score", {"participation": "no_result", "primary_score": None, "mark": None},
     "столбец «Первичный балл»: не отмечен как отсутствовавший, но баллов нет.", "primary_score"),
    ("leader", "ends_before_start", {"ended_on": date(2019, 1, 31)},
     "столбец «Освобождён»: 31.01.2019 раньше даты назначения 01.09.2020.", "ended_on"),
    ("mark_scale", "bounds_out_of_order", {"min_score_4": 16, "slice_id": 99},
     "столбец «Отметка 4 от, баллов»: 16 выше следующей границы 15.", "min_score_4"),
    ("school_context", "part_over_whole", {"teachers_qualified": 31, "slice_id": 99},
     "столбец «Учителей с категорией»: 31 больше целого 30.", "teachers_qualified"),
    ("task_catalogue", "maximum_differs", {"max_score": 3, "line_no": 99},
     "столбец «Максимум»: у задания максимум 3, а чаще — 2.", "max_score"),
    ("federal_bias_list", "count_differs", {"listed_ma_5": 1, "slice_id": 99},
     "столбец «Количество маркеров»: маркеров 1, отмечено граф 2.", "marker_count"),
    ("medal", "unknown_organisation", {"ris_code": "9307"},
     "столбец «Код ОО»: организации с кодом 9307 нет в реестре (строк: 1).", "ris_code"),
    ("vpr_summary", "marks_not_hundred", {"share_5": 25},
     "столбец «Доля отметки 5, %»: доли отметок дают в сумме 105 %.", "share_5"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("source", "code", "change", "message", "column"), BROKEN, ids=[f"{case[0]}-{case[1]}" for case in BROKEN]
)
def test_a_row_that_breaks_a_check_is_named(
    connection: psycopg.Connection, source: str, code: str, change: Row, message: str, column: str | None
) -> None:
    register(connection)
    stage(connection, source, [*many(source, 40), good(source) | change])
    verdict = check(connection, source)
    (result,) = (result for result in verdict.results if result.code == code)
    assert result.violations == 1
    (found,) = rejections(connection, code)
    assert found["message"].startswith(f"Строка 42, {message}")
    assert (found["sheet"], found["row_no"], found["column_name"]) == ("Лист1", 42, column)
    (item,) = (item for item in load_suite(source).checks if item.code == code)
    assert found["severity"] == result.severity == item.severity
    if item.severity == "warn":
        assert verdict.accepted
        assert not result.is_success
        assert item.advice in result.message
        assert row_numbers(connection, source) == list(range(2, 43))
    elif item.quarantine:
        assert verdict.accepted
        assert verdict.quarantined_rows == 1
        assert found["is_row_rejected"]
        assert row_numbers(connection, source) == list(range(2, 42))
    else:
        assert not verdict.accepted
        assert f"Первое место: Строка 42, {message}" in (verdict.message or "")
        assert row_numbers(connection, source) == list(range(2, 43))


def test_states_of_items_are_no_scores(connection: psycopg.Connection) -> None:
    stage(connection, "vpr", many("vpr", 3, item_01=-1, item_02=-3))
    verdict = check(connection, "vpr")
    assert {r.code: r.violations for r in verdict.results}["item_over_maximum"] == 0


def test_each_work_of_a_load_has_its_own_maxima_and_scale(connection: psycopg.Connection) -> None:
    fifth, sixth = many("vpr", 30), many("vpr", 30, grade=6, item_01=9, slice_id=2)
    stage(connection, "vpr", [*fifth, *sixth, good("vpr") | {"item_01": 2}])
    connection.execute("update meta.load_item set max_score = 9 where grade = 6 and item_no = 1")
    verdict = check(connection, "vpr")
    assert verdict.accepted
    assert [(r["row_no"], r["column_name"]) for r in rejections(connection, "item_over_maximum")] == [(62, "item_01")]
    assert rejections(connection, "mark_off_scale") == [], "6 РУ has no scale: its marks are not judged"


def test_an_unknown_maximum_is_the_highest_score_there_is(connection: psycopg.Connection) -> None:
    stage(connection, "vpr", [*many("vpr", 30, item_02=30), good("vpr") | {"item_02": 31}], maxima={1: 1, 2: None})
    check(connection, "vpr")
    assert [r["row_no"] for r in rejections(connection, "item_over_maximum")] == [32]


def test_checks_that_lack_what_they_need_are_skipped_and_say_so(connection: psycopg.Connection) -> None:
    stage(connection, "vpr", many("vpr", 1, grade=8), maxima={})
    skipped = {r.code: r for r in check(connection, "vpr").results if r.violations is None}
    assert set(skipped) == {"item_over_maximum", "mark_off_scale"}
    assert all(result.is_success for result in skipped.values())
    assert "не проверено: шкалы перевода баллов в отметки для этих работ нет" in skipped["mark_off_scale"].message
    stored = connection.execute(
        "select check_code from meta.gate_result where violations is null order by 1"
    ).fetchall()
    assert stored == [("item_over_maximum",), ("mark_off_scale",)]


def test_a_file_that_does_not_tell_its_maximum_is_held_to_the_seeded_one(connection: psycopg.Connection) -> None:
    rows = many("vpr", 30, grade=7, max_score=None, primary_score=47)
    over = good("vpr") | {"grade": 7, "max_score": None, "primary_score": 48}
    own = good("vpr") | {"grade": 7, "max_score": 60, "primary_score": 59, "slice_id": 2}
    stage(connection, "vpr", [*rows, over, own])
    check(connection, "vpr")
    (found,) = rejections(connection, "score_over_maximum")
    assert found["message"].startswith("Строка 32, столбец «Первичный балл»: 48 больше максимума работы 47.")


def test_an_unknown_organisation_is_named_once_with_the_number_of_its_rows(connection: psycopg.Connection) -> None:
    register(connection)
    stage(connection, "vpr", [*many("vpr", 5), *many("vpr", 4, organisation_code="edu990002", slice_id=2)])
    verdict = check(connection, "vpr")
    assert verdict.accepted
    (found,) = rejections(connection, "unknown_organisation")
    assert found["row_no"] == 7
    assert "организации edu990002 нет в реестре (строк: 4)" in found["message"]


# --- the key ----------------------------------------------------------------------------------------------------------


def test_rows_that_repeat_each_other_leave_the_first(connection: psycopg.Connection) -> None:
    rows = many("vpr", 50)
    stage(connection, "vpr", [*rows, rows[3], rows[3]])
    verdict = check(connection, "vpr")
    assert verdict.accepted
    assert verdict.quarantined_rows == 2
    assert row_numbers(connection, "vpr") == list(range(2, 52))
    messages = {r["row_no"]: r["message"] for r in rejections(connection, "key_repeated")}
    told = "повторяет слово в слово строку 5. Строка не загружена."
    assert messages == {n: f"Строка {n}: {told} Исправьте и пришлите файл ещё раз." for n in (52, 53)}


def test_rows_that_contradict_each_other_are_all_set_aside(connection: psycopg.Connection) -> None:
    rows = many("vpr", 50)
    stage(connection, "vpr", [*rows, rows[3] | {"item_01": 0}])
    verdict = check(connection, "vpr")
    assert verdict.quarantined_rows == 2
    assert row_numbers(connection, "vpr") == [n for n in range(2, 52) if n != 5]
    messages = {r["row_no"]: r["message"] for r in rejections(connection, "key_repeated")}
    assert "противоречит строке 52: ключ один, данные разные" in messages[5]
    assert "противоречит строке 5: ключ один" in messages[52]


@pytest.mark.parametrize("source", sources())
def test_the_key_of_every_source_is_checked(connection: psycopg.Connection, source: str) -> None:
    """The same key in another slice is another row; an empty part of the key is a value like any other."""
    rows = many(source, 60)
    contract = load_contract(source)
    other_slice = [rows[0] | {"slice_id": 1_000}] if set(contract.slice) <= set(contract.key) else []
    stage(connection, source, [*rows, rows[7], *other_slice])
    check(connection, source)
    found = [r["row_no"] for r in rejections(connection, "key_repeated")]
    tolerant = contract.tolerance["rejected_row_share"] > 0
    assert found == [62]
    assert row_numbers(connection, source) == [
        n for n in range(2, 62 + len(other_slice) + 1) if n != 62 or not tolerant
    ]


def test_a_participant_of_two_schools_in_one_exam_is_a_repeated_key(connection: psycopg.Connection) -> None:
    rows = many("gia", 40)
    stage(connection, "gia", [*rows, rows[0] | {"ris_code": "9999", "slice_id": 2}])
    check(connection, "gia")
    assert [r["row_no"] for r in rejections(connection, "key_repeated")] == [2, 42]


# --- the verdict ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("bad", "is_accepted"), [(5, True), (6, False)])
def test_bad_rows_are_set_aside_up_to_the_tolerance(
    connection: psycopg.Connection, bad: int, is_accepted: bool
) -> None:
    stage(connection, "vpr", [*many("vpr", 100 - bad), *many("vpr", bad, item_01=9, slice_id=2)])
    verdict = check(connection, "vpr")
    assert verdict.accepted is is_accepted
    assert verdict.quarantined_rows == (bad if is_accepted else 0)
    assert len(row_numbers(connection, "vpr")) == (100 - bad if is_accepted else 100)
    found = rejections(connection, "item_over_maximum")
    assert len(found) == bad
    assert {r["is_row_rejected"] for r in found} == {is_accepted}
    if not is_accepted:
        assert verdict.message == (
            "Файл не принят. Балл за задание не больше максимума: нарушено в 6 из 100 строк (допустимо 5 %). "
            "Первое место: Строка 96, столбец «задание 1»: 9 больше максимума задания 1. "
            "Исправьте и пришлите файл ещё раз."
        )


def test_checks_together_stay_within_the_tolerance(connection: psycopg.Connection) -> None:
    bad = [*many("vpr", 4, item_01=9, slice_id=2), *many("vpr", 4, primary_score=6, slice_id=3)]
    stage(connection, "vpr", [*many("vpr", 92), *bad])
    verdict = check(connection, "vpr")
    assert not verdict.accepted
    assert "Отложено 8 из 100 строк" in (verdict.message or "")
    assert "Первое место: Строка 94, столбец «задание 1»: 9 больше максимума задания 1." in (verdict.message or "")
    assert len(row_numbers(connection, "vpr")) == 100


def test_rows_the_reader_dropped_count_too(connection: psycopg.Connection) -> None:
    stage(connection, "vpr", [*many("vpr", 95), *many("vpr", 3, item_01=9, slice_id=2)])
    connection.execute("update meta.load set rows_rejected = 4")
    verdict = check(connection, "vpr")
    assert not verdict.accepted
    assert "ещё 4 не прочитано до проверки" in (verdict.message or "")


def test_a_file_without_a_single_good_row_is_rejected(connection: psycopg.Connection) -> None:
    stage(connection, "vpr", many("vpr", 1, item_01=9))
    assert not check(connection, "vpr").accepted


@pytest.mark.parametrize(
    ("tolerance", "rows", "expected"), [(0.05, 1, 1), (0.05, 20, 1), (0.05, 21, 2), (0.05, 100, 5), (0.0, 1000, 0)]
)
def test_allowed_rows(tolerance: float, rows: int, expected: int) -> None:
    assert allowed(tolerance, rows) == expected


def test_a_hopeless_file_is_named_in_part_and_counted_in_full(
    connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "NAMED_ROWS", 10)
    stage(connection, "vpr", many("vpr", 50, item_01=9))
    verdict = check(connection, "vpr")
    assert len(rejections(connection, "item_over_maximum")) == 10
    assert {r.code: r.violations for r in verdict.results}["item_over_maximum"] == 50


# --- how it runs ------------------------------------------------------------------------------------------------------


def test_the_caller_keeps_the_transaction(connection: psycopg.Connection) -> None:
    """Rows that nobody else sees yet are checked, and the caller alone decides whether anything stays."""
    with connection.transaction(force_rollback=True):
        stage(connection, "vpr", [*many("vpr", 30), good("vpr") | {"item_01": 9}])
        assert check(connection, "vpr").quarantined_rows == 1
        assert connection.info.transaction_status == psycopg.pq.TransactionStatus.INTRANS
    assert row_numbers(connection, "vpr") == []
    assert connection.execute("select count(*) from meta.gate_result").fetchone() == (0,)


def test_other_connections_of_the_same_process_are_checked_on_their_own(
    connection: psycopg.Connection, database_url: str
) -> None:
    stage(connection, "vpr", many("vpr", 3))
    assert check(connection, "vpr").accepted
    with psycopg.connect(database_url) as other:
        stage(other, "vpr", many("vpr", 4, item_01=9), load_id=LOAD + 1)
        assert not check(other, "vpr", LOAD + 1).accepted
        other.rollback()
    assert {r.rows for r in check(connection, "vpr", at=NOW.replace(hour=13)).results} == {3}


@pytest.mark.parametrize("source", sources())
def test_great_expectations_decides_in_one_statement(connection: psycopg.Connection, source: str) -> None:
    stage(connection, source, many(source, 2))
    check(connection, source)
    statements: list[str] = []

    def remember(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    sa.event.listen(sa.Engine, "before_cursor_execute", remember)
    try:
        verdict = check(connection, source, at=NOW.replace(hour=13))
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", remember)
    assert len(statements) == 1
    assert len(verdict.results) == len(load_suite(source).checks)


def test_every_check_of_a_load_stays_as_history(connection: psycopg.Connection) -> None:
    stage(connection, "vpr", many("vpr", 2))
    check(connection, "vpr")
    check(connection, "vpr", at=NOW.replace(hour=13))
    moments = connection.execute("select checked_at, count(*) from meta.gate_result group by 1 order by 1").fetchall()
    assert [moment for moment, _ in moments] == [NOW, NOW.replace(hour=13)]
    assert len({count for _, count in moments}) == 1


def test_nothing_of_a_pupil_is_stored(connection: psycopg.Connection) -> None:
    """Free text may hold anything, names too: of it only the code of an organisation is ever quoted."""
    secret = "Тайнов"
    texts = dict.fromkeys(("class_label", "gender", "municipality_name", "organisation_name"), secret)
    rows = many("vpr", 60, **texts) + many("vpr", 2, item_01=9, reported_score=9, slice_id=2, **texts)
    repeated = [rows[0] | {"reported_score": 4}]
    stage(
        connection, "vpr", [row | {"participant_code": f"{secret}{row['participant_code']}"} for row in rows + repeated]
    )
    check(connection, "vpr")
    stored = connection.execute(
        "select string_agg(row_to_json(rejection)::text, '') || (select string_agg(row_to_json(gate_result)::text, '') "
        "from meta.gate_result) from meta.rejection"
    ).fetchone()
    assert stored is not None
    assert "vocabulary_gender" in stored[0]
    assert "key_repeated" in stored[0]
    assert secret not in stored[0]


def test_a_check_that_can_not_be_computed_is_our_fault(connection: psycopg.Connection) -> None:
    stage(connection, "vpr", many("vpr", 1))
    connection.execute("alter table raw.vpr drop column journal_mark")
    with connection.transaction(force_rollback=True), pytest.raises(PermanentError, match="can not be computed"):
        check(connection, "vpr")
