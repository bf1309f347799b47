"""Puts the files of suppliers where deliveries arrive, and writes them down."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import yaml

from rsoko.contracts.model import OPTIONS_SUFFIX, load_contract
from rsoko.contracts.vocabulary import fold
from sample_region.files import Cell
from sample_region.manifest import Delivery, Manifest, Status


class Courier:
    """Delivers under `target`; every delivery is added to `manifest`."""

    def __init__(self, target: Path) -> None:
        self.manifest = Manifest(target)

    def deliver(
        self,
        file: str,
        content: bytes,
        *,
        layout: str,
        rows: int,
        at: datetime,
        options: dict[str, str] | None = None,
        expected: Status = "accepted",
        why: str = "",
    ) -> None:
        """Write `content` as `file` (`<folder>/<source>/<name>`), modified at `at`; the rest is for the manifest.

        `options` go beside the file as `<file>.options.yml`, where the landing zone looks for them.
        """
        folder, source, _ = file.split("/", 2)
        path = self.manifest.target / file
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(path, content, at)
        if options:
            _write(path.with_name(path.name + OPTIONS_SUFFIX), yaml.safe_dump(options, allow_unicode=True).encode(), at)
        wave = 2 if folder == "corrections" else 1
        self.manifest.deliveries.append(Delivery(file, source, layout, wave, expected, rows, at, options or {}, why))

    def deliver_as_written(self, folder: Path, *, at: datetime) -> None:
        """Deliver the csv files of `<folder>/<source>/`, header in the first line, as they are."""
        for path in sorted(folder.glob("*/*.csv")):
            header, *rows = csv.reader(path.read_text(encoding="utf-8").splitlines(), delimiter=";")
            source, layout = path.parent.name, _layout(path.parent.name, {fold(title) for title in header})
            self.deliver(f"inbox/{source}/{path.name}", path.read_bytes(), layout=layout, rows=len(rows), at=at)


def _layout(source: str, titles: set[str]) -> str:
    """The first layout of the source whose required columns are all among the titles."""
    return next(
        layout.id
        for layout in load_contract(source).layouts
        if all(titles & {fold(title) for title in layout.header[name]} for name in layout.required)
    )


def _write(path: Path, content: bytes, at: datetime) -> None:
    path.write_bytes(content)
    os.utime(path, (at.timestamp(), at.timestamp()))


def template(source: str, columns: Sequence[str], rows: Iterable[list[Cell]]) -> list[list[Cell]]:
    """Rows under the Russian titles by which the contract's layout `template` knows the columns."""
    known = load_contract(source).column
    return [[known[name].title for name in columns], *rows]


def moment(year: int, month: int, day: int, hour: int = 9) -> datetime:
    return datetime(year, month, day, hour, tzinfo=UTC)
