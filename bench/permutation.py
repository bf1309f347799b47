"""`python -m bench.permutation [municipality|region]`: signs of the real ВПР extracts whose pupils changed schools.

Present participants of a work are dealt anew to the places (school and class) of the same municipality, or of the whole
region: whatever a school did is gone, and what the signs still flag is their false alarm. Within a municipality its own
ways stay, and where it has one school everything stays; within the region nothing does.
"""

from __future__ import annotations

import sys
from pathlib import Path

import psycopg
from psycopg import sql

from bench import measure
from dbt_project import runner
from rsoko.base.settings import Settings
from rsoko.ops import pipeline

DATA = Path(__file__).parent.parent.parent / "shared" / "data" / "vpr_altai"
SIGNS = "path:models/signs mart_objectivity__sign"
DEALT = """
create temporary table dealt as
with seat as (
    select
        result.ctid as place,
        result.source_organisation_code,
        result.slice_id,
        result.load_id,
        result.class_label,
        row_number() over ({work}, md5(result.participant_key || result.slice_id || 'seed')) as pupil,
        row_number() over ({work}, result.source_organisation_code, result.participant_key) as seat
    from core.fct_assessment_result as result
    inner join core.dim_organisation_code as codes
        on result.region_code = codes.region_code
        and result.code_system = codes.code_system
        and result.source_organisation_code = codes.code
        and make_date(result.year, 5, 1) between codes.valid_from and codes.valid_to
    left join core.dim_organisation as organisation
        on codes.region_code = organisation.region_code
        and codes.organisation_code = organisation.organisation_code
        and make_date(result.year, 5, 1) between organisation.valid_from and organisation.valid_to
    where result.procedure_code = 'vpr' and result.participation = 'present'
)
select one.place, other.source_organisation_code, other.slice_id, other.load_id, other.class_label
from seat as one
inner join seat as other on one.pupil = other.seat
"""
WORK = "order by result.region_code, result.year, result.grade, result.subject_code"
MOVE = """
update core.fct_assessment_result as result
set source_organisation_code = dealt.source_organisation_code, slice_id = dealt.slice_id, load_id = dealt.load_id,
    class_label = dealt.class_label
from dealt
where result.ctid = dealt.place
"""
FLAGS = """
select
    year as "year", {by} as "{by}", count(p) as "groups", count(*) filter (where flag = 'red') as "red",
    count(*) filter (where flag = 'amber' and mechanism <> 'level') as "amber",
    count(*) filter (where mechanism = 'level') as "level",
    round(9000.0 * count(*) filter (where flag = 'red') / count(p), 1) as "red of 9,000"
from mart.mart_objectivity__sign
group by {grouping}
order by 1, 2
"""
NEIGHBOURS = """
with placed as (
    select
        sign.flag, sign.p,
        count(*) over (partition by year, grade, subject_code, organisation.municipality_code) as schools
    from mart.mart_objectivity__sign as sign
    left join core.int_organisation__year as organisation using (region_code, organisation_code, year)
)
select
    case when schools <= 2 then '1–2' when schools < 12 then '3–11' else '12 and more' end
    as "schools of the municipality in the work",
    count(p) as "groups", count(*) filter (where flag = 'red') as "red",
    round(9000.0 * count(*) filter (where flag = 'red') / count(p), 1) as "red of 9,000"
from placed
group by 1
order by min(schools)
"""
SIZES = """
select detector_code as "detector", {bands}
from core.int_sign__calibrated
inner join core.int_sign__group using (region_code, test_id, group_no)
where detector_code not in ('growth', 'journal_gap')
group by detector_code
order by detector_code
"""
BANDS = ", ".join(
    f"""round(100 * avg((p <= 0.01)::integer) filter (where size_band = {band}), 2) as "from {band}\""""
    for band in (5, 10, 15, 25, 50)
)


def shuffle(connection: psycopg.Connection, *, within_region: bool) -> int:
    """Deal present participants anew in `core.fct_assessment_result`; how many."""
    near = "" if within_region else ", organisation.municipality_code"
    # A pupil's code is unique in his own school only.
    indexes = connection.execute(
        "select indexname from pg_indexes where schemaname = 'core' and tablename = 'fct_assessment_result'"
    ).fetchall()
    for (index,) in indexes:
        connection.execute(sql.SQL("drop index {}").format(sql.Identifier("core", index)))
    connection.execute(DEALT.format(work=WORK + near))
    return connection.execute(MOVE).rowcount


def build(settings: Settings, select: str, *, full_refresh: bool = False) -> None:
    runner.build(
        settings.database_url, select=select, tests="none", full_refresh=full_refresh, target_path=settings.home / "dbt"
    )


def report(settings: Settings, title: str, query: str) -> None:
    """Print an answer of the warehouse as a table of Markdown."""
    with psycopg.connect(settings.database_url) as connection:
        cursor = connection.execute(query)  # type: ignore[call-overload]
        names = [column.name for column in cursor.description or []]
        rows = [names, ["---"] * len(names), *cursor.fetchall()]
    print(f"\n{title}\n")
    for row in rows:
        print("|", " | ".join("all" if cell is None else str(cell) for cell in row), "|")


def main(within_region: bool, works: str) -> None:
    with measure.embedded() as server, measure.warehouse(server) as settings:
        registers = [DATA / "logins.xlsx", DATA / "context_oo_2022_1_noPD.csv"]
        pipeline.load(settings, [*registers, *sorted((DATA / "wide_csv_gz").glob(works))])
        build(settings, "+mart_objectivity__sign")
        by_subject = FLAGS.format(by="subject_code", grouping="grouping sets ((year, subject_code), (year))")
        report(settings, "As delivered", by_subject)
        with psycopg.connect(settings.database_url) as connection:
            shuffle(connection, within_region=within_region)
        build(settings, f"int_result__score_count {SIGNS}", full_refresh=True)
        report(settings, "Pupils shuffled within " + ("the region" if within_region else "municipalities"), NEIGHBOURS)
        report(settings, "Of them p ≤ 0.01, %, by participants of the group", SIZES.format(bands=BANDS))


if __name__ == "__main__":
    main("region" in sys.argv[1:], works=next((word for word in sys.argv[1:] if "*" in word), "vpr_*.csv.gz"))
