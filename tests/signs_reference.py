"""The eight detectors of objectivity in numpy, straight from their formulas: what the models of dbt are compared with.

A group is a school with at least `SMALLEST` participants in one work. Everything is computed from the answers of a
region, nothing is fitted beforehand. The formulas stand in the descriptions of the models int_sign__*.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import stats

from bench.calibrate.answers import NOT_TAUGHT, Answers, Context, Floats, Ints

SMALLEST = 5
DETECTORS = ("profile", "misfit", "expgap", "boundary", "jagree", "sim_dup", "sim_pairs", "attend")
COUNTS = ("sim_dup", "sim_pairs", "attend")
"""Detectors with an exact p: never rescaled."""
HEAVY = ("profile", "misfit", "expgap")
"""Detectors whose honest tail is Student's with 12 degrees of freedom."""
BANDS = (10, 15, 25, 50)
P_MIN, P_MAX = 1e-15, 0.9
RED_Q, RED_POOL_P, AMBER_P, AMBER_LEVEL = 0.1, 0.1, 0.01, 2.326348


def detect(works: Sequence[tuple[Answers, Context]]) -> pl.DataFrame:
    """All groups of all works with calibrated z, p of each detector, combined p and q, pools and flags."""
    return combine(pl.concat([Test(answers, context).groups() for answers, context in works]))


# --- one work --------------------------------------------------------------------------------------------------------


