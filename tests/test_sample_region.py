"""The sample region: the same bytes every time, in suppliers' layouts, with cheating that the data show."""

from __future__ import annotations

import csv
import re
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from python_calamine import CalamineWorkbook

from ingest.read import reader
from rsoko.contracts.model import OPTIONS_SUFFIX, load_contract, sources
from sample_region import exams, generate
from sample_region.assessment import Generation, Results, schemes
from sample_region.exams import ExamResults
from sample_region.manifest import Delivery, Manifest
from sample_region.region import YEARS, Region, build
from sample_region.works import EGE, OGE, vpr_works

SEED = 20261


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    return generate.write(tmp_path_factory.mktemp("region"), seed=SEED, scale=0.2)


@pytest.fixture(scope="module")
def region() -> Region:
    return build(SEED)


@pytest.fixture(scope="module")
def generation(region: Region) -> Generation:
    return Generation(region, schemes(region))


@pytest.fixture(scope="module")
def works(generation: Generation) -> dict[tuple[int, str], Results]:
    """Results by year and work, `(2024, "ru4")`."""
    return {(r.year, f"{r.work.subject.lower()}{r.work.grade}"): r for r in generation.vpr()}


def files(folder: Path) -> dict[str, tuple[bytes, float]]:
    return {
        str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime)
        for path in folder.rglob("*")
        if path.is_file()
    }


# --- the whole -------------------------------------------------------------------------------------------------------


def test_same_seed_gives_the_same_bytes_and_times(manifest: Manifest, tmp_path: Path) -> None:
    generate.write(tmp_path, seed=SEED, scale=0.2)
    first, second = files(manifest.target), files(tmp_path)
    written = {name for name in first if name not in ("manifest.csv", "truth.csv")}
    assert {name: first[name] for name in written} == {name: second[name] for name in written}
    assert all(first[name][0] == second[name][0] for name in ("manifest.csv", "truth.csv"))


def test_another_seed_gives_another_region(manifest: Manifest, tmp_path: Path) -> None:
    generate.write(tmp_path, seed=SEED + 1, scale=0.1)
    assert (tmp_path / "truth.csv").read_bytes() != (manifest.target / "truth.csv").read_bytes()


def test_manifest_lists_every_file_with_its_time(manifest: Manifest) -> None:
    listed = {delivery.file: delivery for delivery in manifest.deliveries}
    found = {name for name in files(manifest.target) if not name.endswith(OPTIONS_SUFFIX)}
    assert found == {*listed, "manifest.csv", "truth.csv"}
    for name, delivery in listed.items():
        path = manifest.target / name
        assert datetime.fromtimestamp(path.stat().st_mtime, UTC) == delivery.received_at
        assert (path.with_name(path.name + OPTIONS_SUFFIX)).exists() == bool(delivery.options)
        assert delivery.file.split("/")[1] == delivery.source
    with (manifest.target / "manifest.csv").open(encoding="utf-8") as table:
        assert [row["file"] for row in csv.DictReader(table)] == list(listed)


def test_every_source_and_every_outcome_is_there(manifest: Manifest) -> None:
    assert {delivery.source for delivery in manifest.deliveries} == set(sources())
    assert {delivery.expected for delivery in manifest.deliveries} == {"accepted", "partly", "rejected"}
    unusual = [d for d in manifest.deliveries if d.expected != "accepted" or d.wave == 2]
    assert all(re.search("[а-я]", delivery.why) for delivery in unusual)
    corrections = [delivery for delivery in manifest.deliveries if delivery.wave == 2]
    assert {"vpr", "gia", "organisation", "leader"} == {delivery.source for delivery in corrections}
    for source in {delivery.source for delivery in corrections}:
        latest = max(d.received_at for d in manifest.of(source, wave=1) if d.file.startswith("inbox"))
        assert all(latest < delivery.received_at for delivery in manifest.of(source, wave=2))


