"""A simulated region judged by rsoko itself: delivered as files, loaded by the pipeline, built by dbt."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl
import psycopg

from bench import measure
from bench.calibrate import files
from bench.calibrate.region import Region, Written
from dbt_project import runner
from rsoko.base.settings import Settings
from rsoko.ops import pipeline

_SIGNS = """
select organisation_code, year, grade, subject_code as subject, n, score::float8, p::float8, flag, mechanism
from mart.mart_objectivity__sign
where flag <> 'insufficient'
"""
_MARKERS = """
select
    marker.organisation_code, marker.year, kind.grade, kind.subject_code as subject,
    bool_or(marker.is_marked) as marked
from mart.mart_objectivity__marker as marker
inner join core.objectivity_marker as kind using (marker_code)
where kind.procedure_code = 'vpr'
group by 1, 2, 3, 4
"""


@contextmanager
def built(server: Settings, region: Region, written: Iterator[Written]) -> Iterator[Settings]:
    """An installation on that server that holds the region and its marts."""
    with measure.warehouse(server) as settings, tempfile.TemporaryDirectory(prefix="rsoko-region-") as temporary:
        folder = Path(temporary)
        sources = files.beside(folder, region, region.works())
        results = [files.results(folder, region, work) for work in written]
        for source, paths in {**sources, "vpr": results}.items():
            for outcome in pipeline.load(settings, paths, source):
                assert outcome.published, outcome.message
        selected = "+mart_objectivity__sign +mart_objectivity__marker"
        runner.build(settings.database_url, select=selected, tests="none", target_path=settings.home / "dbt")
        yield settings


def groups(settings: Settings, region: Region) -> pl.DataFrame:
    """Groups as the mart of signs has them, with the official markers' verdict (null: they do not look at the work)."""
    signs, markers = (_ask(settings, query) for query in (_SIGNS, _MARKERS))
    number = {code: school for school, code in enumerate(region.codes)}
    joined = signs.join(markers, on=["organisation_code", "year", "grade", "subject"], how="left")
    return joined.with_columns(school=pl.col("organisation_code").replace_strict(number))


def _ask(settings: Settings, query: str) -> pl.DataFrame:
    with psycopg.connect(settings.database_url) as connection:
        cursor = connection.execute(query)  # type: ignore[call-overload]
        names = [column.name for column in cursor.description or []]
        return pl.DataFrame(cursor.fetchall(), schema=names, orient="row", infer_schema_length=None)
