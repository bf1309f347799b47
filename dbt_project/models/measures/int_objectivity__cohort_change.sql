{#- Without the hint: 6.4 s instead of 0.1. -#}
{{ config(pre_hook="{{ hash_joins() }}") }}

with
    completion as (
        select
            region_code,
            procedure_code,
            year,
            grade,
            subject_code,
            organisation_code,
            scored_with_max,
            sum_completion / scored_with_max as share
        from {{ ref("int_result__work_stat") }}
        where scored_with_max > 0
    ),

    change as (
        select
            later.region_code,
            later.year,
            later.organisation_code,
            marker.marker_code,
            marker.marker_kind,
            marker.iqr_multiplier,
            marker.lower_quantile,
            marker.upper_quantile,
            later.scored_with_max as n,
            -- Rounded, because the quartiles below are binary fractions and must not differ from an equal K in the
            -- last digit.
            round(earlier.share / nullif(later.share, 0), 9) as value
        from completion as later
        inner join
            completion as earlier
            on later.region_code = earlier.region_code
            and later.organisation_code = earlier.organisation_code
            and later.procedure_code = earlier.procedure_code
            and later.subject_code = earlier.subject_code
            and later.grade = earlier.grade + 1
            and later.year = earlier.year + 1
        inner join
            {{ ref("objectivity_marker") }} as marker
            on marker.marker_kind in ('sharp_rise', 'sharp_fall')
            and later.procedure_code = marker.procedure_code
            and later.grade = marker.grade
            and later.subject_code = marker.subject_code
            and {{ valid_in("marker", "later.year") }}
    ),

    quartile as (
        select
            region_code,
            year,
            marker_code,
            iqr_multiplier,
            (percentile_cont(lower_quantile) within group (order by value))::numeric as lower_quartile,
            (percentile_cont(upper_quantile) within group (order by value))::numeric as upper_quartile
        from change
        group by region_code, year, marker_code, iqr_multiplier, lower_quantile, upper_quantile
    ),

    critical as (
        select
            region_code,
            year,
            marker_code,
            lower_quartile - iqr_multiplier * (upper_quartile - lower_quartile) as lower_bound,
            upper_quartile + iqr_multiplier * (upper_quartile - lower_quartile) as upper_bound
        from quartile
    )

select
    change.region_code,
    change.year,
    change.organisation_code,
    change.marker_code,
    change.n,
    round(change.value, 6) as value,
    round(critical.lower_bound, 6) as lower_bound,
    round(critical.upper_bound, 6) as upper_bound,
    round(critical.lower_bound, 6) as region_lower_bound,
    round(critical.upper_bound, 6) as region_upper_bound,
    coalesce(
        case
            change.marker_kind
            -- K is earlier over later: it falls when results rise.
            when 'sharp_rise'
            then change.value < critical.lower_bound
            else change.value > critical.upper_bound
        end,
        false
    ) as is_marked
from change
inner join
    critical
    on change.region_code = critical.region_code
    and change.year = critical.year
    and change.marker_code = critical.marker_code
