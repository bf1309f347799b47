"""Plots of a dossier as SVG text: drawn without a display, readable without a network."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import contextmanager
from io import StringIO
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.axes import Axes

Row = Mapping[str, Any]

SCHOOL, REGION, ALARM = "#b5452c", "#9aa5b1", "#7a1f10"
_NINETEEN_OF_TWENTY = 1.96
"""Standard deviations on either side that hold nineteen of twenty values of the normal law."""
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none", "svg.hashsalt": "rsoko", "font.family": "sans-serif", "font.size": 9,
    "axes.spines.top": False, "axes.spines.right": False, "axes.titlesize": 10, "axes.titlelocation": "left",
}  # fmt: skip


def item_profile(items: Sequence[Row]) -> str:
    """Deviation of each item in per cent of its maximum, with the band where nineteen of twenty honest schools lie.

    Args:
        items: rows of `mart_objectivity__item` of one group.
    """
    with _plot(f"Профиль заданий: сверх ожидаемого при тех же баллах, % максимума · n = {items[0]['n']}") as (
        axes,
        out,
    ):
        places = range(len(items))
        band = [100 * _NINETEEN_OF_TWENTY * float(i["usual_deviation"]) / (i["n"] * i["max_score"]) for i in items]
        axes.bar(places, [2 * width for width in band], bottom=[-width for width in band], color=REGION, alpha=0.35)
        colours = [ALARM if i["is_notable"] else SCHOOL for i in items]
        axes.bar(places, [float(i["deviation_share"]) for i in items], width=0.45, color=colours)
        axes.use_sticky_edges = False
        axes.axhline(0, color="black", linewidth=0.6)
        axes.set_xticks(places, [i["item_label"] or str(i["item_no"]) for i in items], rotation=60)
    return out[0]


def score_histogram(scores: Sequence[Row], region: Sequence[Row], boundaries: Iterable[int]) -> str:
    """Shares of primary scores in the school (bars) and in the region (steps), least scores of marks as lines.

    Args:
        scores: rows of `mart_objectivity__score` of one group.
        region: primary_score, region_participants and region_n of every score of the work.
    """
    with _plot(f"Первичные баллы, % участников · n = {scores[0]['n']}, регион {region[0]['region_n']}") as (axes, out):
        axes.bar([s["primary_score"] for s in scores], [100 * s["participants"] / s["n"] for s in scores], color=SCHOOL)
        shares = [100 * r["region_participants"] / r["region_n"] for r in region]
        axes.step([r["primary_score"] for r in region], shares, where="mid", color="black", linewidth=1)
        axes.xaxis.set_major_locator(mpl.ticker.MaxNLocator(integer=True))
        # Room above the bars for the marks' names.
        axes.set_ylim(top=1.15 * axes.get_ylim()[1])
        for boundary, mark in zip(sorted(boundaries), (3, 4, 5), strict=False):
            axes.axvline(boundary - 0.5, color=REGION, linestyle="--", linewidth=0.8)
            axes.text(boundary, axes.get_ylim()[1], f"«{mark}»", va="top", color="#52606d")
        axes.set_xlabel("баллы организации — столбцы, региона — линия")
    return out[0]


def mark_agreement(pairs: Sequence[Row]) -> str:
    """Matrix «journal mark × mark of the work»: participants of the school, share of the region below.

    Args:
        pairs: rows of `mart_objectivity__mark_pair` of one group.
    """
    with _plot(f"Отметки · n = {pairs[0]['n']}", height=2.6, width=3.4) as (axes, out):
        cells = {(p["journal_mark"], p["mark"]): p for p in pairs}
        top = max(p["participants"] for p in pairs)
        for (journal, mark), pair in cells.items():
            axes.add_patch(
                mpl.patches.Rectangle((mark - 0.5, journal - 0.5), 1, 1, color=SCHOOL, alpha=pair["participants"] / top)
            )
            region = 100 * pair["region_participants"] / pair["region_n"]
            axes.text(mark, journal, f"{pair['participants']}\n({region:.0f} %)", ha="center", va="center", fontsize=8)
        axes.set(xlim=(1.5, 5.5), ylim=(1.5, 5.5), xticks=range(2, 6), yticks=range(2, 6))
        axes.set_xlabel("за работу (в скобках — доля в регионе)")
        axes.set_ylabel("в журнале")
    return out[0]


def funnel(groups: Sequence[Row], here: str) -> str:
    """Mean standardised score of every school against its size, with the limits of chance alone.

    Args:
        groups: organisation_code, n and mean_score_z of all groups of the work.
        here: the school that stands out of the cloud.
    """
    with _plot("Средний результат школ региона", width=3.6, height=2.6) as (axes, out):
        axes.scatter([g["n"] for g in groups], [float(g["mean_score_z"]) for g in groups], s=4, color=REGION)
        sizes = sorted({g["n"] for g in groups})
        for side in (-_NINETEEN_OF_TWENTY, _NINETEEN_OF_TWENTY):
            axes.plot(sizes, [side / n**0.5 for n in sizes], color="black", linewidth=0.6)
        mine = [g for g in groups if g["organisation_code"] == here]
        axes.scatter([g["n"] for g in mine], [float(g["mean_score_z"]) for g in mine], s=36, color=ALARM)
        axes.set_xscale("log")
        axes.set_xticks([5, 20, 50, 200], ["5", "20", "50", "200"])
        axes.minorticks_off()
        axes.set_xlabel("участников; крупная точка — здесь")
        axes.set_ylabel("от среднего региона, SD")
    return out[0]


@contextmanager
def _plot(title: str, width: float = 7.2, height: float = 2.2) -> Iterator[tuple[Axes, list[str]]]:
    out: list[str] = []
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        axes = figure.subplots()
        axes.set_title(title)
        yield axes, out
        text = StringIO()
        figure.savefig(text, format="svg", metadata={"Date": None})
    svg = text.getvalue()
    out.append(re.sub(r"^.*?(?=<svg )", "", svg, flags=re.DOTALL))
