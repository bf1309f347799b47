"""Dossiers: for each organisation with a sign of a year a page in Russian that its director understands.

Everything on it comes from the marts `mart_objectivity__*`, words for codes from the contracts' vocabularies; a page
depends on them alone and opens without a network.
It is for the organisation and those who look after it, not for publication: a small school's scores may point at a
child.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import jinja2
import psycopg
from psycopg.rows import dict_row

from rsoko.contracts.vocabulary import vocabularies
from rsoko.publish import plots

Row = dict[str, Any]
Work = tuple[str, int, int, str]
"""(procedure_code, year, grade, subject_code)."""

_WORK = "region_code, year, grade, subject_code"
_RECORDS = """
select * from mart.mart_objectivity__dossier
where region_code = %(region)s and (%(year)s::smallint is null or year = %(year)s)
    and (%(organisation)s::text is null or organisation_code = %(organisation)s)
order by organisation_code, year desc, procedure_code = 'vpr' desc, flag desc, score desc, procedure_code, subject_code,
    grade
"""
_MECHANISMS = """
select mechanism, title from core.objectivity_mechanism order by valid_from, mechanism
"""
_SIGNS = [
    f"""
    select * from mart.{mart}
    where region_code = %(region)s and organisation_code = any(%(organisations)s) and flag in ('red', 'amber')
    """
    for mart in ("mart_objectivity__sign", "mart_objectivity__exam_sign")
]
_HISTORY = """
with judged as (
    select region_code, organisation_code, 'vpr' as procedure_code, year, grade, subject_code, n, flag, is_observed
    from mart.mart_objectivity__sign
    union all
    select region_code, organisation_code, procedure_code, year, grade, subject_code, n, flag, false
    from mart.mart_objectivity__exam_sign
)
select organisation_code, procedure.title as procedure_title, subject.title as subject_title, grade, year, judged.n,
    judged.flag, judged.is_observed, dossier.mechanism_title, dossier.explanation_reason,
    dossier.explanation_decision, dossier.recheck_works, dossier.recheck_raised
from judged
inner join core.dim_procedure as procedure using (procedure_code)
inner join core.dim_subject as subject using (subject_code)
left join mart.mart_objectivity__dossier as dossier
    using (region_code, organisation_code, procedure_code, year, grade, subject_code)
where region_code = %(region)s and organisation_code = any(%(organisations)s)
order by organisation_code, procedure_code = 'vpr' desc, procedure.title, subject.title, grade, year
"""
_HISTORY_YEARS = """
select value::integer as years from core.int_parameter__resolved
where parameter_set = 'control' and parameter_code = 'history_years' and region_code = %(region)s and year = %(year)s
"""
_WHOLE_WORK = """
    region_code = %(region)s and procedure_code = %(procedure)s and year = %(year)s and grade = %(grade)s
    and subject_code = %(subject)s