class Test:
    """One work of a region; arrays by school have length S, nan where a school has no such z."""

    __test__ = False

    def __init__(self, answers: Answers, context: Context) -> None:
        self.everyone, self.context, self.work = answers, context, answers.work
        self.schools = context.group.size
        here = answers.present
        self.school, self.classroom = answers.school[here], answers.classroom[here]
        self.variant = answers.variant[here] - answers.variant[here].min()
        self.journal = answers.journal[here]
        self.points, self.total = answers.points[here], answers.totals[here]
        self.n = np.bincount(self.school, minlength=self.schools)
        self.judged = self.n >= SMALLEST
        self.taught = self._taught(answers.scores[here])
        self.level_total = self._level_total()
        self.prob = self._curves()
        self.band = self._level_band()

    def groups(self) -> pl.DataFrame:
        """One row per group: n, z or p of each detector before calibration."""
        p_dup, p_pairs, attend = self.sim_dup(), self.sim_pairs(), self.attend()
        columns = {
            "school": np.arange(self.schools), "n": self.n,
            "z_profile": self.profile(), "z_misfit": self.misfit(), "z_expgap": self.expgap(),
            "z_boundary": self.boundary(), "z_jagree": self.jagree(), "z_level": self.level(),
            "p_sim_dup": p_dup, "p_sim_pairs": p_pairs, "p_attend": stats.norm.sf(attend),
        }  # fmt: skip
        key = {"year": self.work.year, "grade": self.work.grade, "subject": self.work.subject}
        keys = [pl.lit(value).alias(name) for name, value in key.items()]
        return pl.DataFrame(columns).filter(pl.col("n") >= SMALLEST).select(*keys, pl.all())

    def by_school(self, values: NDArray[np.generic]) -> Floats:
        return np.bincount(self.school, weights=values.astype(float), minlength=self.schools)

    def _taught(self, scores: Ints) -> NDArray[np.bool_]:
        """n × J. An item that nine tenths of a class of five or more missed was not taught there."""
        taught = scores != NOT_TAUGHT
        size = np.bincount(self.classroom)
        for item in range(scores.shape[1]):
            missed = np.bincount(self.classroom, weights=scores[:, item] < 0)
            taught[:, item] &= ~((missed >= 0.9 * size) & (size >= SMALLEST))[self.classroom]
        return taught

    def _level_total(self) -> Ints:
        """The total, where items were not taught the one that the others promise."""
        top, known = self.work.max_score, (self.taught * self.work.maxima).sum(axis=1)
        promised = np.floor(self.total * top / np.maximum(known, 1) + 0.5).astype(np.int64)
        return np.where(self.taught.all(axis=1), self.total, np.minimum(promised, top))

    def _curves(self) -> Floats:
        """P(c | v, T, item), V × (M+1) × J × C, of counts smoothed 1-2-1 along the total."""
        items = np.arange(self.work.maxima.size)
        shape = (int(self.variant.max()) + 1, self.work.max_score + 1, items.size, int(self.work.maxima.max()) + 1)
        cells = np.ravel_multi_index((self.variant[:, None], self.level_total[:, None], items, self.points), shape)
        counts = np.bincount(cells[self.taught], minlength=int(np.prod(shape))).reshape(shape).astype(float)
        counts = smooth(counts)
        there = counts.sum(-1, keepdims=True)
        return np.divide(counts, there, out=np.zeros_like(counts), where=there > 0)

    def _level_band(self) -> Ints:
        """Quintile of the school mean, as ntile(5) has it."""
        there = np.flatnonzero(self.n > 0)
        mean = self.by_school(self.total)[there] / self.n[there]
        order = there[np.lexsort((there, mean))]
        band = np.zeros(self.schools, dtype=np.int64)
        band[order] = np.repeat(np.arange(5), [part.size for part in np.array_split(order, 5)])
        return band

    def profile(self) -> Floats:
        """Q = Σ D²/(V + ωV²) over the items, by Wilson and Hilferty."""
        at, points = (self.variant, self.level_total), np.arange(self.prob.shape[-1])
        expected = (self.prob * points).sum(-1)
        variance = (self.prob * points**2).sum(-1) - expected**2
        chi, items = np.zeros(self.schools), np.zeros(self.schools)
        for item in range(self.work.maxima.size):
            taught = self.taught[:, item]
            d = self.by_school((self.points[:, item] - expected[at][:, item]) * taught)
            v = self.by_school(variance[at][:, item] * taught)
            seen = self.judged & (v > 1e-9)
            omega = overdispersion(d[seen], v[seen])
            chi[seen] += d[seen] ** 2 / (v[seen] + omega * v[seen] ** 2)
            items += seen
        df = np.maximum(items - 1, 1)
        return np.where(items > 1, (np.cbrt(chi / df) - (1 - 2 / (9 * df))) / np.sqrt(2 / (9 * df)), np.nan)

    def misfit(self) -> Floats:
        """Minus the mean of lz over the pupils whose likelihood can vary."""
        log = np.log(np.where(self.prob > 0, self.prob, 1))
        mean, square = (self.prob * log).sum(-1), (self.prob * log**2).sum(-1)
        at, items = (self.variant, self.level_total), np.arange(self.work.maxima.size)
        found = (log[at[0][:, None], at[1][:, None], items, self.points] * self.taught).sum(axis=1)
        expected = (mean[at] * self.taught).sum(axis=1)
        variance = ((square - mean**2)[at] * self.taught).sum(axis=1)
        seen = variance > 0.01
        lz = np.where(seen, (found - expected) / np.sqrt(np.where(seen, variance, 1)), 0)
        count = self.by_school(seen)
        return np.where(count >= SMALLEST, -self.by_school(lz) / np.maximum(count, 1), np.nan)

    def expgap(self) -> Floats:
        """Points on expert items beyond what the short ones promise, on context and on the mean of the short ones."""
        whole, is_expert = self.taught.all(axis=1), self.work.is_expert
        experts, short = (self.points[whole][:, kind].sum(axis=1) for kind in (is_expert, ~is_expert))
        variant, school = self.variant[whole], self.school[whole]
        width = int(short.max()) + 1

        def table(weights: Ints) -> Floats:
            counts = np.bincount(variant * width + short, weights=weights, minlength=(int(variant.max()) + 1) * width)
            return smooth(counts.reshape(-1, width))

        def by(values: NDArray[np.generic]) -> Floats:
            return np.bincount(school, weights=values.astype(float), minlength=self.schools)

        count = np.maximum(table(np.ones_like(experts)), 1e-9)
        mean = table(experts) / count
        variance = table(experts**2) / count - mean**2
        n, own = np.bincount(school, minlength=self.schools), (variant, short)
        known = np.maximum(n, 1)
        return self._on_context(n, by(experts - mean[own]) / known, by(variance[own]) / known**2, [by(short) / known])

    def _on_context(self, n: Ints, r: Floats, v: Floats, more: Sequence[Floats] = ()) -> Floats:
        """Residual of r of n pupils on context group, social index and `more`, in units of √(τ² + v)."""
        use = n >= SMALLEST
        n, r, v, group = n[use], r[use], v[use], self.context.group[use]
        dummies = [(group == name).astype(float) for name in np.unique(group)]
        design = np.column_stack([*dummies, self.context.social_index[use], *(column[use] for column in more)])
        from_median = r - sum(dummy * np.median(r[dummy > 0]) for dummy in dummies)
        kept = np.abs(from_median) <= 2.5 * half_width(from_median)
        weight = np.sqrt(1 / (0.1 + 0.8 / n))
        fit, *_ = np.linalg.lstsq((design * weight[:, None])[kept], (r * weight)[kept], rcond=None)
        left = r - design @ fit
        tau = max(0.0, float((left**2 - v)[kept].mean()))
        found = np.full(self.schools, np.nan)
        found[use] = divide(left, np.sqrt(tau + v))
        return found

    def boundary(self) -> Floats:
        """Weights of totals around the marks' boundaries against the region's own, level band by level band."""
        weights, band = np.array([-0.3, -0.7, 0.6, 0.0]), self.band[self.school]
        excess, variance = np.zeros(self.schools), np.zeros(self.schools)
        for least in self.work.least:
            place = self.total - (least - 2)
            near = (place >= 0) & (place < 4)
            w, of, rows = weights[place[near]], band[near], self.school[near]
            count = np.maximum(np.bincount(of, minlength=5), 1)
            mean = np.bincount(of, weights=w, minlength=5) / count
            spread = np.bincount(of, weights=w**2, minlength=5) / count - mean**2
            excess += np.bincount(rows, weights=w - mean[of], minlength=self.schools)
            variance += np.bincount(rows, weights=spread[of], minlength=self.schools)
        return divide(excess, np.sqrt(np.maximum(variance, 0)))

    def jagree(self) -> Floats:
        """Works whose mark is the journal's, beyond the region's share for that mark in that level band."""
        seen = self.journal > 0
        rows, journal = self.school[seen], self.journal[seen]
        agreed = (self.work.marks(self.total)[seen] == journal).astype(float)
        cell = self.band[rows] * 6 + journal
        share = np.bincount(cell, weights=agreed, minlength=30) / np.maximum(np.bincount(cell, minlength=30), 1)
        p = np.clip(share, 0.01, 0.99)[cell]
        d = np.bincount(rows, weights=agreed - p, minlength=self.schools)
        v = np.bincount(rows, weights=p * (1 - p), minlength=self.schools)
        enough = np.bincount(rows, minlength=self.schools) >= SMALLEST
        omega = overdispersion(d[enough], v[enough])
        return np.where(enough, divide(d, np.sqrt(v + omega * v**2)), np.nan)

    def sim_dup(self) -> Floats:
        """Mid-p of equal strings of answers inside classes, at the rate of equal strings between classes."""
        whole = self.taught.all(axis=1)
        string = pl.Series(["".join(map(str, row)) for row in self.points[whole].tolist()])
        frame = pl.DataFrame({"string": string, "variant": self.variant[whole], "total": self.total[whole],
                              "classroom": self.classroom[whole], "school": self.school[whole]})  # fmt: skip
        pairs, cell = (pl.len() * (pl.len() - 1) / 2).alias("pairs"), ["variant", "total"]
        equal = frame.group_by(*cell, "string").agg(pairs).group_by(cell).agg(equal=pl.sum("pairs"))
        inside = frame.group_by("school", "classroom", *cell).agg(pairs)
        inside_equal = frame.group_by("school", "classroom", *cell, "string").agg(pairs)
        outside = (
            frame.group_by(cell).agg(pairs).join(equal, on=cell)
            .join(inside.group_by(cell).agg(inside=pl.sum("pairs")), on=cell)
            .join(inside_equal.group_by(cell).agg(inside_equal=pl.sum("pairs")), on=cell)
            .with_columns(pairs=pl.col("pairs") - pl.col("inside"), equal=pl.col("equal") - pl.col("inside_equal"))
            .filter((pl.col("pairs") > 0) & (pl.col("total") <= 0.92 * self.work.max_score))
            .select(*cell, rate=((pl.col("equal") + 0.5) / pl.col("pairs")).clip(upper_bound=1))
        )  # fmt: skip
        expected = inside.join(outside, on=cell).group_by("school").agg(count=(pl.col("pairs") * pl.col("rate")).sum())
        found = inside_equal.join(outside, on=cell).group_by("school").agg(count=pl.sum("pairs"))
        k, mean = self._spread(found)[self.judged], self._spread(expected)[self.judged]
        rank = (stats.rankdata((k - mean) / np.sqrt(mean + 1), method="ordinal") - 1) / max(k.size - 1, 1)
        common = rank <= 0.95
        mean = mean * max(1.0, float(k[common].sum() / max(mean[common].sum(), 1e-12)))
        return self._mid_p(k, mean)

    def _spread(self, frame: pl.DataFrame) -> Floats:
        values = np.zeros(self.schools)
        values[frame["school"].to_numpy()] = frame["count"].to_numpy()
        return values

    def _mid_p(self, count: Floats, mean: Floats) -> Floats:
        found = np.full(self.schools, np.nan)
        found[self.judged] = negative_binomial_p(count, mean)
        return found

    def sim_pairs(self) -> Floats:
        """Mid-p of pairs of one class and variant that agree far more than their totals promise."""
        whole = np.flatnonzero(self.taught.all(axis=1))
        order = whole[np.lexsort((whole, self.variant[whole], self.classroom[whole]))]
        first, second = (order[part] for part in pairs_of(self.classroom[order] * 100 + self.variant[order]))
        variants, width = self.prob.shape[:2]
        expected, variance = np.zeros((variants, width, width)), np.zeros((variants, width, width))
        equal = np.zeros(first.size)
        for item in range(self.work.maxima.size):
            same = np.einsum("vac,vbc->vab", self.prob[:, :, item], self.prob[:, :, item])
            expected += same
            variance += same * (1 - same)
            equal += self.points[first, item] == self.points[second, item]
        at = self.variant[first], self.total[first], self.total[second]
        similar = (equal - expected[at] > 2.6 * np.sqrt(np.maximum(variance[at], 0.4))).astype(float)
        tenth = 5 * (self.total[first] + self.total[second]) // self.work.max_score
        classroom, classes = self.classroom[first], int(self.classroom.max()) + 1
        pairs = np.bincount(classroom, minlength=classes)
        share = np.bincount(classroom, weights=similar, minlength=classes) / np.maximum(pairs, 1)
        highest = np.quantile(share[pairs > 0], 0.95, method="inverted_cdf")
        kept = (share <= highest)[classroom]
        rate = (np.bincount(tenth[kept], weights=similar[kept], minlength=11) + 0.5) / (
            np.bincount(tenth[kept], minlength=11) + 0.5
        )
        rows = self.school[first]
        k = np.bincount(rows, weights=similar, minlength=self.schools)[self.judged]
        mean = np.bincount(rows, weights=rate[tenth], minlength=self.schools)[self.judged]
        some = np.bincount(rows, minlength=self.schools) > 0
        return np.where(some, self._mid_p(k, mean), np.nan)

    def attend(self) -> Floats:
        """How many are absent, and how weak their journal marks are; without these marks, nothing."""
        everyone = self.everyone

        def by(values: NDArray[np.generic]) -> Floats:
            return np.bincount(everyone.school, weights=values.astype(float), minlength=self.schools)

        away, marked = ~everyone.present, everyone.journal > 0
        enrolled, absent = by(np.ones(away.size)), by(away)
        share = max(float(np.median(absent[self.judged] / enrolled[self.judged])), 0.01)
        p = self._mid_p(absent[self.judged], enrolled[self.judged] * share)
        z1 = np.minimum(stats.norm.isf(p), 2.5)
        count, a = by(marked), by(marked & away)
        mean = by(everyone.journal) / np.maximum(count, 1)
        variance = np.maximum(by(everyone.journal**2) / np.maximum(count, 1) - mean**2, 0)
        gap = a * mean - by(everyone.journal * away)
        usual = self.judged & (a > 0) & (absent <= 0.2 * enrolled)
        delta = gap[usual].sum() / max(a[usual].sum(), 1)
        drawn = a * (count - a) / np.maximum(count - 1, 1)
        z2 = (gap - a * delta) / np.sqrt(variance * drawn + 0.15)
        return np.where((a > 0) | (absent == 0), (z1 + z2) / np.sqrt(2), np.nan)

    def level(self) -> Floats:
        """Mean of what stands beside the flag: the school mean, and it beyond the journal marks, both on context."""
        y = (self.total - self.total.mean()) / self.total.std()
        n = np.maximum(self.n, 1)
        mean = self.by_school(y) / n
        variance = np.maximum(self.by_school(y**2) - n * mean**2, 0) / np.maximum(n - 1, 1) / n
        seen = self.journal > 0
        journal, rows = self.journal[seen], self.school[seen]
        count = np.maximum(np.bincount(journal, minlength=6), 1)
        expected = np.bincount(journal, weights=y[seen], minlength=6) / count
        spread = np.bincount(journal, weights=y[seen] ** 2, minlength=6) / count - expected**2
        m = np.bincount(rows, minlength=self.schools)
        gap = np.bincount(rows, weights=y[seen] - expected[journal], minlength=self.schools) / np.maximum(m, 1)
        gap_variance = np.bincount(rows, weights=spread[journal], minlength=self.schools) / np.maximum(m, 1) ** 2
        of_mean, of_gap = self._on_context(self.n, mean, variance), self._on_context(m, gap, gap_variance)
        return (of_mean + np.where(np.isnan(of_gap), of_mean, of_gap)) / 2


