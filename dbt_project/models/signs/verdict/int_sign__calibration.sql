{%- set family = "region_code, procedure_code, unit_kind, year" -%}
with
    judged as (
        select
            detector.region_code,
            test.procedure_code,
            test.unit_kind,
            test.year,
            detector.detector_code,
            groups.size_band,
            groups.n,
            detector.z
        from {{ ref("int_sign__detector") }} as detector
        inner join {{ ref("int_sign__group") }} as groups using (region_code, test_id, group_no)
        inner join {{ ref("int_sign__test") }} as test using (region_code, test_id)
        where detector.detector_code not in ('sim_dup', 'sim_pairs', 'attend')
    ),

    stat as (
        select
            {{ family }},
            detector_code,
            size_band,
            count(*)::integer as groups,
            avg(n) as mean_n,
            (percentile_cont(0.5) within group (order by z))::numeric as median,
            (percentile_cont(0.84) within group (order by z))::numeric as upper,
            (percentile_cont(0.16) within group (order by z))::numeric as lower
        from judged
        group by grouping sets (({{ family }}, detector_code, size_band), ({{ family }}, detector_code))
    ),

    usable as (
        select
            *, groups >= {{ parameter("objectivity", "calibration_groups_min", "year") }} and upper > lower as is_usable
        from stat
    )

select
    band.region_code,
    band.procedure_code,
    band.unit_kind,
    band.year,
    band.detector_code,
    band.size_band,
    band.groups,
    band.is_usable as is_own_null,
    round(
        case when band.is_usable then band.median when year_wide.is_usable then year_wide.median else 0 end, 6
    ) as median,
    round(
        case
            when band.is_usable
            then (band.upper - band.lower) / 2
            when year_wide.is_usable
            then
                (year_wide.upper - year_wide.lower)
                / 2
                -- misfit is a plain mean: among few participants it scatters the more.
                * case
                    when band.detector_code = 'misfit' then sqrt(greatest(year_wide.mean_n / band.mean_n, 1)) else 1
                end
            else 1
        end,
        6
    ) as half_width
from usable as band
inner join
    usable as year_wide
    on band.region_code = year_wide.region_code
    and band.procedure_code = year_wide.procedure_code
    and band.unit_kind = year_wide.unit_kind
    and band.year = year_wide.year
    and band.detector_code = year_wide.detector_code
    and year_wide.size_band is null
where band.size_band is not null
