# ruff: noqa: E501 — lines of SVG
"""Draws `markers.svg` from a warehouse with the sample region: `python docs/images/markers.py` after `make demo`."""

from __future__ import annotations

from pathlib import Path

import psycopg

from rsoko.base.settings import Settings
from rsoko.ops import postgres

WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 900, 420, 64, 64, 24, 52
QUERY = """
select marker.n, marker.value, marker.lower_bound, marker.upper_bound, marker.region_upper_bound, marker.is_marked,
    coalesce(others.markers, 0)
from mart.mart_objectivity__marker as marker
left join (
    select region_code, year, organisation_code, count(*) as markers
    from mart.mart_objectivity__marker
    where is_marked and marker_code not like 'inflated%'
    group by 1, 2, 3
) as others using (region_code, year, organisation_code)
where marker_code = 'inflated_mean_vpr_ru4' and year = 2024
order by marker.n, organisation_code
"""


def main() -> None:
    with psycopg.connect(postgres.ensure(Settings.from_env())) as connection:
        rows = [tuple(float(cell or 0) for cell in row) for row in connection.execute(QUERY)]
    top = max(row[3] for row in rows if row[3] < 40)
    low = min(row[2] for row in rows if row[2] > 0)
    widest = max(row[0] for row in rows)

    def x(n: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (n / widest) ** 0.5

    def y(score: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (top - min(max(score, low), top)) / (top - low)

    marks = []
    for n, mean, lower, upper, _, marked, others in rows:
        colour = "#b43c3c" if others else "#c77d0a" if marked else "#8fa3b8"
        marks.append(f'<path d="M{x(n):.1f} {y(lower):.1f}V{y(upper):.1f}" stroke="{colour}" stroke-opacity=".45"/>')
        marks.append(f'<circle cx="{x(n):.1f}" cy="{y(mean):.1f}" r="3.6" fill="{colour}"/>')
    bound = y(rows[0][4])
    ticks = "".join(
        f'<text x="{x(n):.0f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{n}</text>'
        for n in (5, 20, 50, 100, 150)
        if n <= widest
    ) + "".join(
        f'<text x="{LEFT - 10}" y="{y(s) + 4:.0f}" text-anchor="end">{s}</text>'
        for s in range(8, 38, 4)
        if low <= s <= top
    )
    Path(__file__).with_name("markers.svg").write_text(
        f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="Segoe UI, Helvetica, Arial, sans-serif" font-size="12" fill="#4c5b6b">
<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>
<text x="{LEFT}" y="26" font-size="16" font-weight="600" fill="#1d2b3a">ВПР, русский язык, 4 класс, 2024: средний балл школы и его 95 % интервал</text>
<text x="{LEFT}" y="46"><tspan fill="#c77d0a">● завышенный средний балл</tspan>   <tspan fill="#b43c3c">● есть и другие признаки: отметки наоборот, резкое изменение</tspan>   <tspan fill="#8fa3b8">● признаков нет</tspan></text>
<path d="M{LEFT} {bound:.1f}H{WIDTH - RIGHT}" stroke="#2e7d4f" stroke-dasharray="5 4"/><text x="{LEFT + 330}" y="{bound - 5:.1f}" fill="#2e7d4f">верхняя граница интервала региона</text>
{"".join(marks)}
<path d="M{LEFT} {TOP}V{HEIGHT - BOTTOM}H{WIDTH - RIGHT}" stroke="#6a7888" fill="none"/>{ticks}
<text x="{(WIDTH + LEFT) / 2}" y="{HEIGHT - 10}" text-anchor="middle">участников в школе</text>
</svg>
""",
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
