"""What becomes of a delivery: the promises of ledger and raw tables, on real files, PostgreSQL and gate."""

from __future__ import annotations

import gzip
import hashlib
import logging
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from warehouse import (
    GIA_HEADER,
    VPR_HEADER,
    ask,
    changed_at,
    contents,
    current,
    everything,
    installation,
    participant,
    stalled,
    start,
    template,
    wait_for_stall,
    write_csv,
    write_f1,
    write_workbook,
)

from ingest.load import ledger
from ingest.load import process as processing
from ingest.load.landing import Landing, arrival
from ingest.read import text as csv_text
from rsoko.base.errors import PermanentError
from rsoko.base.settings import Settings
from rsoko.contracts.model import load_contract
from rsoko.ops import pipeline
from rsoko.ops.pipeline import Outcome


def load_one(settings: Settings, path: Path, **options: str) -> Outcome:
    return pipeline.load(settings, [path], "vpr", options)[0]


def statuses(settings: Settings) -> dict[str, str]:
    return dict(ask(settings, "select file_name, status from meta.delivery"))


# --- delivered again --------------------------------------------------------------------------------------------------


def test_the_same_bytes_change_nothing_and_say_so(settings: Settings, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "vpr_2024_g5_MA.csv", [participant(1), participant(2)])
    first = load_one(settings, path)
    before = contents(settings)
    again = load_one(settings, path)
    assert first.status == again.status == "published"
    assert first.published
    assert not again.published
    assert again.delivery_id == first.delivery_id
    assert "уже принят" in (again.message or "")
    assert "ничего не меняет" in (again.message or "")
    assert contents(settings) == before


@pytest.mark.parametrize(
    ("name", "other"), [("vpr_2024_g5_MA.csv", "vpr_2024_g5_MA (копия).csv"), ("Ф1.xlsx", "Ф1 от школы.xlsx")]
)
def test_the_same_bytes_under_another_name_are_the_same_delivery(
    settings: Settings, tmp_path: Path, name: str, other: str
) -> None:
    first = tmp_path / name
    if first.suffix == ".csv":
        write_csv(first, [participant(1)])
    else:
        write_f1(first, [1, 2])
    renamed = first.rename(tmp_path / other)
    renamed.replace(first)
    load_one(settings, first)
    again = load_one(settings, first.rename(renamed))
    assert "уже принят" in (again.message or "")
    assert statuses(settings) == {name: "published"}


def test_the_same_bytes_said_to_be_of_another_year_are_another_delivery(settings: Settings, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "протокол.csv", [participant(1)])
    for year in ("2023", "2024"):
        load_one(settings, path, year=year, grade="5", subject_code="MA")
    assert current(settings, "year, participant_code") == [(2023, "1"), (2024, "1")]


@pytest.mark.parametrize(
    ("cell", "length"), [("code", 120_000), ("code", 65), ("class", 21)], ids=["code 120 000", "code 65", "class"]
)
def test_a_text_longer_than_its_column_allows_never_reaches_the_warehouse(
    settings: Settings, tmp_path: Path, cell: str, length: int
) -> None:
    """An index takes no value of some thousand bytes: one accepted row would break every build."""
    rows = [participant(number) for number in range(40)]
    rows[7][2 if cell == "code" else 7] = "7" * length
    outcome = load_one(settings, write_csv(tmp_path / "vpr_2024_g5_MA.csv", rows))
    assert outcome.status == "published"
    assert len(current(settings, "participant_code")) == (39 if cell == "code" else 40)
    [(message,)] = ask(settings, "select message from meta.rejection where code = 'unreadable_cell'")
    assert message.startswith("Строка 9, столбец «")
    assert f"ожидается не больше {length - 1 if length < 100 else 64} знаков" in message


def test_a_text_of_the_allowed_length_is_kept(settings: Settings, tmp_path: Path) -> None:
    load_one(settings, write_csv(tmp_path / "vpr_2024_g5_MA.csv", [participant("7" * 64)]))
    assert current(settings, "participant_code") == [("7" * 64,)]


# --- corrections ------------------------------------------------------------------------------------------------------


def test_a_correction_supersedes_exactly_the_slices_it_contains(settings: Settings, tmp_path: Path) -> None:
    name = "vpr_2024_g5_MA.csv"
    rows = [participant(1, school="edu990001"), participant(1, school="edu990002"), participant(2, school="edu990002")]
    load_one(settings, write_csv(tmp_path / "1" / name, rows))
    correction = [participant(1, (0, 0, 0), school="edu990002")]
    assert load_one(settings, write_csv(tmp_path / "2" / name, correction)).published
    scores = "organisation_code, participant_code, primary_score"
    assert current(settings, scores) == [("edu990001", "1", 6), ("edu990002", "1", 0)]
    assert [status for (status,) in ask(settings, "select status from meta.delivery")] == ["published", "published"]
    both = [participant(1, (1, 1, 1), school=school) for school in ("edu990001", "edu990002")]
    load_one(settings, write_csv(tmp_path / "3" / name, both))
    assert current(settings, scores) == [("edu990001", "1", 3), ("edu990002", "1", 3)]
    assert [status for (status,) in ask(settings, "select status from meta.delivery order by received_at")] == [
        "superseded", "superseded", "published",
    ]  # fmt: skip
    assert ask(settings, "select count(*) from raw.vpr") == [(6,)]  # nothing was overwritten


