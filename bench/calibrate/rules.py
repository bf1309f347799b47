"""Rules of the field with fixed thresholds, for comparison: a mean above the region's, and two of five markers."""

from __future__ import annotations

import numpy as np
import polars as pl

from bench.calibrate.answers import Answers

RULES = ("mean_rule", "two_markers")


def judge(answers: Answers) -> pl.DataFrame:
    """Both rules for every school that wrote the work.

    Markers: a mean above the region's by 1.96 standard errors; four fifths or more at a mark's boundary, of those at it
    or one point short; beyond 1.5 interquartile ranges: a small spread of scores, many equal to their journal mark,
    many absent.
    """
    work = answers.work
    total = pl.Series("total", answers.totals)
    rows = pl.DataFrame({"school": answers.school, "present": answers.present}).with_columns(
        total,
        at=total.is_in(list(work.least)),
        below=total.is_in([least - 1 for least in work.least]),
        agreed=pl.Series(work.marks(answers.totals) == answers.journal),
    )
    wrote = rows.filter("present")
    mean, deviation = float(wrote["total"].mean()), float(wrote["total"].std())  # type: ignore[arg-type]
    groups = (
        wrote.group_by("school")
        .agg(
            n=pl.len(), mean=pl.mean("total"), spread=pl.std("total"), agreed=pl.mean("agreed"),
            lifted=pl.sum("at") / (pl.sum("at") + pl.sum("below")),
        )
        .join(rows.group_by("school").agg(absent=1 - pl.mean("present")), on="school")
        .with_columns(mean_rule=(pl.col("mean") - mean) * pl.col("n").sqrt() / deviation > 1.96)
    )  # fmt: skip
    markers = [pl.col("mean_rule"), pl.col("lifted").fill_nan(0) >= 0.8, _beyond(groups, "spread", -1)]
    markers += [_beyond(groups, name, 1) for name in ("agreed", "absent")]
    groups = groups.with_columns(two_markers=pl.sum_horizontal(marker.cast(pl.Int8) for marker in markers) >= 2)
    key = {"year": work.year, "grade": work.grade, "subject": work.subject}
    return groups.select("school", *RULES).with_columns(pl.lit(value).alias(name) for name, value in key.items())


def _beyond(groups: pl.DataFrame, name: str, sign: int) -> pl.Expr:
    low, high = np.quantile(groups[name].drop_nulls().to_numpy(), [0.25, 0.75])
    fence = high + 1.5 * (high - low) if sign > 0 else low - 1.5 * (high - low)
    return ((pl.col(name) - fence) * sign > 0).fill_null(False)