def smooth(counts: Floats) -> Floats:
    """Weights 1-2-1 along the second axis; beyond its ends there is nobody."""
    smoothed = 2 * counts
    smoothed[:, 1:] += counts[:, :-1]
    smoothed[:, :-1] += counts[:, 1:]
    return smoothed


def overdispersion(d: Floats, v: Floats) -> float:
    """ω: how much honest groups differ beyond chance, in units of V²."""
    honest = d**2 < 16 * v
    return max(0.0, float((d**2 - v)[honest].sum() / max((v[honest] ** 2).sum(), 1e-12)))


def negative_binomial_p(count: Floats, mean: Floats) -> Floats:
    """P(more than `count`) + ½ P(`count`), variance λ(1 + φλ) with φ of these counts themselves."""
    capped = np.minimum(count, mean + 4 * np.sqrt(mean) + 2)
    phi = max(0.0, float(((capped - mean) ** 2 - mean).sum() / max((mean**2).sum(), 1e-12)))
    mean = np.maximum(mean, 1e-9)
    law = stats.nbinom(1 / phi, 1 / (1 + phi * mean)) if phi > 1e-9 else stats.poisson(mean)
    return law.sf(count) + law.pmf(count) / 2


def divide(above: Floats, below: Floats) -> Floats:
    return np.divide(above, below, out=np.full(above.size, np.nan), where=below > 0)