def test_an_older_version_can_be_made_current_again(settings: Settings, tmp_path: Path) -> None:
    name = "vpr_2024_g5_MA.csv"
    old = load_one(settings, write_csv(tmp_path / "1" / name, [participant(1)]))
    load_one(settings, write_csv(tmp_path / "2" / name, [participant(1, (0, 0, 0))]))
    told = load_one(settings, tmp_path / "1" / name)
    assert told.status == "superseded"
    assert f"rsoko restore {old.delivery_id}" in (told.message or "")
    assert pipeline.restore(settings, old.delivery_id).published
    assert current(settings, "participant_code, primary_score") == [("1", 6)]
    assert [s for (s,) in ask(settings, "select status from meta.delivery order by received_at")] == [
        "published", "superseded",
    ]  # fmt: skip


def test_restoring_a_part_brings_back_the_parts_beside_it(settings: Settings, tmp_path: Path) -> None:
    name = "vpr_2024_g5_MA.csv"
    parts = [write_csv(tmp_path / str(n) / name, [participant(n)]) for n in (1, 2)]
    outcomes = pipeline.load(settings, parts, "vpr")
    load_one(settings, write_csv(tmp_path / "3" / name, [participant(1, (0, 0, 0))]))
    assert current(settings, "participant_code, primary_score") == [("1", 0)]
    pipeline.restore(settings, outcomes[0].delivery_id)
    assert current(settings, "participant_code, primary_score") == [("1", 6), ("2", 6)]


def test_only_an_accepted_delivery_can_be_restored(settings: Settings, tmp_path: Path) -> None:
    rejected = load_one(settings, write_csv(tmp_path / "vpr_2024_g5_MA.csv", []))
    with pytest.raises(PermanentError, match="rejected"):
        pipeline.restore(settings, rejected.delivery_id)


# --- parts and order --------------------------------------------------------------------------------------------------


def test_parts_of_a_slice_in_one_batch_are_current_together(settings: Settings, tmp_path: Path) -> None:
    parts = [
        write_csv(tmp_path / f"vpr_2024_g5_MA ({n}).csv", [participant(code) for code in codes])
        for n, codes in enumerate([(1, 2), (3, 4), (5,)])
    ]
    assert [outcome.status for outcome in pipeline.load(settings, parts)] == ["published"] * 3
    assert [code for (code,) in current(settings, "participant_code")] == ["1", "2", "3", "4", "5"]


def test_where_keys_of_one_batch_meet_the_file_changed_later_wins(settings: Settings, tmp_path: Path) -> None:
    early = [participant(1), participant(2), participant(7, school="edu990002")]
    late = [participant(2, (0, 0, 0)), participant(3)]
    files = [
        changed_at(write_csv(tmp_path / "vpr_2024_g5_MA (исправлено).csv", late), day=21),
        changed_at(write_csv(tmp_path / "vpr_2024_g5_MA.csv", early), day=20),
    ]
    pipeline.load(settings, files)
    assert current(settings, "organisation_code, participant_code, primary_score") == [
        ("edu990001", "2", 0), ("edu990001", "3", 6), ("edu990002", "7", 6),
    ]  # fmt: skip


def _history(folder: Path) -> list[list[Path]]:
    """Batches: two parts of a slice and a file that meets one of them, a correction of one school, another subject."""
    one, other = "edu990001", "edu990002"
    first = [
        changed_at(write_csv(folder / "1" / "vpr_2024_g5_MA (1).csv", [participant(1), participant(2)]), 20),
        changed_at(
            write_csv(folder / "1" / "vpr_2024_g5_MA (2).csv", [participant(3), participant(4, school=other)]), 20
        ),
        changed_at(write_csv(folder / "1" / "vpr_2024_g5_MA (3).csv", [participant(4, (1, 1, 1), school=other)]), 21),
    ]
    second = [write_csv(folder / "2" / "vpr_2024_g5_MA (4).csv", [participant(1, (0, 0, 1), school=one)])]
    return [first, second, [write_csv(folder / "3" / "vpr_2024_g5_RU.csv", [participant(1)])]]


def _received(settings: Settings, batches: list[list[Path]]) -> list[int]:
    return [o.delivery_id for batch in batches for o in pipeline.receive_files(settings, batch, "vpr")]