"""
_REGION_SCORES = f"""
select distinct primary_score, is_boundary, region_participants, region_n
from mart.mart_objectivity__score where {_WHOLE_WORK} order by primary_score
"""
_SCHOOLS = f"""
with school as (
    select organisation_code, n, sum(participants * primary_score)::float / n as mean
    from mart.mart_objectivity__score where {_WHOLE_WORK} group by organisation_code, n
),
region as (
    select sum(n * mean) / sum(n) as mean,
        (select sqrt(sum(participants * (primary_score - center.mean) ^ 2) / sum(participants))
         from mart.mart_objectivity__score, (select sum(n * mean) / sum(n) as mean from school) as center
         where {_WHOLE_WORK}) as deviation
    from school
)
select school.organisation_code, school.n, (school.mean - region.mean) / nullif(region.deviation, 0) as mean_score_z
from school cross join region order by school.organisation_code
"""


def write(
    connection: psycopg.Connection, region_code: int, folder: Path, *, year: int | None = None,
    organisation_code: str | None = None,
) -> list[Path]:  # fmt: skip
    """Write a page for every organisation × year that has a red or amber sign, and `index.html` over them.

    Args:
        year: of the works; None for every year.
        organisation_code: one organisation; None for all of the region.

    Returns the paths of the pages, the index first; an empty list when there is no sign.
    """
    given = {"region": region_code, "year": year, "organisation": organisation_code}
    records = _rows(connection, _RECORDS, given)
    if not records:
        return []
    folder.mkdir(parents=True, exist_ok=True)
    facts = _Facts(connection, region_code, records)
    pages: dict[tuple[str, int], list[Row]] = defaultdict(list)
    for record in records:
        pages[record["organisation_code"], record["year"]].append(record)
    paths = []
    for (organisation, of_year), signs in pages.items():
        path = folder / f"{of_year}_{organisation}.html"
        years = facts.years_of(of_year)
        text = _template("dossier.html").render(
            organisation=signs[0],
            year=of_year,
            signs=[sign | facts.of(sign) for sign in signs],
            years=years,
            history=_by_work(facts.history[organisation], years),
        )
        path.write_text(text, encoding="utf-8")
        paths.append(path)
    index = folder / "index.html"
    index.write_text(
        _template("index.html").render(
            pages=[(path.name, signs) for path, signs in zip(paths, pages.values(), strict=True)]
        ),
        encoding="utf-8",
    )
    return [index, *paths]


class _Facts:
    """What the pages show beside the records, read once for all of them."""

    def __init__(self, connection: psycopg.Connection, region_code: int, records: Sequence[Row]) -> None:
        self._connection = connection
        self._region = region_code
        self._organisations = sorted({record["organisation_code"] for record in records})
        self._items = self._by_group("mart_objectivity__item", "item_no")
        self._scores = self._by_group("mart_objectivity__score", "primary_score")
        self._pairs = self._by_group("mart_objectivity__mark_pair", "journal_mark, mark")
        self._classes = self._by_group("mart_objectivity__class", "class_label")
        self.history: dict[str, list[Row]] = defaultdict(list)
        given = {"region": region_code, "organisations": self._organisations}
        for row in _rows(connection, _HISTORY, given):
            self.history[row["organisation_code"]].append(row)
        # Of several wordings of one mechanism the latest.
        self._titles = {row["mechanism"]: row["title"] for row in _rows(connection, _MECHANISMS, {})}
        self._signs = {
            (row["organisation_code"], _work(row)): row for query in _SIGNS for row in _rows(connection, query, given)
        }
        self._works: dict[Work, tuple[list[Row], list[Row]]] = {}

    def _by_group(self, mart: str, order: str) -> dict[tuple[str, Work], list[Row]]:
        query = (
            f"select * from mart.{mart} where region_code = %(region)s and organisation_code = any(%(organisations)s) "
            f"order by {_WORK}, organisation_code, {order}"
        )
        found: dict[tuple[str, Work], list[Row]] = defaultdict(list)
        given = {"region": self._region, "organisations": self._organisations}
        for row in _rows(self._connection, query, given):
            found[row["organisation_code"], _work(row)].append(row)
        return found

    def years_of(self, year: int) -> range:
        """Years that a page of `year` looks back at, itself the last."""
        [found] = _rows(self._connection, _HISTORY_YEARS, {"region": self._region, "year": year})
        return range(year - found["years"] + 1, year + 1)

    def _region_of(self, work: Work) -> tuple[list[Row], list[Row]]:
        """(scores of the region, all schools) of a work."""
        if work not in self._works:
            given = dict(zip(("region", "procedure", "year", "grade", "subject"), (self._region, *work), strict=True))
            scores = _rows(self._connection, _REGION_SCORES, given)
            groups = [row for row in _rows(self._connection, _SCHOOLS, given) if row["mean_score_z"] is not None]
            self._works[work] = scores, groups
        return self._works[work]

    def of(self, sign: Row) -> Row:
        """Plots of one sign, its classes, and the items that stand out most."""
        key = (sign["organisation_code"], _work(sign))
        items, scores, pairs, classes = self._items[key], self._scores[key], self._pairs[key], self._classes[key]
        region, groups = self._region_of(key[1])
        boundaries = [row["primary_score"] for row in region if row["is_boundary"]]
        numbers = self._signs[key]
        return {
            "detectors": [
                {"title": title, **{part: numbers[f"{code}_{part}"] for part in ("z", "p", "n")}}
                for code, title in sorted(self._titles.items())
                if f"{code}_n" in numbers
            ],
            "numbers": numbers,
            "items": [item for item in sorted(items, key=lambda item: -abs(item["z"])) if item["is_notable"]][:5],
            "classes": classes,
            "leading_class": _leading_class(classes, sign["mechanism"]),
            "boundaries": _boundaries(scores, region) if scores else [],
            "item_plot": plots.item_profile(items) if items else "",
            "score_plot": plots.score_histogram(scores, region, boundaries) if scores else "",
            "mark_plot": plots.mark_agreement(pairs) if pairs else "",
            "funnel_plot": plots.funnel(groups, sign["organisation_code"]) if groups else "",
        }


def _work(row: Row) -> Work:
    # Marts of ВПР alone do not name it.
    return row.get("procedure_code", "vpr"), row["year"], row["grade"], row["subject_code"]


def _boundaries(scores: Sequence[Row], region: Sequence[Row]) -> list[Row]:
    """Participants at each boundary of marks and a point below it; their shares here and in the region in per cent."""
    here = {row["primary_score"]: row["participants"] for row in scores}
    everywhere = {row["primary_score"]: row["region_participants"] for row in region}
    n, region_n = scores[0]["n"], region[0]["region_n"]
    return [
        {"score": row["primary_score"]}
        | {
            place: {
                "participants": here.get(score, 0),
                "share": 100 * here.get(score, 0) / n,
                "region_share": 100 * everywhere.get(score, 0) / region_n,
            }
            for place, score in (("at", row["primary_score"]), ("below", row["primary_score"] - 1))
        }
        for row in region
        if row["is_boundary"]
    ]


def _leading_class(classes: Sequence[Row], mechanism: str) -> Row | None:
    """The class whose pairs are least likely by chance: where a sign of similarity lies."""
    judged = [row for row in classes if row.get(f"{mechanism}_p") is not None]
    return min(judged, key=lambda row: row[f"{mechanism}_p"], default=None)


def _by_work(history: Sequence[Row], years: range) -> dict[tuple[str, str, int], dict[int, Row]]:
    """(procedure, subject, grade) → year → row, of these years."""
    works: dict[tuple[str, str, int], dict[int, Row]] = defaultdict(dict)
    for row in history:
        if row["year"] in years:
            works[row["procedure_title"], row["subject_title"], row["grade"]][row["year"]] = row
    return works


def _word(code: str, vocabulary: str) -> str:
    """The first Russian spelling that suppliers may use for a code."""
    return next((word for word, value in vocabularies()[vocabulary].items() if value == code != word), code)


def chance(p: float | None) -> str:
    """How often an honest organisation gets such a result, in words."""
    if p is None:
        return "не определено"
    if p >= 0.5:
        return "обычное дело"
    odds = round(1 / max(float(p), 1e-6))
    rounded = odds if odds < 20 else int(float(f"{odds:.1e}"))
    # Tails are not known better than that: a smaller number would only pretend.
    return (
        f"реже одного случая на {rounded:,}".replace(",", "\u00a0")
        if odds >= 1_000_000
        else (f"примерно один случай на {rounded:,}".replace(",", "\u00a0"))
    )


@lru_cache
def _template(name: str) -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["chance"] = chance
    environment.filters["word"] = _word
    environment.filters["decimal"] = lambda value, digits=1: (
        "—" if value is None else f"{float(value):.{digits}f}".replace(".", ",").replace("-", "−")
    )
    environment.filters["probability"] = lambda value: (
        "—" if value is None else "< 0,0001" if value < 0.0001 else f"{value:.4f}".replace(".", ",")
    )
    return environment.get_template(name)


def _rows(connection: psycopg.Connection, query: str, given: dict[str, Any]) -> list[Row]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query, given).fetchall()