def half_width(values: Floats) -> float:
    low, high = np.quantile(values, [0.16, 0.84])
    return float((high - low) / 2)


def pairs_of(key: Ints) -> tuple[Ints, Ints]:
    """Positions of all pairs with equal key, where equal keys stand together."""
    starts = np.flatnonzero(np.r_[True, key[1:] != key[:-1]])
    ends = np.r_[starts[1:], key.size]
    after = np.repeat(ends, ends - starts) - np.arange(key.size) - 1
    first = np.repeat(np.arange(key.size), after)
    step = np.arange(first.size) - np.repeat(np.cumsum(after) - after, after)
    return first, first + 1 + step


# --- the region ------------------------------------------------------------------------------------------------------


def combine(groups: pl.DataFrame) -> pl.DataFrame:
    """Calibration, Cauchy, BH within the year, pools over school-year and school-subject, flags."""
    frame = _calibrated(groups)
    p = np.column_stack([frame[f"p_{name}"].to_numpy() for name in DETECTORS])
    combined = cauchy(p)
    frame = frame.with_columns(
        pl.Series("p", combined),
        pl.Series("score", -np.log10(combined)),
        pl.Series("mechanism", np.array(DETECTORS)[np.argmin(p, axis=1)]),
    )
    frame = frame.with_columns(discovery("p").over("year").alias("q"))
    for name, key, among in (("year", ["school", "year"], ["year"]), ("subject", ["school", "subject"], [])):
        frame = frame.join(_pools(frame, key, among).rename({"q_pool": f"q_{name}"}), on=key)
    pooled = pl.min_horizontal("q_year", "q_subject") <= RED_Q
    red = (pl.col("q") <= RED_Q) | (pooled & (pl.col("p") <= RED_POOL_P))
    amber = (pl.col("p") <= AMBER_P) | (pl.col("z_level") > AMBER_LEVEL)
    flag = pl.when(red).then(pl.lit("red")).when(amber).then(pl.lit("amber")).otherwise(pl.lit("none"))
    return frame.with_columns(flag=flag)


