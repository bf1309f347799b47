"""A simulated region as its suppliers would deliver it: results, catalogue, mark scales, register, school contexts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from bench.calibrate.answers import NOT_ATTEMPTED, NOT_TAUGHT, Work
from bench.calibrate.region import Region, Written
from rsoko.contracts.model import load_contract

_SCORES = {NOT_ATTEMPTED: "X", NOT_TAUGHT: "не пройд."}
_LETTERS = pl.Series(list("АБВГДЕЖЗ"))
_JOURNAL = "Отметка за предыдущий триместр/ четверть/полугодие"


def results(folder: Path, region: Region, written: Written) -> Path:
    """One work of the whole region in the layout of the regional extract; the absent keep their journal marks."""
    answers, work = written.answers, written.answers.work
    present = pl.Series(answers.present)
    number = np.arange(answers.school.size)
    cells = {
        "Пользователь": pl.Series(region.codes).gather(answers.school),
        "Муниципалитет": pl.Series([f"reg99_m{code:03d}|Район {code}" for code in answers.school % 40]),
        "Школа": pl.Series([f"Школа № {school}" for school in answers.school]),
        "Дата загрузки": pl.Series([f"20.05.{work.year} 10:00:00"]).gather(number * 0),
        "Код": pl.Series(work.grade * 100_000 + number).cast(pl.String),
        "Вариант": _where(present, answers.variant, "отсутствовал"),
        "Наименование класса": pl.Series([str(work.grade)]).gather(number * 0) + _LETTERS.gather(written.letter),
        _JOURNAL: pl.Series(answers.journal).cast(pl.String).replace("0", "нет отметки"),
        "Итого баллов": _where(present, answers.totals, ""),
    }
    spelled = {str(state): text for state, text in _SCORES.items()}
    for item, maximum in enumerate(work.maxima.tolist()):
        scores = _where(present, answers.scores[:, item], "").replace(spelled)
        cells[f"{item + 1} ({maximum}б)"] = scores
    path = folder / f"vpr_{work.year}_g{work.grade}_{work.subject}.csv"
    pl.DataFrame(cells).write_csv(path, separator=";")
    return path


def _where(present: pl.Series, values: np.ndarray, otherwise: str) -> pl.Series:
    return pl.select(pl.when(present).then(pl.Series(values).cast(pl.String)).otherwise(pl.lit(otherwise))).to_series()


def beside(folder: Path, region: Region, works: list[Work]) -> dict[str, list[Path]]:
    """What is known of works and schools, by source, as templates."""
    catalogue = [
        {
            **_named(work), "year": work.year, "item_no": item + 1, "item_label": str(item + 1), "max_score": maximum,
            "item_kind": "развернутый ответ" if work.is_expert[item] else "краткий ответ",
        }
        for work in works
        for item, maximum in enumerate(work.maxima.tolist())
    ]  # fmt: skip
    scales = [
        {
            **_named(work), "year_from": work.year, "year_to": work.year, "max_score": work.max_score,
            **{f"min_score_{mark}": least for mark, least in zip((3, 4, 5), work.least, strict=True)},
        }
        for work in works
    ]  # fmt: skip
    context = region.context()
    schools = [
        {
            "year": year, "organisation_code": code, "organisation_name": f"Школа № {number}",
            "settlement_type": "село" if context.group[number] == "rural" else "город",
            "is_selective": "да" if context.group[number] == "selective" else "нет",
            "social_index": f"{context.social_index[number]:.6f}",
        }
        for year in region.settings.years
        for number, code in enumerate(region.codes)
    ]  # fmt: skip
    register = [
        {
            "register_code": "fisoko", "organisation_code": code, "organisation_name": f"Школа № {number}",
            "organisation_kind": "школа", "municipality_name": f"Район {number % 40}",
        }
        for number, code in enumerate(region.codes)
    ]  # fmt: skip
    return {
        source: [_template(folder / f"{source}.csv", source, rows)]
        for source, rows in {
            "organisation": register, "school_context": schools, "task_catalogue": catalogue, "mark_scale": scales,
        }.items()
    }  # fmt: skip


def _named(work: Work) -> dict[str, object]:
    return {"grade": work.grade, "subject_code": work.subject}


def _template(path: Path, source: str, rows: list[dict[str, object]]) -> Path:
    """csv under the Russian titles of the contract's columns."""
    titles = {name: column.title for name, column in load_contract(source).column.items()}
    pl.DataFrame(rows).rename({name: titles[name] for name in rows[0]}).write_csv(path, separator=";")
    return path
