"""The marts follow from what was delivered, not from how: byte-identical whatever the order, the split, the crashes."""

from __future__ import annotations

import gzip
import random
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import openpyxl
import psycopg
import pytest
from warehouse import ask, copy_database, database_name, drop_database, dump, installation, start, target

from dbt_project import runner
from rsoko.base.settings import Settings
from rsoko.contracts.model import OPTIONS_SUFFIX
from rsoko.ops import pipeline
from sample_region import generate
from sample_region.manifest import Delivery, Manifest

pytestmark = pytest.mark.slow

SCALE = 0.05
WAVES = ("inbox", "corrections", "broken")
SEEDED, LOADED = "metamorphic_seeded", "metamorphic_loaded"


@dataclass(frozen=True)
class Region:
    """The sample region's deliveries."""

    manifest: Manifest

    def wave(self, name: str) -> list[Delivery]:
        return [d for d in self.manifest.deliveries if d.file.startswith(f"{name}/")]

    def paths(self, name: str) -> list[Path]:
        return [self.manifest.target / delivery.file for delivery in self.wave(name)]

    def build(self, settings: Settings, *, full_refresh: bool = False, select: str = "resource_type:model") -> None:
        """Models only: the tests have had their say on the reference."""
        runner.build(settings.database_url, select=select, full_refresh=full_refresh, target_path=target(settings))


LINEAGE = ["load_id", "sheet", "row_no"]
"""Where a row came from: all that may differ when a file comes in parts."""


def tables(settings: Settings, without: Sequence[str] = ()) -> dict[str, bytes]:
    """Every table of core and mart, in the order of all its columns.

    Without lineage also without the intermediate tables that are kept by load.
    """
    names = ask(
        settings,
        "select table_schema || '.' || table_name, "
        "string_agg(quote_ident(column_name), ', ' order by ordinal_position) from information_schema.columns "
        "where table_schema in ('core', 'mart') and column_name <> all(%s) group by table_schema, table_name "
        "having not (table_name like 'int%%' and 'load_id' = any(%s))",
        list(without),
        list(without),
    )
    return {name: dump(settings, f"select {columns} from {name}") for name, columns in names}


def differing(settings: Settings, reference: Settings, without: Sequence[str] = ()) -> dict[str, list[str]]:
    """Tables that are not what they are in the reference, with a few rows that only one of both has."""
    found, expected = tables(settings, without), tables(reference, without)
    assert found.keys() == expected.keys()
    return {
        name: sorted(line.decode() for line in {*found[name].splitlines()} ^ {*expected[name].splitlines()})[:4]
        for name in expected
        if found[name] != expected[name]
    }


@pytest.fixture(scope="module")
def region(tmp_path_factory: pytest.TempPathFactory) -> Region:
    return Region(generate.write(tmp_path_factory.mktemp("region"), scale=SCALE))