def _calibrated(frame: pl.DataFrame) -> pl.DataFrame:
    """Empirical null by year and size band; z and p of each detector, p = ½ where there is no z."""
    band = pl.Series("band", np.digitize(frame["n"].to_numpy(), BANDS))
    continuous = [f"z_{name}" for name in (*DETECTORS, "level") if name not in COUNTS]
    frame = frame.with_columns(band).with_columns(pl.col(continuous).fill_nan(None))
    frame = frame.with_columns(rescaled(name).over("year", "band") for name in continuous)
    for name in DETECTORS:
        if name in COUNTS:
            p = frame[f"p_{name}"].to_numpy()
            frame = frame.with_columns(pl.Series(f"z_{name}", stats.norm.isf(np.clip(p, P_MIN, 1))).fill_nan(None))
        else:
            z = frame[f"z_{name}"].to_numpy()
            p = stats.t.sf(z, 12) if name in HEAVY else stats.norm.sf(z)
        frame = frame.with_columns(pl.Series(f"p_{name}", np.where(np.isnan(p), 0.5, p)))
    return frame


def rescaled(name: str) -> pl.Expr:
    column = pl.col(name)
    width = (column.quantile(0.84, "linear") - column.quantile(0.16, "linear")) / 2
    return ((column - column.median()) / width).alias(name)