def test_layouts_of_the_contracts_read_what_was_written(manifest: Manifest) -> None:
    for delivery in readable(manifest):
        path = manifest.target / delivery.file
        layouts, rows = set(), 0
        for block in reader.read(path, path.name, load_contract(delivery.source)):
            layouts.add(block.layout.id)
            rows += sum(batch.height for batch in block.batches)
        assert (layouts, rows) == ({delivery.layout}, delivery.rows), delivery.file


def readable(manifest: Manifest) -> list[Delivery]:
    return [delivery for delivery in manifest.deliveries if delivery.expected != "rejected"]


def test_layouts_cover_the_contracts(manifest: Manifest) -> None:
    used = {(delivery.source, delivery.layout) for delivery in readable(manifest)}
    known = {
        (source, layout.id)
        for source in ("vpr", "vpr_summary", "gia", "survey")
        for layout in load_contract(source).layouts
    }
    assert known - used == {(source, "template") for source in ("vpr", "vpr_summary", "gia", "survey")}
    assert {
        source: len({layout for found, layout in used if found == source})
        for source in ("organisation", "municipality")
    } == {"organisation": 4, "municipality": 3}


# --- the region ------------------------------------------------------------------------------------------------------


def test_region_has_its_size_and_unique_codes(region: Region) -> None:
    assert (len(region.municipalities), len(region.schools), len(region.preschools)) == (12, 120, 90)
    organisations = region.organisations
    for codes in (
        [o.login for o in organisations],
        [o.inn for o in organisations],
        [o.ogrn for o in organisations],
        [o.name for o in organisations],
        [s.ris_code for s in region.schools],
    ):
        assert len(set(codes)) == len(codes)
    assert all(re.fullmatch(r"edu99\d{4}", o.login) for o in organisations)
    rural = [s for s in region.schools if not s.urban]
    assert len(rural) > 40
    assert all(5 <= school.size <= 15 for school in rural)
    assert sum(s.kind in ("gymnasium", "lyceum") for s in region.schools) == 6
    assert any(s.ris_code != s.ris_code_ege for s in region.schools)


def test_leaders_follow_each_other(region: Region) -> None:
    changed = [o for o in region.organisations if len(o.leaders) == 2]
    assert 0.1 < len(changed) / len(region.organisations) < 0.25
    for organisation in changed:
        first, second = organisation.leaders
        assert first.ended_on is not None
        assert first.started_on < first.ended_on < second.started_on
        assert first.person != second.person
    led = Counter(tenure.person for o in region.organisations for tenure in o.leaders)
    assert max(led.values()) == 2


def test_personal_numbers_are_of_the_range_that_nobody_has(region: Region) -> None:
    for organisation in region.organisations:
        for tenure in organisation.leaders:
            digits = re.sub(r"\D", "", tenure.person.snils)
            assert int(digits[:9]) <= 1_001_998
            weighted = sum(int(digit) * (9 - place) for place, digit in enumerate(digits[:9]))
            assert int(digits[9:]) == weighted % 101 % 100


def test_participants_of_a_year(works: dict[tuple[int, str], Results]) -> None:
    for year in YEARS:
        rows = sum(result.school.size for (found, _), result in works.items() if found == year)
        assert 15_000 < rows < 25_000


# --- scores ----------------------------------------------------------------------------------------------------------


def test_scores_keep_to_their_maxima_and_go_with_the_journal(works: dict[tuple[int, str], Results]) -> None:
    assert [work.max_score for work in vpr_works(2023)] == [38, 20, 45, 20]
    assert vpr_works(2025)[0].max_score == 24
    for result in works.values():
        assert (result.scores <= result.work.maxima).all()
        assert result.scores.min() == -1
        present = ~result.absent & (result.journal_mark > 0)
        assert 0.4 < np.corrcoef(result.totals[present], result.journal_mark[present])[0, 1] < 0.8
        shares = np.bincount(result.marks[~result.absent], minlength=6)[2:] / (~result.absent).sum()
        assert (shares > [0.04, 0.15, 0.25, 0.1]).all()
        assert 0.07 < result.absent.mean() < 0.11


