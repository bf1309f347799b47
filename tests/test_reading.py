"""Readers and typing: what a spelling means, and what a file is told when it can't be read."""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterable
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from ingest.read import reader, text
from ingest.type.cells import parse
from ingest.type.context import from_file_name, merge_context
from ingest.type.normaliser import Normaliser
from ingest.type.person import pseudonym
from rsoko.base.errors import SupplierError
from rsoko.base.identity import identity
from rsoko.contracts.model import Column, contracts, load_contract
from rsoko.contracts.vocabulary import fold

VPR = load_contract("vpr")
HEADER = [
    "логин школы",
    "код обучающегося",
    "отметка за предыдущую четверть/триместр",
    "пол",
    "класс",
    "вариант",
    "всего баллов",
]


def column(name: str, source: str = "vpr") -> Column:
    return load_contract(source).column[name]


def write_csv(path: Path, rows: Iterable[Iterable[object]], delimiter: str = ";", encoding: str = "utf-8") -> Path:
    path.write_bytes("\n".join(delimiter.join(map(str, row)) for row in rows).encode(encoding))
    return path


def work(items: int = 3) -> list[list[str]]:
    """A small work in the 2021 layout."""
    return [
        [*HEADER, *(f"балл за {n}" for n in range(1, items + 1))],
        ["sch990001", "50001", "4", "м", "5А", "1", "4", "2", "X", "2"],
        ["ksh990002", "50002", "нет отметки", " Ж", "5а", "отсутствовал", "", "", "", ""],
        ["edu990003", "50003", "3", "ж", "", "2", "1", "1 ", "не пройд.", "Х"],
    ]


def frames(path: Path, source: str = "vpr", region: int = 99) -> pl.DataFrame:
    """Everything a file holds, typed."""
    contract = load_contract(source)
    told = from_file_name(path.name, contract)
    normaliser = Normaliser(contract, b"key", region)
    out = []
    for block in reader.read(path, path.name, contract):
        context, _ = merge_context(block, told, {}, contract)
        out += [normaliser.batch(block, batch, context).frame for batch in block.batches]
    return pl.concat(out, how="diagonal")


# --- spellings -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["sch220163", "ksh220163", "edu220163", " EDU220163 ", "edu220163 | МБОУ «СОШ №1»"])
def test_logins_of_one_school_are_one(text: str) -> None:
    assert parse(text, column("organisation_code")) == ("edu220163", True)


@given(st.integers(0, 10**9))
def test_a_code_is_the_same_as_text_integer_and_float(number: int) -> None:
    target = column("ris_code", "gia")
    assert parse(str(number), target) == parse(f"{number}.0", target) == parse(f" {number}\u00a0", target)


@given(st.integers(1, 5), st.sampled_from(["{}", " {}", "{} ", "{}.0", "{}\u00a0"]))
def test_a_mark_is_read_in_any_dress(mark: int, dress: str) -> None:
    assert parse(dress.format(mark), column("journal_mark")) == (mark, True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("нет отметки", (None, True)), ("", (None, True)), ("6", (None, False)), ("ж", (None, False))],
)
def test_what_is_no_mark(text: str, expected: tuple[object, bool]) -> None:
    assert parse(text, column("journal_mark")) == expected


@given(
    st.dates(date(1990, 1, 1), date(2040, 12, 31)),
    st.sampled_from(["%d.%m.%Y", "%Y-%m-%d", "%Y.%m.%d", "%d-%m-%Y", "%Y-%m-%d %H:%M:%S"]),
)
def test_dates_of_every_template(day: date, pattern: str) -> None:
    assert parse(day.strftime(pattern), column("exam_date", "gia")) == (day, True)


@given(st.floats(0, 100, allow_nan=False).map(lambda value: round(value, 2)))
def test_decimal_comma(value: float) -> None:
    assert parse(str(value).replace(".", ","), column("test_percent", "attestation")) == (value, True)


@given(st.text(max_size=40))
def test_no_text_breaks_a_column(text: str) -> None:
    for contract in contracts():
        for target in contract.stored_columns:
            value, readable = parse(text, target)
            assert value is None or readable


@given(st.text(min_size=1, max_size=30))
def test_fold_is_stable(text: str) -> None:
    assert fold(fold(text)) == fold(text)


def test_inn_gets_its_zero_back() -> None:
    assert parse("105012345", column("inn", "organisation")) == ("0105012345", True)


@given(st.lists(st.text(min_size=1), min_size=1, max_size=4, unique=True))
def test_identity_depends_on_every_part(parts: list[str]) -> None:
    assert 0 <= identity(*parts) < 2**63
    assert identity(*parts) == identity(*parts)
    assert identity(*parts) != identity(*parts, "x")


def test_pseudonym_ignores_spelling_and_depends_on_the_key() -> None:
    assert pseudonym(b"k", "ИВАНОВ ", "Пётр") == pseudonym(b"k", "Иванов", "петр")
    assert pseudonym(b"k", "Иванов") != pseudonym(b"other", "Иванов")