def cauchy(p: Floats) -> Floats:
    """Combined p of n × K p values (Liu, Xie 2020)."""
    p = np.clip(p, P_MIN, P_MAX)
    return np.arctan2(1, (1 / np.tan(np.pi * p)).mean(axis=1)) / np.pi


def discovery(name: str) -> pl.Expr:
    """Benjamini–Hochberg."""
    return pl.col(name).map_batches(
        lambda p: pl.Series(stats.false_discovery_control(p.to_numpy())), return_dtype=pl.Float64
    )


def _pools(frame: pl.DataFrame, key: list[str], among: list[str]) -> pl.DataFrame:
    """q of pools of groups: `key` names the pool, `among` what it is compared within."""
    names = [name for name in DETECTORS if name != "sim_pairs"]
    z = {name: pl.col(f"z_{name}").clip(-2.5, 4) for name in names}
    pools = frame.group_by(key).agg((z[name].sum() / z[name].count().clip(1).sqrt()).alias(name) for name in names)
    scaled = [rescaled(name).over(among) if among else rescaled(name) for name in names if name not in COUNTS]
    pools = pools.with_columns(scaled)
    p = np.column_stack([stats.t.sf(pools[name].to_numpy(), 12) for name in names])
    pools = pools.with_columns(pl.Series("p_pool", cauchy(p)))
    q = discovery("p_pool").over(among) if among else discovery("p_pool")
    return pools.select(*key, q.alias("q_pool"))
