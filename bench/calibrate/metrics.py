"""How well the groups' scores and flags agree with the truth; a group is school × subject × grade × year."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy import stats

from bench.calibrate.answers import Floats
from bench.calibrate.manipulation import INTENSITIES, KINDS, SCOPES, Deed
from bench.calibrate.region import SUBJECTS, Region

MECHANISM = {
    "lift": {"boundary"},
    "inflate": {"expgap"},
    "leak": {"profile"},
    "copy": {"sim_dup", "sim_pairs"},
    "help": {"misfit"},
    "absence": {"attend"},
    "journal": {"jagree"},
}
"""The detector that names the kind."""
KEY = ["year", "grade", "subject", "school"]
Found = dict[str, float]


@dataclass(frozen=True)
class Target:
    """A line of the table of aims: `sign` is +1 where more is better; `unit` is how a value is written."""

    name: str
    sign: int
    must: float
    stretch: float | None = None
    unit: str = ".2f"

    def holds(self, value: float) -> bool:
        return self.sign * value >= self.sign * self.must


TARGETS = [
    Target("macro AUC", 1, 0.87, 0.91, ".3f"),
    Target("macro recall at 1 % FPR", 1, 0.48, 0.58),
    Target("macro recall at 5 % FPR", 1, 0.63, 0.72),
    Target("recall at 1 %, medium", 1, 0.55, 0.66),
    Target("recall at 1 %, strong", 1, 0.70, 0.82),
    Target("red: false discoveries", -1, 0.10, 0.05, ".1%"),
    Target("red: recall", 1, 0.50, 0.68),
    Target("red: recall, medium and strong", 1, 0.65, 0.84),
    Target("honest groups with p ≤ .01, at most", -1, 0.012, None, ".2%"),
    Target("honest groups with p ≤ .01, at least", 1, 0.002, None, ".2%"),
    Target("honest groups with p ≤ .001", -1, 0.002, None, ".3%"),
    Target("selective schools: red", -1, 0.003, None, ".2%"),
    Target("selective schools: amber", -1, 0.015, None, ".2%"),
    Target("newly selective: red", -1, 0.005, None, ".2%"),
    Target("star teacher: red", -1, 0.005, None, ".2%"),
    Target("leading mechanism right", 1, 0.70, 0.85),
    Target("honest region: red a year per 9 000 groups", -1, 3, 1, ".1f"),
    Target("noise × 2: red, false discoveries", -1, 0.25, 0.12, ".1%"),
]


def with_truth(groups: pl.DataFrame, region: Region, deeds: list[Deed]) -> pl.DataFrame:
    """Groups with kind, intensity and scope of what was done to them (null: nothing) and with what their school is."""
    rows = [(deed.year, deed.grade, deed.subject, deed.school, deed.kind, deed.intensity, deed.scope) for deed in deeds]
    types = [pl.Int64, pl.Int64, pl.String, pl.Int64, pl.String, pl.String, pl.String]
    schema = dict(zip([*KEY, "kind", "intensity", "scope"], types, strict=True))
    truth = pl.DataFrame(rows, schema=schema, orient="row")
    school, subject = groups["school"].to_numpy(), groups["subject"].replace_strict(SUBJECTS, range(len(SUBJECTS)))
    return groups.with_columns(
        pl.col("year", "grade", "school").cast(pl.Int64),
        pl.Series("is_selective", region.selective[school]),
        pl.Series("is_newly_selective", region.newly_selective[school]),
        pl.Series("is_star", region.star[subject.to_numpy(), school]),
    ).join(truth, on=KEY, how="left")


def auc(positive: Floats, negative: Floats) -> float:
    """Chance that a positive value is larger than a negative one."""
    ranks = stats.rankdata(np.concatenate([positive, negative]))[: positive.size]
    return float((ranks.sum() - positive.size * (positive.size + 1) / 2) / (positive.size * negative.size))


def macro(groups: pl.DataFrame, condition: pl.Expr) -> float:
    """Mean over kinds of the share of the kind's groups that meet the condition; nan where there is no group."""
    shares = groups.group_by("kind").agg(share=condition.mean())["share"].to_numpy()
    return float(shares.mean()) if shares.size else float("nan")