def test_the_order_of_processing_does_not_matter(settings: Settings, server: Settings, tmp_path: Path) -> None:
    batches = _history(tmp_path)
    deliveries = _received(settings, batches)
    for delivery_id in deliveries:
        pipeline.process(settings, delivery_id)
    expected = contents(settings)
    assert current(settings, "organisation_code, subject_code, participant_code, primary_score") == [
        ("edu990001", "MA", "1", 1), ("edu990001", "RU", "1", 6), ("edu990002", "MA", "4", 3),
    ]  # fmt: skip
    for number in range(2):
        order = deliveries[::-1] if number == 0 else deliveries[2:] + deliveries[:2]
        with installation(server, tmp_path / f"home{number}") as other:
            assert _received(other, batches) == deliveries
            for delivery_id in order:
                pipeline.process(other, delivery_id)
            assert contents(other) == expected


def test_many_workers_at_once_give_the_same_as_one(settings: Settings, server: Settings, tmp_path: Path) -> None:
    batches = _history(tmp_path)
    for delivery_id in _received(settings, batches):
        pipeline.process(settings, delivery_id)
    with installation(server, tmp_path / "other") as other, ThreadPoolExecutor(4) as pool:
        # Every delivery twice: two workers may take hold of the same one.
        outcomes = pool.map(lambda delivery_id: pipeline.process(other, delivery_id), _received(other, batches) * 2)
        assert {outcome.status for outcome in outcomes} <= {"published", "superseded"}
        assert contents(other) == contents(settings)


