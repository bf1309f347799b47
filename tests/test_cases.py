"""Small inputs that met a fault (`tests/cases`), each with what it has to give: rows, or the reason of a refusal."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ingest.read import reader
from ingest.type.context import from_file_name, merge_context
from ingest.type.normaliser import Normaliser
from rsoko.base.errors import SupplierError
from rsoko.contracts.model import load_contract

CASES = Path(__file__).parent / "cases"


@dataclass
class Answer:
    """What a file gave: typed rows, sum of item scores, everything told."""

    rows: int = 0
    scores: int = 0
    told: list[str] = field(default_factory=list)


def answer(path: Path, source: str = "vpr") -> Answer:
    """Read and type a file as it would be delivered: `…__NAME` under NAME."""
    name = path.name.split("__")[-1]
    contract = load_contract(source)
    normaliser = Normaliser(contract, b"key", 99)
    out = Answer()
    for block in reader.read(path, name, contract):
        context, _ = merge_context(block, from_file_name(name, contract), {}, contract)
        for batch in block.batches:
            typed = normaliser.batch(block, batch, context)
            out.rows += typed.frame.height
            out.told += [rejection.message for rejection in typed.rejections]
            if "computed_score" in typed.frame.columns:
                out.scores += int(typed.frame["computed_score"].sum() or 0)
        out.told += [note.message for note in block.notes]
    return out


def case(name: str) -> Path:
    """The file of a case: a folder of `reading`, or a file."""
    path = CASES / name
    return next(path.iterdir()) if path.is_dir() else path


READ = """
reading/08_trailing_sep_rows_only 6 18
reading/09_trailing_sep_all 6 18
reading/11_newline_in_header 6 18
reading/14_apostrophe 6 18
reading/25_decimal_comma 6 18
reading/26_tsv 6 18
reading/26b_txt_pipe 6 18
reading/31e_blank_lines_inside 6 18
reading/36_header_latin_o 6 18
reading/36b_item_header_latin_a 6 18
reading/37_nfd_content 6 18
reading/1c_SharedStrings_case 6 18
reading/backslash_paths 6 18
reading/chartsheet 4 11
reading/dimension_A1 6 18
reading/empty_columns_between 4 11
reading/header_footnote_star 4 11
reading/header_latin_o 4 11
reading/inline_strings 6 18
reading/item_header_dot 4 11
reading/item_header_latin_b 4 11
reading/item_header_words 4 11
reading/no_cell_refs 6 18
reading/no_styles 6 18
reading/rich_text_header 6 18
reading/strict_ooxml 6 18
reading/title_latin_c_subject 4 11
reading/title_nfd 4 11
reading/title_two_works_above 4 11
reading/x000d_header 6 18
reading/x_prefix_powerbi 6 18
exports/J1_item_header_words.xlsx 4 11
exports/O1_title_nfd.xlsx 4 11
damaged/a_good.csv 120 416
damaged/z_good.csv 120 416
damaged/crc_original.xlsx 120 416
"""
REFUSED = {
    "reading/38_dup_item_col": "названы одинаково: «балл за 1»",
    "exports/L1_password.xlsx": "закрыта паролем",
    "exports/stray_XFD1048576.xlsx": "до ячейки XFD1048576",
    "exports/stray_col_XFD.xlsx": "до ячейки XFD9",
    "exports/stray_row_1048576.xlsx": "до ячейки L1048576",
    "damaged/crc_other_numbers.xlsx": "контрольная сумма",
    "damaged/m_corrupt_deflate.xlsx": "контрольная сумма",
    "damaged/m_panic.xls": "повреждена",
    "damaged/m_zlib.csv.gz": "повреждён",
    "hostile/cell100mb.xlsx": "длиннее 32767 знаков",
    "hostile/cols16k.xlsx": "столбцов 702",
    "hostile/far_cell.xlsx": "до ячейки XFD1048576",
    "hostile/far_col.xlsx": "до ячейки CZZ200000",
    "hostile/laughs.xlsx": "DTD",
    "hostile/xxe.xlsx": "DTD",
    "hostile/nested.xlsx": "архив",
    "hostile/nested.csv.gz": "двоичные данные",
    "hostile/trunc.csv.gz": "повреждён",
    "reading/side_by_side": "названы одинаково: «1 (2б)»",
}


@pytest.mark.parametrize("line", READ.strip().splitlines())
def test_a_case_is_read(line: str) -> None:
    name, rows, scores = line.split()
    got = answer(case(name))
    assert (got.rows, got.scores) == (int(rows), int(scores)), got.told


@pytest.mark.parametrize(("name", "reason"), REFUSED.items())
def test_a_case_is_refused(name: str, reason: str) -> None:
    with pytest.raises(SupplierError) as refusal:
        answer(case(name))
    assert reason in str(refusal.value)


@pytest.mark.parametrize(("name", "reason"), REFUSED.items())
def test_what_a_refused_file_is_of_may_be_asked(name: str, reason: str) -> None:
    reader.recognise(case(name), case(name).name)
