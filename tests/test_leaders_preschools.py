"""Leader and preschool marts of the sample region agree with plain Python over the same rows, and can be traced."""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from warehouse import ask, installation, target

from dbt_project.runner import build
from rsoko.base.settings import Settings
from rsoko.ops import pipeline
from sample_region import generate

ROOT = Path(__file__).parent.parent
SEEDS = ROOT / "dbt_project" / "seeds"
SOURCES = ("municipality", "organisation", "leader", "attestation", "survey", "preschool")
Key = tuple[int, str]


@pytest.fixture(scope="module")
def region(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("region")
    generate.write(target, scale=0.1)
    return target


@pytest.fixture(scope="module")
def warehouse(server: Settings, region: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """The registers, the staff, the surveys and the levels of the sample region, with the leader register corrected."""
    with installation(server, tmp_path_factory.mktemp("leaders")) as settings:
        for stage in ("inbox", "corrections"):
            files = [file for source in SOURCES for file in sorted((region / stage / source).glob("*"))]
            outcomes = pipeline.load(settings, [file for file in files if not file.name.endswith(".yml")])
            assert [outcome.message for outcome in outcomes if outcome.status != "published"] == []
        build(settings.database_url, target_path=target(settings))
        yield settings


def rows(settings: Settings, source: str, *columns: str) -> list[tuple[Any, ...]]:
    joined = f"raw.{source} inner join meta.current_load using (region_code, load_id, slice_id)"
    return ask(settings, f"select {', '.join(columns)} from {joined}")


def seed(name: str) -> list[dict[str, str]]:
    with next(SEEDS.rglob(f"{name}.csv")).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def parameter(parameter_set: str, code: str) -> Fraction:
    rows = (row for row in seed("parameter") if row["parameter_set"] == parameter_set)
    return next(Fraction(row["value"]) for row in rows if row["parameter_code"] == code)


def mean(values: list[Fraction]) -> Fraction:
    return sum(values, Fraction(0)) / len(values)


def leaders(settings: Settings, year: int) -> dict[str, str]:
    """Organisation -> person in office for the longest part of the year, by counting days one by one."""
    spells = defaultdict(list)
    for organisation, person, start, end in rows(
        settings, "leader", "organisation_code", "person_hash", "started_on", "ended_on"
    ):
        spells[organisation].append((start, end or date.max, person))
    first, last = date(year, 1, 1).toordinal(), date(year, 12, 31).toordinal()
    out = {}
    for organisation, known in spells.items():
        days: dict[tuple[date, str], int] = defaultdict(int)
        for day in range(first, last + 1):
            # The later appointment counts on a day that two of them claim.
            holding = [spell for spell in known if spell[0].toordinal() <= day <= spell[1].toordinal()]
            if holding:
                start, _, person = max(holding)
                days[start, person] += 1
        if days:
            out[organisation] = max(days, key=lambda spell: (days[spell], spell[0]))[1]
    return out


def values(settings: Settings) -> dict[str, dict[Key, Fraction]]:
    """Scorecard code -> (year, organisation) -> value, of the indicators that these sources carry."""
    out: dict[str, dict[Key, Fraction]] = {code: {} for code in ("L1", "L2", "L16", "L17", "L20")}
    people = defaultdict(list)
    teachers: dict[Key, dict[str, bool]] = defaultdict(dict)
    counted = {row["category_code"] for row in seed("teacher_category") if row["is_counted"] == "true"}
    for year, organisation, role, person, category, until, test, project, education, trained, reserve in rows(
        settings, "attestation", "year", "organisation_code", "person_role", "person_hash", "category", "valid_until",
        "test_percent", "project_percent", "has_management_education", "trained_on", "has_reserve",
    ):  # fmt: skip
        if role == "teacher" and category is not None:
            held = category in counted and (until is None or until >= date(year, 2, 1))
            teachers[year, organisation][person] = teachers[year, organisation].get(person, False) or held
        if role == "leader":
            parts = [Fraction(part) for part in (test, project) if part is not None]
            people[person].append((year, parts, education, trained))
            if reserve is not None:
                out["L20"][year, organisation] = Fraction(reserve)
    for key, held_by in teachers.items():
        out["L17"][key] = Fraction(100 * sum(held_by.values()), len(held_by))
    answers: dict[Key, list[int]] = defaultdict(list)
    names = [f"answer_{number:02d}" for number in range(1, 41)]
    for year, organisation, group, *given in rows(
        settings, "survey", "year", "organisation_code", "respondent_group", *names
    ):
        if group == "parent":
            answers[year, organisation] += [answer for answer in given if answer is not None and 1 <= answer <= 5]
    for key, given in answers.items():
        if given:
            out["L16"][key] = Fraction(100 * sum(answer >= 4 for answer in given), len(given))
    for year in {key[0] for key in out["L20"]}:
        for organisation, person in leaders(settings, year).items():
            past = sorted((row for row in people[person] if row[0] <= year), key=lambda row: row[0])
            recent = [row[1] for row in past if row[1] and row[0] > year - parameter("leader", "competence_years")]
            if recent:
                out["L1"][year, organisation] = mean(recent[-1])
            education = [row[2] for row in past if row[2] is not None]
            trained = [row[3] for row in past if row[3] is not None]
            if education and (trained or not any(education)):
                fresh = bool(trained) and max(trained) >= date(year - 3, 12, 31)
                out["L2"][year, organisation] = Fraction(any(education) and fresh)
    return out


def total(card: list[dict[str, str]], scores: dict[str, Fraction]) -> tuple[Fraction | None, Fraction]:
    """Total and share of weight available of one leader whose card has the rows `card`."""
    directions, codes_of_card = defaultdict(list), {row["scorecard_code"] for row in card}
    for row in seed("leader_scorecard_direction"):
        if row["scorecard_code"] in codes_of_card:
            directions[row["direction_no"]].append(row["scorecard_code"])
    scored = [
        mean([scores[code] for code in codes if code in scores])
        for codes in directions.values()
        if set(codes) & set(scores)
    ]
    available = mean([Fraction(sum(code in scores for code in codes), len(codes)) for codes in directions.values()])
    return (100 * mean(scored) if scored else None), available


def test_totals_of_leaders_agree_with_plain_python(warehouse: Settings) -> None:
    known, card = values(warehouse), seed("leader_scorecard")
    bounds = {row["scorecard_code"]: (Fraction(row["lo"]), Fraction(row["hi"])) for row in card}
    mart = ask(
        warehouse,
        "select year, organisation_code, person_hash, organisation_kind, total, weight_available, rank"
        " from mart.mart_leader__effectiveness",
    )
    expected = {(year, organisation, person) for year in {row[0] for row in mart}
                for organisation, person in leaders(warehouse, year).items()}  # fmt: skip
    assert {row[:3] for row in mart} == expected
    assert len(expected) > 50
    for year, organisation, _, kind, found, weight, rank in mart:
        scores = {}
        for code, by_key in known.items():
            if (year, organisation) in by_key:
                lo, hi = bounds[code]
                scores[code] = min(Fraction(1), max(Fraction(0), (by_key[year, organisation] - lo) / (hi - lo)))
        applicable = [row for row in card if row["applies_to"] in ("both", kind)]
        score, available = total(applicable, scores)
        assert (found is None) == (score is None), (year, organisation)
        if score is not None:
            assert float(found) == pytest.approx(float(score), abs=2e-4), (year, organisation)
        assert float(weight) == pytest.approx(float(available), abs=1e-4), (year, organisation)
        assert rank is None  # these sources carry less than 70 % of the weight


def test_a_corrected_register_changes_who_is_judged(warehouse: Settings) -> None:
    """The corrected school changed hands on 15 November 2024: 2024 is the predecessor's year, 2025 the successor's."""
    [(organisation, predecessor)] = ask(
        warehouse, "select organisation_code, person_hash from core.dim_leader_tenure where valid_to = '2024-11-15'"
    )
    judged = dict(
        ask(
            warehouse,
            "select year, person_hash from mart.mart_leader__effectiveness where organisation_code = %s",
            organisation,
        )
    )
    assert judged[2024] == predecessor
    assert judged[2025] != predecessor


def test_levels_of_preschools_agree_with_plain_python(warehouse: Settings) -> None:
    levels: dict[tuple[int, str, int, str], dict[str, list[Fraction]]] = defaultdict(lambda: defaultdict(list))
    children: dict[Key, dict[str, int]] = defaultdict(dict)
    for year, organisation, group, size, area, assessor, level in rows(
        warehouse, "preschool", "year", "organisation_code", "group_name", "children", "area_no", "assessor", "level"
    ):
        levels[year, organisation, area, assessor][group].append(Fraction(level))
        if size is not None:
            children[year, organisation][group] = max(size, children[year, organisation].get(group, 0))
    expected: dict[tuple[int, str, int, str], Fraction] = {
        key: mean([mean(given) for given in groups.values()]) for key, groups in levels.items()
    }
    for year, organisation in {(key[0], key[1]) for key in levels}:
        for assessor in ("self", "expert"):
            areas = [
                expected[key] for area in range(1, 10) if (key := (year, organisation, area, assessor)) in expected
            ]
            if areas:
                expected[year, organisation, 0, assessor] = mean(areas)
    mart = ask(
        warehouse,
        "select year, organisation_code, area_no, self_level, expert_level, gap, is_self_assessment_biased"
        " from mart.mart_preschool__quality",
    )
    found = {
        (*row[:3], name): level
        for row in mart
        for name, level in zip(("self", "expert"), row[3:5], strict=True)
        if level is not None
    }
    assert found.keys() == expected.keys()
    assert len(expected) > 100
    assert {key: float(level) for key, level in found.items()} == pytest.approx(
        {key: float(level) for key, level in expected.items()}, abs=2e-6
    )
    for year, organisation, area, own, expert, gap, biased in mart:
        assert biased == (None if gap is None else abs(gap) > 1)
        if area and own is not None and expert is not None:
            assert gap == own - expert, (year, organisation, area)

    for year in {key[0] for key in expected}:
        weighed = [
            (level, sum(size for group, size in children[key[0], key[1]].items() if group != "ДОО"))
            for key, level in expected.items()
            if key[0] == year and key[2] == 0 and key[3] == "expert"
        ]
        region = sum(level * weight for level, weight in weighed) / sum(weight for _, weight in weighed)
        [(level, organisations)] = ask(
            warehouse,
            "select expert_level, n_expert_organisations from mart.mart_preschool__summary"
            " where object_level = 'region' and area_no = 0 and year = %s",
            year,
        )
        assert (float(level), organisations) == (pytest.approx(float(region), abs=2e-6), len(weighed))


def test_flattering_preschools_are_seen(warehouse: Settings, region: Path) -> None:
    """Preschools that rate themselves 1.7 levels too high are found wherever experts came, and nobody else is."""
    with (region / "truth.csv").open(encoding="utf-8", newline="") as file:
        flattering = {
            row["organisation_code"] for row in csv.DictReader(file) if "inflated_self_assessment" in row.values()
        }
    biased = ask(
        warehouse,
        "select distinct organisation_code from mart.mart_preschool__quality"
        " where area_no = 0 and is_self_assessment_biased",
    )
    assert {organisation for (organisation,) in biased} == flattering
    assert flattering


def test_documented_queries_lead_from_a_mart_to_files(warehouse: Settings) -> None:
    text = (ROOT / "docs" / "leaders_preschools.md").read_text(encoding="utf-8")
    queries = re.findall(r"```sql\n(.*?)```", text, re.DOTALL)
    assert len(queries) == 3
    for query in queries:
        assert ask(warehouse, query.strip().rstrip(";")), query
    [(files,)] = ask(
        warehouse, f"select string_agg(distinct file_name, '; ') from ({queries[1].strip().rstrip(';')}) as traced"
    )
    assert "2024" in files