def test_a_newer_contract_reads_the_archive_again(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome = load_one(settings, write_csv(tmp_path / "vpr_2024_g5_MA.csv", [participant(1), participant(2)]))
    newer = replace(load_contract("vpr"), version=2)
    monkeypatch.setattr(processing, "load_contract", lambda source: newer)
    again = pipeline.process(settings, outcome.delivery_id)
    assert again.status == "published"
    assert again.load_id != outcome.load_id
    assert current(settings, "participant_code, load_id") == [("1", again.load_id), ("2", again.load_id)]
    assert ask(settings, "select contract_version, status from meta.load order by 1") == [
        (1, "superseded"), (2, "published"),
    ]  # fmt: skip
    assert statuses(settings) == {"vpr_2024_g5_MA.csv": "published"}


def test_a_newer_contract_adds_its_columns_to_an_older_warehouse(settings: Settings, tmp_path: Path) -> None:
    load_one(settings, write_csv(tmp_path / "vpr_2023_g5_MA.csv", [participant(1)]))
    with psycopg.connect(settings.database_url) as connection:
        connection.execute("alter table raw.vpr drop column gender, drop column item_50")
        connection.execute("comment on schema meta is 'of an older version'")
    ledger._prepared.clear()  # as in a new process
    load_one(settings, write_csv(tmp_path / NAME, [participant(1)]))
    assert current(settings, "year, coalesce(gender, ''), item_50") == [(2023, "", None), (2024, "f", None)]


# --- on the way -------------------------------------------------------------------------------------------------------


def test_a_delivery_waits_as_received_and_is_published_whole(settings: Settings, tmp_path: Path) -> None:
    path = write_csv(
        tmp_path / "vpr_2024_g5_MA.csv", [participant(1), participant(2, ("", "", ""), variant="отсутствовал")]
    )
    received = pipeline.receive(settings, [arrival(path)], "vpr")[0]
    assert (received.status, received.published) == ("received", False)
    assert ask(settings, "select count(*) from meta.load") == [(0,)]
    assert pipeline.process(settings, received.delivery_id).status == "published"
    assert ask(settings, "select status from meta.load union all select status from meta.delivery") == [
        ("published",), ("published",),
    ]  # fmt: skip


def test_the_inbox_gives_up_a_file_only_to_the_archive(settings: Settings, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "протокол.csv", [participant(1)])
    landing = Landing(settings.landing_url)
    landing.deliver("vpr", path, {"year": "2024", "grade": "5", "subject_code": "математика"})
    with psycopg.connect(settings.database_url) as connection:
        ledger.prepare(connection)
    with psycopg.connect(settings.database_url) as connection:
        connection.execute("alter table meta.delivery rename to hidden")
        connection.commit()
        with pytest.raises(psycopg.Error):
            pipeline.scan(settings, "vpr")
        assert len(landing.waiting("vpr")) == 1  # what is not in the ledger stays in the inbox
        connection.execute("alter table meta.hidden rename to delivery")
    deliveries = pipeline.scan(settings, "vpr")
    assert landing.waiting("vpr") == []
    assert list((settings.home / "landing" / "inbox" / "vpr").iterdir()) == []
    [(url, sha256)] = ask(settings, "select archive_url, sha256 from meta.delivery")
    archived = settings.home / "landing" / url
    assert archived.read_bytes() == path.read_bytes()
    assert hashlib.sha256(archived.read_bytes()).hexdigest() == sha256
    assert [pipeline.process(settings, delivery_id).status for delivery_id in deliveries] == ["published"]
    assert current(settings, "year, grade, subject_code") == [(2024, 5, "MA")]
    assert pipeline.scan(settings, "vpr") == []


def test_files_still_being_written_stay_in_the_inbox(settings: Settings, tmp_path: Path) -> None:
    inbox = settings.home / "landing" / "inbox" / "vpr"
    for name in ("vpr_2024_g5_MA.csv.part", "~$Ф1.xlsx", ".скрытый.csv", "vpr_2024_g5_MA.csv.options.yml"):
        write_csv(inbox / name, [participant(1)])
    assert pipeline.scan(settings, "vpr") == []
    assert len(list(inbox.iterdir())) == 4


def test_damage_to_the_archive_is_noticed(settings: Settings, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "vpr_2024_g5_MA.csv", [participant(1)])
    received = pipeline.receive(settings, [arrival(path)], "vpr")[0]
    [(url,)] = ask(settings, "select archive_url from meta.delivery")
    (settings.home / "landing" / url).write_bytes(b"other bytes")
    with pytest.raises(PermanentError, match="damaged"):
        pipeline.process(settings, received.delivery_id)
    assert statuses(settings) == {path.name: "received"}


# --- what a file does not say -----------------------------------------------------------------------------------------


def test_unknown_year_grade_and_subject_are_asked_for(settings: Settings, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "протокол.csv", [participant(1)])
    outcome = load_one(settings, path)
    assert outcome.status == "rejected"
    for word in ("«Год проведения»", "«Класс работы»", "«Предмет»", "--set year=… --set grade=… --set subject_code=…"):
        assert word in (outcome.message or "")
    assert load_one(settings, path, year="2024", grade="5", subject_code="Математика").status == "published"
    assert current(settings, "year, grade, subject_code") == [(2024, 5, "MA")]


def test_options_may_lie_beside_the_file(settings: Settings, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "протокол.csv", [participant(1)])
    path.with_name(path.name + ".options.yml").write_text("year: 2024\ngrade: 5\nsubject_code: MA\n", "utf-8")
    checked, _ = pipeline.check(settings, path, "vpr")
    assert checked.status == "accepted"
    assert load_one(settings, path).status == "published"
    assert current(settings, "year, grade, subject_code") == [(2024, 5, "MA")]


def test_an_option_against_the_content_rejects_the_file(settings: Settings, tmp_path: Path) -> None:
    outcome = load_one(settings, write_f1(tmp_path / "Ф1.xlsx", [1, 2]), year="2023")
    assert outcome.status == "rejected"
    assert "внутри файла «2024», при доставке указано «2023»" in (outcome.message or "")
    assert ask(settings, "select code, sheet from meta.rejection") == [("context_contradiction", "Ф1")]
    assert ask(settings, "select count(*) from raw.vpr") == [(0,)]


def test_an_option_that_agrees_with_the_content_in_other_words_is_fine(settings: Settings, tmp_path: Path) -> None:
    outcome = load_one(settings, write_f1(tmp_path / "Ф1.xlsx", [1]), subject_code="MA", grade="5", year="2024")
    assert outcome.status == "published"


def test_a_file_name_against_the_content_is_overruled_and_told(settings: Settings, tmp_path: Path) -> None:
    outcome = load_one(settings, write_f1(tmp_path / "vpr_2023_g5_MA.xlsx", [1, 2]))
    assert outcome.status == "published"
    assert "Имя файла говорит «2023» (Год проведения), внутри файла «2024»" in (outcome.message or "")
    assert current(settings, "year, participant_code") == [(2024, "1"), (2024, "2")]


def test_an_option_against_the_file_name_is_told(settings: Settings, tmp_path: Path) -> None:
    outcome = load_one(settings, write_csv(tmp_path / "vpr_2023_g5_MA.csv", [participant(1)]), year="2024")
    assert outcome.status == "published"
    assert "Имя файла говорит «2023» (Год проведения), при доставке указано «2024»" in (outcome.message or "")
    assert current(settings, "year, participant_code") == [(2024, "1")]


def test_logins_of_another_region_than_the_one_given_reject_the_file(settings: Settings, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "vpr_2024_g5_MA.csv", [participant(1), participant(2, school="edu220001")])
    outcome = load_one(settings, path, region_code="99")
    assert outcome.status == "rejected"
    assert "строка 3" in (outcome.message or "")
    assert "региона 22" in (outcome.message or "")


# --- files that are not as they should be -----------------------------------------------------------------------------

GOOD = [participant(code) for code in range(1, 41)]
NAME = "vpr_2024_g5_MA.csv"


def cut(path: Path) -> Path:
    path.write_bytes(path.read_bytes()[:-500])
    return path


def plain(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


REFUSED: dict[str, tuple[Callable[[Path], Path], str, list[str]]] = {
    "a broken workbook": (
        lambda folder: cut(write_workbook(folder / "vpr_2024_g5_MA.xlsx", GOOD)),
        "broken_workbook",
        ["Книга «vpr_2024_g5_MA.xlsx» не открывается", "передана не полностью"],
    ),
    "a text that calls itself a workbook": (
        lambda folder: plain(folder / "vpr_2024_g5_MA.xlsx", "просто текст".encode()),
        "broken_workbook",
        ["не открывается"],
    ),
    "a broken archive": (
        lambda folder: cut(plain(folder / f"{NAME}.gz", gzip.compress(os.urandom(2000)))),
        "broken_archive",
        [f"Архив «{NAME}.gz» повреждён"],
    ),
    "UTF-16": (lambda folder: write_csv(folder / NAME, GOOD, encoding="utf-16"), "wrong_encoding", ["UTF-16"]),
    "cp866": (lambda folder: write_csv(folder / NAME, GOOD, encoding="cp866"), "wrong_encoding", ["DOS (cp866)"]),
    "KOI8-R": (lambda folder: write_csv(folder / NAME, GOOD, encoding="koi8-r"), "wrong_encoding", ["KOI8-R"]),
    "no bytes": (lambda folder: plain(folder / NAME, b""), "empty_file", ["0 байт"]),
    "no table": (
        lambda folder: plain(folder / NAME, "Уважаемые коллеги!\nФайл позже.".encode()),
        "unknown_layout",
        ["нет заголовка ни одной известной разметки", "docs/templates/vpr.xlsx"],
    ),
    "a file of another source": (
        lambda folder: template(folder / "МКДО.csv", "preschool", [{"year": 2024, "organisation_code": "edu990001"}]),
        "other_source",
        ["строка 1", "Мониторинг качества дошкольного образования", "Доставьте его в источник preschool"],
    ),
    "a required column is missing": (
        lambda folder: write_csv(folder / NAME, [row[:-1] for row in GOOD], header=VPR_HEADER[:-1]),
        "unknown_layout",
        ["Строка 1 похожа на разметку «Региональная выгрузка 2022 года»", "нет столбцов: «Итого баллов»"],
    ),
    "an empty form": (lambda folder: write_csv(folder / NAME, []), "empty_form", [f"Форма «{NAME}» пустая"]),
    "most rows have no participant": (
        lambda folder: write_csv(folder / NAME, [participant(""), participant(""), participant(1)]),
        "required_value",
        ["Не читается 66.7% строк", "Строка 2", "«Код участника»"],
    ),
    "a score over the maximum in the only row": (
        lambda folder: write_csv(folder / NAME, [participant(1, (1, 9, 2))]),
        "item_over_maximum",
        ["Файл не принят", "Исправьте и пришлите файл ещё раз"],
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_refused_file_says_why(settings: Settings, tmp_path: Path, case: str) -> None:
    write, code, words = REFUSED[case]
    path = write(tmp_path)
    outcome = load_one(settings, path)
    assert (outcome.status, outcome.published) == ("rejected", False)
    for word in words:
        assert word in (outcome.message or "")
    assert statuses(settings) == {path.name: "rejected"}
    assert code in [found for (found,) in ask(settings, "select code from meta.rejection where severity = 'error'")]
    assert ask(settings, "select count(*) from raw.vpr") == [(0,)]
    [(url,)] = ask(settings, "select archive_url from meta.delivery")
    assert (settings.home / "landing" / url).read_bytes() == path.read_bytes()  # nothing is lost
    again = load_one(settings, path)
    assert again.status == "rejected"
    assert "уже отклонён" in (again.message or "")


# What of `GOOD` and one bad row is published, and what is said of the bad row: code, column, words.
CLEANED: dict[str, tuple[list[list[Any]], int, str, str | None, str]] = {
    "an item over its maximum": (
        [participant(90, (1, 5, 3))], 40, "item_over_maximum", "item_02",
        "Строка 42, столбец «задание 2»: 5 больше максимума задания 2",
    ),
    "the same row twice": ([participant(1)], 40, "key_repeated", None, "Строка 42: повторяет слово в слово строку 2"),
    "a participant twice with other scores": (
        [participant(1, (0, 0, 0))], 39, "key_repeated", None, "Строка 42: противоречит строке 2",
    ),
    "no participant code": (
        [participant("")], 40, "required_value", "participant_code",
        "Строка 42: не заполнено или не читается «Код участника». Строка не загружена.",
    ),
    "no school": (
        [participant(90, school="")], 40, "required_value", "organisation_code",
        "Строка 42: не заполнено или не читается «Логин ОО в ФИС ОКО»",
    ),
    "text in a number column": (
        [participant(90, total="шесть")], 41, "unreadable_cell", "reported_score",
        "Строка 42, столбец «Итоговый балл в файле»: «шесть» не читается; ожидается целое число от 0 до 150",
    ),
    "text in an item": (
        [participant(90, (1, "н/д", 3), total=4)], 41, "unreadable_cell", "item_02",
        "Строка 42, столбец «задание 2»: «н/д» не читается; ожидается балл от 0 до 30, X или «не пройд.»",
    ),
    "an unknown school": (
        [participant(90, school="edu990777")], 41, "unknown_organisation", "organisation_code",
        "Строка 42, столбец «Логин ОО в ФИС ОКО»: организации edu990777 нет в реестре",
    ),
    "a total that is not the sum": (
        [participant(90, total=5)], 41, "total_differs", "reported_score",
        "Строка 42, столбец «Итоговый балл в файле»: в файле 5, сумма баллов за задания 6",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CLEANED)
def test_a_bad_row_of_a_good_file_is_named_and_the_rest_is_published(
    settings: Settings, tmp_path: Path, case: str
) -> None:
    bad, published, code, column, words = CLEANED[case]
    register = template(
        tmp_path / "Реестр.csv", "organisation", [{"register_code": "regional", "organisation_code": "edu990001"}]
    )
    assert pipeline.load(settings, [register], "organisation")[0].status == "published"
    outcome = load_one(settings, write_csv(tmp_path / NAME, GOOD + bad))
    assert outcome.status == "published"
    found = ask(settings, "select severity, row_no, column_name, message from meta.rejection where code = %s", code)
    severity = "warn" if published == 41 else "error"
    assert (severity, 42, column) in [row[:3] for row in found]
    assert any(words in message for *_, message in found)
    if code in {"unknown_organisation", "total_differs"}:
        assert "нарушено" in (outcome.message or "")
    else:
        assert "Строка 2: противоречит" in (outcome.message or "") or words in (outcome.message or "")
    summary = "select rows_read, rows_published, rows_quarantined from meta.delivery_summary where source = 'vpr'"
    assert ask(settings, summary) == [(41, published, 41 - published)]
    assert ask(settings, "select count(distinct row_no) from meta.rejection where is_row_rejected") == [
        (41 - published,)
    ]
    assert len(current(settings, "participant_code")) == published


def test_a_repeated_key_is_found_however_far_apart_its_rows_are(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_text, "CHUNK_BYTES", 1 << 9)  # a batch of a few rows
    outcome = load_one(settings, write_csv(tmp_path / NAME, [*GOOD, participant(1)]))
    assert outcome.status == "published"
    assert ask(settings, "select row_no from meta.rejection where code = 'key_repeated'") == [(42,)]
    assert ask(settings, "select count(*), count(distinct participant_code) from raw.vpr") == [(40, 40)]


def test_a_good_file_is_said_nothing_of(settings: Settings, tmp_path: Path) -> None:
    register = template(
        tmp_path / "Реестр.csv", "organisation", [{"register_code": "regional", "organisation_code": "edu990001"}]
    )
    outcomes = pipeline.load(settings, [register, write_csv(tmp_path / NAME, GOOD)])
    assert [(o.source, o.status, o.message) for o in outcomes] == [
        ("organisation", "published", None), ("vpr", "published", None),
    ]  # fmt: skip
    assert ask(settings, "select count(*) from meta.rejection") == [(0,)]


def test_one_bad_file_never_stops_another(settings: Settings, tmp_path: Path) -> None:
    files = [write(tmp_path / str(number)) for number, (write, _, _) in enumerate(_in_folders(tmp_path))]
    good = [write_csv(tmp_path / f"vpr_2024_g{grade}_RU.csv", GOOD) for grade in (4, 5, 6)]
    batch = [good[0], *files[:6], good[1], *files[6:], good[2]]
    outcomes = pipeline.load(settings, batch, "vpr")
    assert [o.file_name for o in outcomes if o.status == "published"] == [path.name for path in good]
    assert {o.status for o in outcomes if o.file_name not in {path.name for path in good}} == {"rejected"}
    assert len(current(settings, "grade, participant_code")) == 120
    archive = settings.home / "landing" / "archive"
    kept = {hashlib.sha256(path.read_bytes()).hexdigest() for path in archive.rglob("*") if path.is_file()}
    assert kept == {hashlib.sha256(path.read_bytes()).hexdigest() for path in batch}


def _in_folders(folder: Path) -> list[tuple[Callable[[Path], Path], str, list[str]]]:
    for number in range(len(REFUSED)):
        (folder / str(number)).mkdir()
    return list(REFUSED.values())


def test_a_fault_of_ours_in_one_delivery_does_not_stop_the_next(settings: Settings, tmp_path: Path) -> None:
    files = [write_csv(tmp_path / f"vpr_2024_g{grade}_MA.csv", GOOD) for grade in (4, 5)]
    received = pipeline.receive_files(settings, files, "vpr")
    [(url,)] = ask(settings, "select archive_url from meta.delivery where file_name = %s", files[0].name)
    (settings.home / "landing" / url).unlink()  # both have the same bytes but for the name
    outcomes = [pipeline.settle(settings, outcome) for outcome in received]
    assert [o.status for o in outcomes] == ["received", "received"]
    assert all("Сбой" in (o.message or "") for o in outcomes)
    write_csv(settings.home / "landing" / url, GOOD)
    assert [pipeline.settle(settings, outcome).status for outcome in received] == ["published", "published"]


# --- control totals ---------------------------------------------------------------------------------------------------


def test_control_totals_reconcile_from_the_file_to_the_published_rows(settings: Settings, tmp_path: Path) -> None:
    absent = [participant(code, ("", "", ""), variant="отсутствовал", total="") for code in (51, 52)]
    over = participant(90, (1, 2, 9))
    rows = [*GOOD, *absent, over, participant("")]
    load_one(settings, write_csv(tmp_path / NAME, rows))
    [(read, published, quarantined, totals)] = ask(
        settings, "select rows_read, rows_published, rows_quarantined, control_totals from meta.delivery_summary"
    )
    assert (read, published, quarantined) == (44, 42, 2)
    assert totals == {
        "rows": {"read": 43, "staged": 43, "published": 42},
        "present": {"read": 41, "staged": 41, "published": 40},
        "absent": {"read": 2, "staged": 2, "published": 2},
        "sum_primary_score": {"read": 252, "staged": 252, "published": 240},
    }
    [(controls,)] = ask(settings, "select controls from meta.current_load")
    assert controls == {measure: by_stage["published"] for measure, by_stage in totals.items()}


def test_a_load_whose_totals_do_not_reconcile_fails(settings: Settings, tmp_path: Path) -> None:
    with pipeline.connect(settings) as connection:
        # A server that loses a row on the way: the reader's count is what tells.
        connection.execute(
            "create function lose() returns trigger language plpgsql as "
            "$$ begin return case when new.participant_code = '7' then null else new end; end $$"
        )
        connection.execute("create trigger lose before insert on raw.vpr for each row execute function lose()")
    path = write_csv(tmp_path / NAME, GOOD)
    received = pipeline.receive_files(settings, [path], "vpr")[0]
    with pytest.raises(PermanentError, match="'rows' does not reconcile at COPY: 40 before, 39 after"):
        pipeline.process(settings, received.delivery_id)
    assert ask(settings, "select count(*) from raw.vpr") == [(0,)]
    assert statuses(settings) == {NAME: "received"}


# --- a dry run --------------------------------------------------------------------------------------------------------


def test_a_check_gives_the_verdict_of_a_load_and_leaves_no_trace(settings: Settings, tmp_path: Path) -> None:
    files = []
    for number, (write, _, _) in enumerate(_in_folders(tmp_path)):
        files.append(write(tmp_path / str(number)))
    for number, (bad, *_) in enumerate(CLEANED.values()):
        files.append(write_csv(tmp_path / f"clean{number}" / NAME, GOOD + bad))
    with pipeline.connect(settings):
        pass
    before = everything(settings)
    checked = [pipeline.check(settings, path, "vpr") for path in files]
    assert everything(settings) == before
    assert not (settings.home / "landing").exists()
    for path, (verdict, rejections) in zip(files, checked, strict=True):
        outcome = load_one(settings, path)
        assert {"accepted": "published"}.get(verdict.status, verdict.status) == outcome.status
        assert verdict.message == outcome.message
        if outcome.load_id and rejections:
            found = ask(
                settings, "select code, row_no, message from meta.rejection where load_id = %s", outcome.load_id
            )
            assert sorted(found, key=str) == sorted(
                [(r["code"], r["row_no"], r["message"]) for r in rejections], key=str
            )


# --- persons ----------------------------------------------------------------------------------------------------------

PERSON = {"last_name": "Вертопрахов", "first_name": "Аристарх", "middle_name": "Пантелеймонович"}
SNILS = "112-233-445 95"
SECRETS = [
    "вертопрахов", "аристарх", "пантелеймонович", "11223344595", "112-233-445", "777888", "9204",
]  # fmt: skip


def staff_files(folder: Path) -> list[tuple[str, Path]]:
    """The same person as a leader, as attested and as a participant, in clean rows and in spoilt ones."""
    leader = {**PERSON, "snils": SNILS, "organisation_code": "edu990001", "position": "Директор"}
    attested = {**leader, "year": 2024, "person_role": "руководитель", "category": "высшая"}
    shifted = {**attested, "year": "Вертопрахов", "test_percent": "Аристарх", "decided_on": SNILS}
    clean = [{**attested, "position": f"Учитель {number}", "person_role": "педагог"} for number in range(40)]
    exam: list[Any] = ["0101", "11А", "0001", "0001", "99", *PERSON.values(), "9204", "777888", "++", "2(3)", 4, "", 60]
    exams = [[str(100 + number), *exam[1:9], f"777888{number}", *exam[10:]] for number in range(40)]
    spoilt = [*exam[:12], "Вертопрахов", "777888", "Аристарх"]
    lacking = [exam[0], *exam[2:], ""]  # a cell too few: the surname stands where the municipality should
    return [
        ("leader", template(folder / "Руководители.csv", "leader", [{**leader, "started_on": "01.09.2020"}])),
        ("leader", template(folder / "Руководители с ошибкой.csv", "leader", [{**leader, "started_on": SNILS}])),
        ("attestation", template(folder / "Аттестация.csv", "attestation", [attested, *clean, shifted])),
        ("gia", write_csv(folder / "01_2024.06.01.csv", [exam, *exams, spoilt, lacking], header=GIA_HEADER)),
        ("gia", write_csv(folder / "02_2024.06.03.csv", [[*exam[5:], *exam[:5]]], header=GIA_HEADER)),
        ("vpr", write_csv(folder / "Список.csv", [list(PERSON.values())], header=["Фамилия", "Имя", "Отчество"])),
    ]


def test_no_personal_data_reaches_database_messages_or_logs(
    settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.DEBUG):
        for source, path in staff_files(tmp_path):
            pipeline.check(settings, path, source)
            pipeline.load(settings, [path], source)
    assert {s for (s,) in ask(settings, "select source from meta.load where rows_staged > 0")} == {
        "leader", "attestation", "gia",
    }  # fmt: skip
    output = capfd.readouterr()
    for place, text in {
        "database": everything(settings),
        "log": caplog.text,
        "output": output.out + output.err,
    }.items():
        for word in SECRETS:
            assert word not in text.casefold(), f"{word} in {place}: {_around(text, word)}"


def _around(text: str, word: str) -> str:
    at = text.casefold().index(word)
    return text[max(0, at - 200) : at + 200]


def test_a_person_has_one_pseudonym_in_all_files_and_another_in_another_installation(
    settings: Settings, server: Settings, tmp_path: Path
) -> None:
    files = staff_files(tmp_path)[:3]
    again = {"last_name": " ВЕРТОПРАХОВ ", "snils": "11223344595", "organisation_code": "sch990002"}
    differently = template(tmp_path / "Приём.csv", "leader", [{**again, "started_on": "2021-09-01"}])

    def pseudonyms(where: Settings) -> list[str]:
        for source, path in [*files, ("leader", differently)]:
            pipeline.load(where, [path], source)
        return [
            h for (h,) in ask(where, "select person_hash from raw.leader union select person_hash from raw.attestation")
        ]

    [own] = pseudonyms(settings)
    with installation(server, tmp_path / "other") as other:
        [foreign] = pseudonyms(replace(other, given_pseudonym_key="another key"))
    assert len(own) == len(foreign) == 32
    assert own != foreign


# --- killed on the way ------------------------------------------------------------------------------------------------

STAGES = {
    "before the ledger knows the file": "before insert on meta.delivery for each statement",
    "received": "before insert on meta.load for each statement",
    "rows on their way": "before insert on raw.vpr for each statement",
    "gate": "before insert on meta.gate_result for each statement",
    "publication": "before insert on meta.slice_load for each statement",
    "slices being flipped": "before update on meta.slice_load for each statement",
    "commit": "after insert on meta.slice_load deferrable initially deferred for each row",
}


@pytest.fixture(scope="module")
def corrected(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A file and its correction."""
    folder = tmp_path_factory.mktemp("corrected")
    rows = [participant(1), participant(2), participant(1, school="edu990002")]
    correction = [participant(1, (0, 0, 0)), participant(2, (1, 9, 9)), *[participant(c) for c in range(3, 40)]]
    return write_csv(folder / "1" / NAME, rows), write_csv(folder / "2" / NAME, correction)


@pytest.fixture(scope="module")
def uninterrupted(
    server: Settings, corrected: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, bytes]:
    with installation(server, tmp_path_factory.mktemp("uninterrupted")) as settings:
        assert [load_one(settings, path).published for path in corrected] == [True, True]
        return contents(settings)


@pytest.mark.slow
@pytest.mark.parametrize("stage", STAGES)
def test_a_load_that_was_killed_starts_anew_and_ends_as_if_nothing_had_been(
    settings: Settings, corrected: tuple[Path, Path], uninterrupted: dict[str, bytes], stage: str
) -> None:
    first, correction = corrected
    load_one(settings, first)
    with stalled(settings, STAGES[stage]):
        process = start(pipeline.load, settings, [correction], "vpr")
        wait_for_stall(settings, process)
        # Until it is all there, nothing of it is.
        assert current(settings, "participant_code, primary_score") == [("1", 6), ("1", 6), ("2", 6)]
        process.kill()
        process.join()
    assert load_one(settings, correction).status == "published"
    assert contents(settings) == uninterrupted


def test_a_scan_that_was_killed_before_it_emptied_the_inbox_receives_nothing_twice(
    settings: Settings, tmp_path: Path
) -> None:
    landing = Landing(settings.landing_url)
    path = write_csv(tmp_path / NAME, GOOD)
    waiting = landing.deliver("vpr", path, {})
    with landing.fetch(waiting) as arrived:
        [received] = pipeline.receive(settings, [arrived], "vpr")
    assert pipeline.scan(settings, "vpr") == [received.delivery_id]
    assert landing.waiting("vpr") == []
    assert ask(settings, "select count(*) from meta.delivery") == [(1,)]