def measure(groups: pl.DataFrame) -> Found:
    """Every aim that one region tells, by the target's name; `groups` hold score, p, flag, mechanism and the truth."""
    honest, guilty = groups.filter(pl.col("kind").is_null()), groups.filter(pl.col("kind").is_not_null())
    fair = honest["score"].to_numpy()
    over = {percent: pl.col("score") > np.quantile(fair, 1 - percent / 100) for percent in (1, 5)}
    red, of = pl.col("flag") == "red", pl.col("intensity")
    flagged = groups.filter(red)
    right = pl.any_horizontal(
        (pl.col("kind") == kind) & pl.col("mechanism").is_in(list(names)) for kind, names in MECHANISM.items()
    )
    return {
        "macro AUC": float(np.mean([auc(part["score"].to_numpy(), fair) for _, part in guilty.group_by("kind")])),
        **{f"macro recall at {percent} % FPR": macro(guilty, over[percent]) for percent in over},
        **{f"recall at 1 %, {level}": macro(guilty.filter(of == level), over[1]) for level in INTENSITIES},
        "red: false discoveries": flagged["kind"].null_count() / max(flagged.height, 1),
        "red: recall": macro(guilty, red),
        "red: recall, medium and strong": macro(guilty.filter(of != "weak"), red),
        "honest groups with p ≤ .01, at most": share(honest, pl.col("p") <= 0.01),
        "honest groups with p ≤ .01, at least": share(honest, pl.col("p") <= 0.01),
        "honest groups with p ≤ .001": share(honest, pl.col("p") <= 0.001),
        "selective schools: red": share(honest.filter("is_selective"), red),
        "selective schools: amber": share(honest.filter("is_selective"), pl.col("flag") == "amber"),
        "newly selective: red": share(honest.filter("is_newly_selective"), red),
        "star teacher: red": share(honest.filter("is_star"), red),
        "leading mechanism right": macro(guilty.filter(pl.col("p") <= 0.01), right),
    }


def honest_region(groups: pl.DataFrame) -> Found:
    """Red flags where nobody did anything."""
    return {"honest region: red a year per 9 000 groups": 9_000 * share(groups, pl.col("flag") == "red")}


def noisy_region(groups: pl.DataFrame) -> Found:
    return {"noise × 2: red, false discoveries": measure(groups)["red: false discoveries"]}


def share(groups: pl.DataFrame, condition: pl.Expr) -> float:
    return float(groups.select(condition.mean().fill_null(0)).item()) if groups.height else 0.0


def cells(groups: pl.DataFrame) -> Iterator[tuple[str, str, int, Found]]:
    """Of every kind × intensity and of every scope: groups, recall at 1 % FPR, red, red or amber."""
    guilty = groups.filter(pl.col("kind").is_not_null())
    limit = np.quantile(groups.filter(pl.col("kind").is_null())["score"].to_numpy(), 0.99)
    parts = [(kind, level, (pl.col("kind") == kind) & (pl.col("intensity") == level))
             for kind in KINDS for level in INTENSITIES]  # fmt: skip
    parts += [("all kinds", scope, pl.col("scope") == scope) for scope in SCOPES]
    for name, level, condition in parts:
        part = guilty.filter(condition)
        yield name, level, part.height, {
            "recall at 1 %": share(part, pl.col("score") > limit),
            "red": share(part, pl.col("flag") == "red"),
            "red or amber": share(part, pl.col("flag").is_in(["red", "amber"])),
        }  # fmt: skip


def rule(groups: pl.DataFrame, is_flagged: pl.Expr) -> Found:
    """What a yes-or-no rule is worth on the groups it judges."""
    honest, guilty = groups.filter(pl.col("kind").is_null()), groups.filter(pl.col("kind").is_not_null())
    flagged = groups.filter(is_flagged)
    return {
        "recall": macro(guilty, is_flagged),
        "false positives": share(honest, is_flagged),
        "false discoveries": flagged["kind"].null_count() / max(flagged.height, 1),
        "of selective schools": share(honest.filter("is_selective"), is_flagged),
    }