# --- tables ----------------------------------------------------------------------------------------------------------


def as_workbook(rows: list[list[str]], above: int = 0) -> bytes:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in [["Отчёт"], *[[]] * (above - 1)] if above else []:
        sheet.append(row)
    for row in rows:
        sheet.append([int(cell) if cell.isdigit() else cell or None for cell in row])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@pytest.mark.parametrize("kind", ["utf-8", "utf-8-sig", "cp1251", "comma", "tab", "gz", "xlsx", "xlsx below a title"])
def test_every_container_gives_the_same_rows(tmp_path: Path, kind: str) -> None:
    path = tmp_path / ("vpr_2021_g5_RU.xlsx" if kind.startswith("xlsx") else "vpr_2021_g5_RU.csv")
    above = 3 if "title" in kind else 0
    if kind.startswith("xlsx"):
        path.write_bytes(as_workbook(work(), above))
    elif kind == "gz":
        path = path.with_suffix(".csv.gz")
        path.write_bytes(gzip.compress(write_csv(tmp_path / "plain.csv", work()).read_bytes()))
    else:
        delimiter = {"comma": ",", "tab": "\t"}.get(kind, ";")
        write_csv(path, work(), delimiter, kind if kind in {"utf-8", "utf-8-sig", "cp1251"} else "utf-8")
    frame = frames(path)
    assert frame["row_no"].to_list() == [2 + above, 3 + above, 4 + above]
    assert frame.select("organisation_code", "participation", "primary_score", "journal_mark").rows() == [
        ("edu990001", "present", 4, 4),
        ("edu990002", "absent", None, None),
        ("edu990003", "present", 1, 3),
    ]
    assert frame.select("item_01", "item_02", "item_03").rows() == [(2, -1, 2), (None, None, None), (1, -2, -1)]
    assert frame["class_label"].to_list() == ["5А", "5А", None]
    assert frame.select("year", "grade", "subject_code").unique().rows() == [(2021, 5, "RU")]


def test_states_are_not_zero(tmp_path: Path) -> None:
    """Not attempted, not taught, unreadable and absent are four things, and none of them is 0."""
    rows = work()
    rows[1][7:] = ["0", "?", "X"]
    frame = frames(write_csv(tmp_path / "vpr_2021_g5_RU.csv", rows))
    assert frame.row(0, named=True)["item_01"] == 0
    assert frame.row(0, named=True)["item_02"] == -3
    # One item can't be read, so the sum of the rest is not the score: the file's own total stands.
    assert (frame["computed_score"][0], frame["primary_score"][0]) == (None, 4)


def test_a_line_break_inside_quotes_is_one_record(tmp_path: Path) -> None:
    rows = [
        ["логин", "имя", "регион"],
        ["sch990001", '"Школа\nимени ""Героя"""', "Район"],
        ["sch990002", "Школа 2", "Район"],
    ]
    frame = frames(write_csv(tmp_path / "logins.csv", rows, ","), "organisation")
    assert frame["organisation_name"].to_list() == ['Школа имени "Героя"', "Школа 2"]


def test_quotes_that_nobody_doubled(tmp_path: Path) -> None:
    header = '"global_id","name","vid_uchrezhdeniya","rayon"\n'
    text = header + '"7","Школа "Гармония", корпус 2","Гимназия",\n"8","Школа",,"Район"\n'
    path = tmp_path / "register.csv"
    path.write_text(text, encoding="utf-8")
    frame = frames(path, "organisation")
    assert frame.select("register_number", "organisation_name").rows() == [
        ("7", 'Школа "Гармония", корпус 2'),
        ("8", "Школа"),
    ]


def test_a_big_file_is_read_in_batches_and_nothing_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text, "CHUNK_BYTES", 1 << 10)
    header, row = work()[0], work()[1]
    rows = [header, *([*row[:1], str(50000 + n), *row[2:]] for n in range(500))]
    frame = frames(write_csv(tmp_path / "vpr_2021_g5_RU.csv", rows))
    assert frame["participant_code"].to_list() == [str(50000 + n) for n in range(500)]
    assert frame["row_no"].to_list() == list(range(2, 502))
    assert frame["slice_id"].n_unique() == 1


# --- names -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("vpr_2021_g5_MA.csv.gz", ("2021", "5", "MA")),
        ("2021__5__Проведение работы по математике, 5 класс. ВПР 2021.xlsx", ("2021", "5", "MA")),
        ("2020__4__Русский язык.xlsx", ("2020", "4", "RU")),
        ("2022__11__История.xlsx", ("2022", "11", "IS")),
        ("Проведение работы по русскому языку, 5 класс. ВПР 2021.xlsx", ("2021", "5", "RU")),
        ("Форма сбора результатов Английский язык 8 класс ВПР 2026.xlsx", ("2026", "8", "EN")),
    ],
)
def test_names_tell_year_grade_and_subject(name: str, expected: tuple[str, str, str]) -> None:
    told = from_file_name(name, VPR)
    assert (told["year"], told["grade"], parse(told["subject_code"], column("subject_code"))[0]) == expected