def test_grade_five_are_the_pupils_of_grade_four(generation: Generation, works: dict[tuple[int, str], Results]) -> None:
    for year in YEARS[1:]:
        before, after = works[year - 1, "ru4"], works[year, "ru5"]
        opened = [s.login for s in generation.region.schools if s.open_in(year)]
        kept = np.array([generation.region.schools[school].login in opened for school in before.school])
        assert np.array_equal(before.female[kept], after.female)


def exam_rows(path: Path) -> list[dict[str, str]]:
    """Rows of a protocol or of the normalised csv: masks, primary score, mark or test score, as text."""
    if path.suffix == ".csv":
        with path.open(encoding="utf-8-sig") as table:
            return [
                {
                    "Задания с кратким ответом": row["TestResultBCell"],
                    "Задания с развёрнутым ответом": row["TestResultCCell"],
                    "Первичный балл": row["PrimaryMark"],
                    "Балл": row.get("Mark100", ""),
                }
                for row in csv.DictReader(table, delimiter=";")
            ]
    rows, header = [], []
    for sheet in CalamineWorkbook.from_path(path).sheet_names:
        for cells in CalamineWorkbook.from_path(path).get_sheet_by_name(sheet).to_python(skip_empty_area=False):
            names = [str(cell).replace("развернутым", "развёрнутым") for cell in cells]
            if "Первичный балл" in names:
                header = names
                continue
            row = {name: cells[place] for place, name in enumerate(header) if name}
            if isinstance(row.get("Первичный балл"), int | float):
                rows.append({name: f"{v:.0f}" if isinstance(v, float) else str(v) for name, v in row.items()})
    return rows


def test_masks_give_the_primary_score(manifest: Manifest) -> None:
    scales = {exam.test_score for exam in EGE if exam.test_score}
    tested = 0
    for delivery in readable(manifest):
        if delivery.source != "gia":
            continue
        rows = exam_rows(manifest.target / delivery.file)
        assert len(rows) == delivery.rows
        for row in rows:
            short = sum(1 if sign == "+" else int(sign) for sign in row["Задания с кратким ответом"].replace("-", "0"))
            entries = re.findall(r"(\d+)\((\d+)\)", row.get("Задания с развёрнутым ответом", ""))
            assert all(int(points) <= int(maximum) for points, maximum in entries)
            primary = int(row["Первичный балл"])
            assert short + sum(int(points) for points, _ in entries) == primary
            if row.get("Балл"):
                assert any(primary < len(scale) and scale[primary] == int(row["Балл"]) for scale in scales)
                tested += 1
    assert tested > 1000


def test_marks_follow_scale_and_side_conditions(generation: Generation) -> None:
    results = [r for r in exams.oge(generation, exams.graduates(generation, 2024, 9)) if r.exam in OGE]
    lowered = 0
    for result in results:
        assert result.exam.least is not None
        assert result.marks is not None
        by_scale = 2 + (result.primary_scores[:, None] >= np.array(result.exam.least)).sum(axis=1)
        assert (result.marks <= by_scale).all()
        lowered += int((result.marks < by_scale).sum())
        assert (result.marks == by_scale).mean() > 0.9
    assert lowered > 0


def test_some_graduates_reach_220_in_three_exams(generation: Generation) -> None:
    found = exams.graduates(generation, 2025, 11)
    results = [r for r in exams.ege(generation, found) if r.test_scores is not None]
    total, count = np.zeros(found.school.size), np.zeros(found.school.size)
    for result in results:
        total[result.person] += result.test_scores
        count[result.person] += 1
    assert 0.05 < (total >= 220).sum() / found.school.size < 0.2
    assert (count <= 3).all()


# --- cheating --------------------------------------------------------------------------------------------------------