@pytest.fixture(scope="module")
def seeded(server: Settings, region: Region, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Name of a database with an empty ledger and the seeds."""
    with installation(server, tmp_path_factory.mktemp("seeded")) as settings:
        with pipeline.connect(settings):
            pass
        region.build(settings, select="resource_type:seed")
        copy_database(server, database_name(settings), SEEDED)
    yield SEEDED
    drop_database(server, SEEDED)


@pytest.fixture(scope="module")
def reference(
    server: Settings, region: Region, seeded: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settings]:
    """Wave after wave, then one full build with all its tests; the database is `LOADED`."""
    with installation(server, tmp_path_factory.mktemp("reference"), template=seeded) as settings:
        for wave in WAVES:
            outcomes = pipeline.load(settings, region.paths(wave))
            assert sorted((o.file_name, o.status == "rejected") for o in outcomes) == sorted(
                (Path(d.file).name, d.expected == "rejected") for d in region.wave(wave)
            )
        runner.build(settings.database_url, target_path=target(settings))
        copy_database(server, database_name(settings), LOADED)
    loaded = replace(settings, external_database_url=server.embedded_url(LOADED))
    assert all(content for name, content in tables(loaded).items() if name.startswith("mart."))
    yield loaded
    drop_database(server, LOADED)


def test_file_by_file_backwards_with_builds_between(
    server: Settings, region: Region, seeded: str, reference: Settings, tmp_path: Path
) -> None:
    inbox = region.paths("inbox")[::-1]
    batches = [inbox[: len(inbox) // 2], inbox[len(inbox) // 2 :], region.paths("corrections") + region.paths("broken")]
    with installation(server, tmp_path, template=seeded) as settings:
        for batch in batches:
            for path in batch:
                pipeline.load(settings, [path])
            region.build(settings)
        assert differing(settings, reference) == {}


def test_files_split_in_parts_in_any_order(
    server: Settings, region: Region, seeded: str, reference: Settings, tmp_path: Path
) -> None:
    parts = [part for n, d in enumerate(region.wave("inbox")) for part in split(region, d, tmp_path / str(n))]
    assert len(parts) > len(region.wave("inbox")) * 1.5
    random.Random(1).shuffle(parts)
    with installation(server, tmp_path, template=seeded) as settings:
        for batch in (parts, region.paths("corrections"), region.paths("broken")):
            pipeline.load(settings, batch)
        region.build(settings)
        assert differing(settings, reference, LINEAGE) == {}


def test_everything_delivered_twice_and_everything_built_anew(
    server: Settings, region: Region, reference: Settings, tmp_path: Path
) -> None:
    with installation(server, tmp_path, template=LOADED) as settings:
        for wave in WAVES:
            assert not any(outcome.published for outcome in pipeline.load(settings, region.paths(wave)))
        region.build(settings)
        assert differing(settings, reference) == {}
        region.build(settings, full_refresh=True)
        assert differing(settings, reference) == {}


def test_builds_that_were_killed(server: Settings, region: Region, reference: Settings, tmp_path: Path) -> None:
    """An old version comes back and goes again; the builds on the way die, one in core and one at the marts."""
    with installation(server, tmp_path, template=LOADED) as settings:
        [(old, new)] = ask(
            settings,
            "select old.delivery_id, new.delivery_id from meta.slice_load as superseded "
            "inner join meta.slice_load as successor using (slice_id) "
            "inner join meta.load as old on superseded.load_id = old.load_id "
            "inner join meta.load as new on successor.load_id = new.load_id "
            "where new.source = 'vpr' and not superseded.is_current and successor.is_current limit 1",
        )
        pipeline.restore(settings, old)
        _kill_a_build(settings, region, "core.fct_assessment_result", "share")
        _kill_a_build(settings, region, "mart.mart_objectivity__marker", "access share")
        held = "select count(*) from core.fct_assessment_result inner join meta.load using (load_id)"
        assert ask(settings, f"{held} where delivery_id = %s", old) != [(0,)]  # core has followed, the marts have not
        assert tables(settings)["mart.mart_objectivity__marker"] == tables(reference)["mart.mart_objectivity__marker"]
        pipeline.restore(settings, new)
        region.build(settings)
        assert differing(settings, reference) == {}


def _kill_a_build(settings: Settings, region: Region, table: str, mode: str) -> None:
    """Start a build and kill it when it waits for `table`, which is locked meanwhile."""
    with psycopg.connect(settings.database_url) as connection:
        connection.execute(f"lock table {table} in {mode} mode")  # type: ignore[call-overload]
        process = start(region.build, settings)
        waiting = "select count(*) from pg_locks where relation = %s::regclass and not granted"
        while ask(settings, waiting, table) == [(0,)]:
            assert process.is_alive(), f"the build ended without having come to {table}"
        process.kill()
        process.join()


# --- parts ------------------------------------------------------------------------------------------------------------


def split(region: Region, delivery: Delivery, folder: Path, parts: int = 3) -> list[Path]:
    """The rows of a file in several files of the same name and time; a layout with more than a header stays whole."""
    path = region.manifest.target / delivery.file
    if ".csv" not in path.suffixes and delivery.layout not in {"template", "form", "region_2021", "region_2022"}:
        return [path]
    out = []
    for number in range(parts):
        target = folder / str(number) / delivery.source / path.name
        target.parent.mkdir(parents=True)
        (_some_lines if ".csv" in path.suffixes else _some_rows)(path, target, number, parts)
        shutil.copystat(path, target)
        options = path.with_name(path.name + OPTIONS_SUFFIX)
        if options.exists():
            shutil.copy(options, target.with_name(options.name))
        out.append(target)
    return out


def _some_lines(path: Path, target: Path, number: int, parts: int) -> None:
    packed = path.suffix == ".gz"
    header, *lines = (gzip.decompress(path.read_bytes()) if packed else path.read_bytes()).splitlines(keepends=True)
    content = header + b"".join(_share(lines, number, parts))
    target.write_bytes(gzip.compress(content) if packed else content)


def _some_rows(path: Path, target: Path, number: int, parts: int) -> None:
    book = openpyxl.load_workbook(path)
    header, *rows = list(book.worksheets[0].iter_rows(values_only=True))
    page = openpyxl.Workbook()
    page.worksheets[0].title = book.worksheets[0].title
    for row in [header, *_share(rows, number, parts)]:
        page.worksheets[0].append(row)
    page.save(target)


def _share(items: list[Any], number: int, parts: int) -> list[Any]:
    return items[len(items) * number // parts : len(items) * (number + 1) // parts]