# --- files that can't be read ----------------------------------------------------------------------------------------


def refused(path: Path, source: str = "vpr") -> SupplierError:
    with pytest.raises(SupplierError) as caught:
        frames(path, source)
    return caught.value


def test_a_truncated_workbook(tmp_path: Path) -> None:
    path = tmp_path / "vpr_2021_g5_RU.xlsx"
    path.write_bytes(as_workbook(work())[:2000])
    error = refused(path)
    assert error.code == "broken_workbook"
    assert "Книга «vpr_2021_g5_RU.xlsx» не открывается" in error.message
    assert "пришлите ещё раз" in error.message


@pytest.mark.parametrize(("encoding", "name"), [("utf-16", "UTF-16"), ("cp866", "DOS (cp866)"), ("koi8-r", "KOI8-R")])
def test_a_wrong_code_page_is_named(tmp_path: Path, encoding: str, name: str) -> None:
    rows = [list(row) for row in work()]
    error = refused(write_csv(tmp_path / "vpr_2021_g5_RU.csv", rows, encoding=encoding))
    assert error.code == "wrong_encoding"
    assert name in error.message


def test_a_file_of_another_source_is_told_whose_it_is(tmp_path: Path) -> None:
    error = refused(
        write_csv(tmp_path / "vpr_2021_g5_RU.csv", [["логин", "имя", "регион"], ["sch1", "Школа", "Район"]])
    )
    assert error.code == "other_source"
    assert "Реестр образовательных организаций" in error.message
    assert "доставлен как «Всероссийские проверочные работы" in error.message


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    rows = work()
    rows[0][1] = "участник"
    error = refused(write_csv(tmp_path / "vpr_2021_g5_RU.csv", rows))
    assert error.code == "unknown_layout"
    assert "нет столбцов: «код обучающегося»" in error.message
    assert "Строка 1" in error.message


def test_an_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "vpr_2021_g5_RU.csv"
    path.touch()
    assert refused(path).code == "empty_file"


def test_what_the_name_does_not_tell_must_be_given(tmp_path: Path) -> None:
    error = refused(write_csv(tmp_path / "2849657.csv", work()))
    assert error.code == "context_missing"
    assert "--set year=… --set grade=… --set subject_code=…" in error.message


# --- real files ------------------------------------------------------------------------------------------------------


def test_real_exports_of_fisoko(shared: Path) -> None:
    folder = shared / "data/fisoko_exports"
    f1 = frames(folder / "F1_individual_results_RU4_2026_pseudonymised.xlsx")
    assert f1.height == 50
    assert f1.select("year", "grade", "subject_code", "max_score").unique().rows() == [(2026, 4, "RU", 24)]
    f3 = frames(folder / "F3_marks_statistics_RU4_2026_pseudonymised.xlsx", "vpr_summary")
    assert f3.select("participants", "share_5").rows()[-1] == (89, 7.87)
    f4 = frames(folder / "F4_marks_vs_journal_MA4_2024_pseudonymised.xlsx", "vpr_summary")
    assert f4.select("confirmed", "organisation_code").rows()[-1] == (37, "edu990001")


def test_real_protocol_with_two_exams_on_a_sheet(shared: Path) -> None:
    frame = frames(shared / "data/fisoko_exports/oge_protocol_regional_layout_fictional_names.xls", "gia")
    assert frame.select("subject_code", "exam_date", "procedure_code", "primary_score", "computed_score").rows() == [
        ("OB", date(2026, 7, 3), "oge", 27, 22),
        ("HI", date(2026, 7, 3), "oge", 22, 9),
    ]
    assert not {"last_name", "first_name", "document_number"} & set(frame.columns)


@pytest.mark.parametrize(
    ("path", "source", "region", "rows"),
    [
        ("vpr_altai/logins.xlsx", "organisation", 22, 692),
        ("vpr_altai/context_oo_2022_1_noPD.csv", "organisation", 22, 678),
        ("tatarstan_registers/schools.csv", "organisation", 16, 1354),
        ("tatarstan_registers/MSU-list.csv", "municipality", 16, 51),
        ("tatarstan_registers/ATE-list.csv", "municipality", 16, 48),
        ("moscow_opendata/data-20130909T0800.csv", "organisation", 77, 1230),
        ("moscow_opendata/data-20131031T1325-structure-20131031T1325.csv", "organisation", 77, 169),
    ],
)
def test_real_registers(shared: Path, path: str, source: str, region: int, rows: int) -> None:
    frame = frames(shared / "data" / path, source, region)
    assert frame.height == rows


def test_the_same_work_as_workbook_and_as_csv(shared: Path) -> None:
    folder = shared / "data/vpr_altai"
    book = frames(folder / "raw_xlsx/2020__4__Русский язык.xlsx", region=22)
    text = frames(folder / "wide_csv_gz/vpr_2020_g4_RU.csv.gz", region=22)
    same = [name for name in book.columns if name in text.columns and name not in {"sheet"}]
    assert book.select(same).equals(text.select(same))