def scored(region: Region, school: np.ndarray, score: np.ndarray, journal: np.ndarray | None = None) -> pl.DataFrame:
    logins = [region.schools[number].login for number in school]
    journal = np.zeros_like(score) if journal is None else journal
    return pl.DataFrame({"login": logins, "score": score, "journal": journal})


def inflated(frame: pl.DataFrame) -> set[str]:
    """Official marker (a): the lower bound of the school's mean lies above the upper bound of the region's."""
    bound = frame["score"].mean() + 1.96 * frame["score"].std() / frame.height**0.5
    schools = frame.group_by("login").agg(
        (pl.col("score").mean() - 1.96 * pl.col("score").std() / pl.len().sqrt()).alias("lower")
    )
    return set(schools.filter(pl.col("lower") > bound)["login"])


def mismatched(frame: pl.DataFrame) -> set[str]:
    """Official marker (b): Spearman's correlation of score and journal mark below zero."""
    marked = frame.filter(pl.col("journal") > 0)
    schools = marked.group_by("login").agg(pl.corr("score", "journal", method="spearman").alias("r"))
    return set(schools.filter(pl.col("r") < 0)["login"])


def changed(before: pl.DataFrame, after: pl.DataFrame) -> tuple[set[str], set[str]]:
    """Official marker (c): schools with a sharp rise and with a sharp fall."""
    ratio = (
        before.group_by("login").agg(pl.col("score").mean())
        .join(after.group_by("login").agg(pl.col("score").mean()), on="login")
        .with_columns((pl.col("score") / pl.col("score_right")).alias("k"))
    )  # fmt: skip
    low, high = (ratio["k"].quantile(q, interpolation="linear") for q in (0.25, 0.75))
    spread = 3 * (high - low)
    rise = ratio.filter(pl.col("k") < low - spread)
    fall = ratio.filter(pl.col("k") > high + spread)
    return set(rise["login"]), set(fall["login"])


@pytest.fixture(scope="module")
def marked(generation: Generation, works: dict[tuple[int, str], Results]) -> dict[tuple[int, str], set[str]]:
    """What the official markers find in the results, computed here from the definition."""
    region = generation.region
    found: dict[tuple[int, str], set[str]] = {}
    shares: dict[tuple[int, str], pl.DataFrame] = {}
    for (year, work), result in works.items():
        present = ~result.absent
        frame = scored(region, result.school[present], result.totals[present], result.journal_mark[present])
        found[year, f"inflated_mean_vpr_{work}"] = inflated(frame)
        found[year, f"mark_mismatch_vpr_{work}"] = mismatched(frame)
        shares[year, work] = frame.with_columns(pl.col("score") / result.work.max_score)
    for year in YEARS[1:]:
        for subject in ("ru", "ma"):
            rise, fall = changed(shares[year - 1, f"{subject}4"], shares[year, f"{subject}5"])
            found[year, f"sharp_rise_{subject}"], found[year, f"sharp_fall_{subject}"] = rise, fall
    for year in YEARS:
        for result in main_days(generation, year):
            frame = scored(region, result.graduates.school[result.person], result.primary_scores)
            found[year, f"inflated_mean_oge_{result.exam.subject.lower()}"] = inflated(frame)
    return found


def main_days(generation: Generation, year: int) -> list[ExamResults]:
    results = exams.oge(generation, exams.graduates(generation, year, 9))
    return [result for result in results if result.exam in OGE and result.day == f"{year}.{result.exam.day}"]


def test_official_markers_notice_those_who_cheat(
    generation: Generation, marked: dict[tuple[int, str], set[str]]
) -> None:
    truths = [t for t in generation.schemes.truths(generation.region) if t.marker_code and t.is_violation]
    assert {truth.sign for truth in truths} == {
        "inflated_answers", "reversed_journal", "sharp_rise", "sharp_fall", "inflated_oge",
    }  # fmt: skip
    missed = [t for t in truths if t.organisation_code not in marked[t.year, t.marker_code]]
    assert missed == []


