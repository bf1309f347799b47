"""Synthetic ВПР deliveries of any size: random scores in the layouts, proportions and dirt of the real files."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np
import polars as pl
from openpyxl import Workbook

SCHOOL_ROWS = 500
"""Participants of one school in the region's file."""
SCHOOLS = 4_000
"""Schools of the largest region."""
MAXIMA = [1, 1, 2, 2, 1, 1, 3, 2, 1, 1, 2, 1, 1, 2, 3, 1, 2, 1, 1, 2]
HEADER = [
    "логин школы", "регион", "номер обучающегося", "код обучающегося", "отметка за предыдущую четверть/триместр", "пол",
    "класс", "вариант", "всего баллов", *(f"балл за {number}" for number in range(1, len(MAXIMA) + 1)),
    "Учебник", "Др.уч. автор", "Др.уч. название", "Unnamed: 33",
]  # fmt: skip
"""The 33 columns of the regional file of 2021 for a work of twenty items."""
_CHUNK = 50_000
_MARKS = ["2", "3", "4", "5", "нет отметки"]
_CLASSES = [f"5{letter}" for letter in "АБВГДЕЖЗИКЛМНОПРСТУФ"]
_CELLS = ["0", "1", "2", "3", "X", "не пройд."]


def region_year(path: Path, rows: int, *, seed: int = 2021) -> Path:
    """Write a region's results of one work as Windows-1251 csv with `;`, school after school, and return `path`."""
    with path.open("wb") as file:
        file.write((";".join(HEADER) + "\n").encode("cp1251"))
        for start in range(0, rows, _CHUNK):
            frame = participants(start, min(_CHUNK, rows - start), school_rows=SCHOOL_ROWS, seed=seed)
            out = BytesIO()
            frame.write_csv(out, include_header=False, separator=";")
            file.write(out.getvalue().decode().encode("cp1251"))
    return path


def register(path: Path, schools: int) -> Path:
    """Write the list of logins of ФИС ОКО with that many schools, and return `path`."""
    rows = (f"sch99{number:04d};Школа № {number};Район {number % 40}" for number in range(schools))
    path.write_text("\n".join(["логин;имя;регион", *rows]), "utf-8")
    return path


def school_workbooks(folder: Path, count: int, rows: int, *, seed: int = 2021) -> list[Path]:
    """Write `count` workbooks of one school each in the same columns, numbers as numbers, and return their paths.

    Twenty are made cell by cell; the others repeat their scores under logins of other schools.
    """
    folder.mkdir()
    models = [_workbook(participants(number * rows, rows, school_rows=rows, seed=seed)) for number in range(20)]
    paths = [folder / f"vpr_2021_g5_RU {number:04d}.xlsx" for number in range(count)]
    for number, path in enumerate(paths):
        model = models[number % len(models)]
        with ZipFile(path, "w", ZIP_DEFLATED, compresslevel=1) as archive:
            for name, content in model.items():
                archive.writestr(name, content.replace(_login(number % len(models)), _login(number)))
    return paths


def _login(school: int) -> bytes:
    return f"sch99{school:04d}".encode()


def _workbook(frame: pl.DataFrame) -> dict[str, bytes]:
    """Files inside the workbook."""
    book, out = Workbook(write_only=True), BytesIO()
    sheet = book.create_sheet("Результаты")
    sheet.append(HEADER)
    for row in frame.iter_rows():
        sheet.append([int(cell) if cell and cell.isdecimal() else cell for cell in row])
    book.save(out)
    with ZipFile(out) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def participants(start: int, count: int, *, school_rows: int, seed: int) -> pl.DataFrame:
    """Text cells of participants `start` … `start + count` under `HEADER`; the same seed gives the same participants.

    A tenth is absent, one in a hundred has no journal mark; of the items one in twenty is «X», one in a thousand
    «не пройд.».
    """
    random = np.random.default_rng([seed, start])
    number = np.arange(start, start + count)
    pupil = number % school_rows
    scores = random.integers(0, np.array(MAXIMA) + 1, (count, len(MAXIMA)))
    chance = random.random(scores.shape)
    scores = np.where(chance < 0.001, len(_CELLS) - 1, np.where(chance < 0.05, len(_CELLS) - 2, scores))
    total = np.where(scores <= max(MAXIMA), scores, 0).sum(1)
    mark = random.choice(len(_MARKS), count, p=[0.05, 0.4, 0.35, 0.19, 0.01])
    school = pl.Series(number // school_rows).cast(pl.String).str.zfill(4)
    written = [
        _spelled(_MARKS, mark), _spelled(["м", "ж"], number % 2), _spelled(_CLASSES, pupil // 25 % 20),
        _spelled(["1", "2"], number % 2), pl.Series(total).cast(pl.String),
        *(_spelled(_CELLS, column) for column in scores.T),
    ]  # fmt: skip
    everyone = [
        "sch99" + school,
        _spelled(["Примерная область"], number * 0),
        *(pl.Series(pupil + n).cast(pl.String) for n in (1, 50_001)),
    ]
    books = [
        _spelled(["Рамзаева Т.Г. Русский язык"], number * 0),
        *[pl.repeat(None, count, dtype=pl.String, eager=True)] * 3,
    ]
    frame = pl.DataFrame(dict(zip(HEADER, [*everyone, *written, *books], strict=True)))
    came = pl.Series(random.random(count) >= 0.1)
    names = HEADER[len(everyone) : len(everyone) + len(written)]
    return frame.with_columns(
        pl.when(came).then(pl.col(name)).otherwise(pl.lit("отсутствовал" if name == "вариант" else None)).alias(name)
        for name in names
    )


def _spelled(words: list[str], which: np.ndarray) -> pl.Series:
    return pl.Series(words).gather(which)
