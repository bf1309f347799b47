with
    judged as (select * from {{ ref("mart_objectivity__sign") }} where flag <> 'insufficient'),

    counted as (
        select
            region_code,
            year,
            is_observed,
            max(year) as last_year,
            count(*)::integer as n,
            count(*) filter (where flag = 'red')::integer as red,
            count(*) filter (where flag = 'amber')::integer as amber
        from judged
        group by grouping sets ((region_code, is_observed, year), (region_code, is_observed))
    ),

    bounded as (select *, {{ parameter("control", "interval_z", "last_year") }} as z from counted)

select
    region_code,
    year,
    is_observed,
    n,
    {%- for flag in ("red", "amber") %}
        {{ flag }},
        round(100.0 * {{ flag }} / n, 6)::numeric(18, 6) as {{ flag }}_share,
        round(100 * {{ wilson_bound("-", flag, "n", "z") }}, 6)::numeric(18, 6) as {{ flag }}_lower_bound,
        round(100 * {{ wilson_bound("+", flag, "n", "z") }}, 6)::numeric(
            18, 6
        ) as {{ flag }}_upper_bound {{- "," if not loop.last }}
    {%- endfor %}
from bounded