def test_rare_markers_notice_hardly_anybody_else(
    generation: Generation, marked: dict[tuple[int, str], set[str]]
) -> None:
    villages = {school.login for school in generation.region.schools if not school.urban}
    guilty = {(t.year, t.marker_code, t.organisation_code) for t in generation.schemes.truths(generation.region)}
    for (year, marker), logins in marked.items():
        others = {login for login in logins if (year, marker, login) not in guilty}
        if marker.startswith("sharp"):
            # Chance alone moves a class of ten: only village schools may be there.
            assert others <= villages, (year, marker)
            assert len(others) <= 6, (year, marker)
        elif marker.startswith("mark_mismatch"):
            assert len(others) <= 12, (year, marker)
        else:
            assert len(others) < 30, (year, marker)


def rows_of(generation: Generation, result: Results, login: str) -> np.ndarray:
    school = next(number for number, s in enumerate(generation.region.schools) if s.login == login)
    rows = result.rows_of(school)
    return rows[~result.absent[rows]]


def test_marks_are_pushed_over_the_boundary(generation: Generation, works: dict[tuple[int, str], Results]) -> None:
    pushed = generation.schemes.of("boundary_marks")
    assert pushed
    for result in works.values():
        for login in pushed:
            rows = rows_of(generation, result, login)
            below = np.isin(result.totals[rows], [least - 1 for least in result.work.least]).sum()
            on = np.isin(result.totals[rows], result.work.least).sum()
            assert on > 3 * below


def test_classes_that_copied_hold_the_same_answers(
    generation: Generation, works: dict[tuple[int, str], Results]
) -> None:
    def most_common(login: str, result: Results) -> float:
        rows = rows_of(generation, result, login)
        share = []
        for letter in np.unique(result.letter[rows]):
            group = rows[result.letter[rows] == letter]
            strings = Counter(result.scores[row].tobytes() for row in group)
            share.append(strings.most_common(1)[0][1] / group.size)
        return float(np.mean(share))

    copied = generation.schemes.of("copied_answers")
    honest = [s.login for s in generation.region.schools if s.size > 40 and s.login not in generation.schemes.signs]
    assert copied
    for result in works.values():
        assert min(most_common(login, result) for login in copied) > 0.4
        assert max(most_common(login, result) for login in honest[:20]) < 0.3


def test_journal_is_kinder_than_the_work(generation: Generation, works: dict[tuple[int, str], Results]) -> None:
    for result in works.values():
        for login in generation.schemes.of("inflated_journal"):
            rows = rows_of(generation, result, login)
            rows = rows[(result.journal_mark[rows] > 0) & (result.marks[rows] < 5)]
            assert (result.journal_mark[rows] > result.marks[rows]).all()


def test_preschools_that_flatter_themselves_are_in_the_truth(manifest: Manifest) -> None:
    flattering = {t.organisation_code for t in manifest.truths if t.sign == "inflated_self_assessment"}
    assert flattering
    gaps: dict[str, float] = {}
    levels: dict[str, dict[str, list[int]]] = {}
    for name in ("самооценка", "эксперты"):
        path = manifest.target / f"inbox/preschool/МКДО 2025 {name}.xlsx"
        header, *rows = CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python()
        login, level = header.index("Логин ДОО"), header.index("Уровень")
        for row in rows:
            levels.setdefault(row[login], {}).setdefault(name, []).append(int(row[level]))
    for found, by_assessor in levels.items():
        gaps[found] = float(np.mean(by_assessor["самооценка"]) - np.mean(by_assessor["эксперты"]))
    assert {login for login, gap in gaps.items() if gap > 1} == flattering


# --- command line ----------------------------------------------------------------------------------------------------


def test_command_line_writes_the_region(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sample_region", str(tmp_path / "out"), "--scale", "0.1"]
    told = subprocess.run(command, check=True, capture_output=True, text=True, cwd=Path(__file__).parents[1]).stdout
    assert (tmp_path / "out" / "manifest.csv").exists()
    assert set(sources()) <= set(told.split())
