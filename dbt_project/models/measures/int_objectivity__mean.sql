with
    marked as (
        select
            stat.region_code,
            stat.year,
            stat.organisation_code,
            marker.marker_code,
            marker.z,
            stat.scored as n,
            stat.sum_score::numeric as sum_score,
            stat.sum_score_squared::numeric as sum_score_squared
        from {{ ref("int_result__work_stat") }} as stat
        inner join
            {{ ref("objectivity_marker") }} as marker
            on marker.marker_kind = 'inflated_mean'
            and stat.procedure_code = marker.procedure_code
            and stat.grade = marker.grade
            and stat.subject_code = marker.subject_code
            and {{ valid_in("marker", "stat.year") }}
        where stat.scored > 0
    ),

    regional as (
        select
            region_code,
            year,
            marker_code,
            sum(n) as n,
            sum(sum_score) as sum_score,
            sum(sum_score_squared) as sum_score_squared,
            min(z) as z
        from marked
        group by region_code, year, marker_code
    ),

    regional_interval as (
        select
            region_code,
            year,
            marker_code,
            sum_score / n as mean,
            z * {{ standard_error("n", "sum_score", "sum_score_squared") }} as half_width
        from regional
    ),

    interval as (
        select
            region_code,
            year,
            organisation_code,
            marker_code,
            n,
            sum_score / n as mean,
            z * {{ standard_error("n", "sum_score", "sum_score_squared") }} as half_width
        from marked
    )

select
    interval.region_code,
    interval.year,
    interval.organisation_code,
    interval.marker_code,
    interval.n,
    round(interval.mean, 6) as value,
    round(interval.mean - interval.half_width, 6) as lower_bound,
    round(interval.mean + interval.half_width, 6) as upper_bound,
    round(regional.mean - regional.half_width, 6) as region_lower_bound,
    round(regional.mean + regional.half_width, 6) as region_upper_bound,
    coalesce(interval.mean - interval.half_width > regional.mean + regional.half_width, false) as is_marked
from interval
inner join
    regional_interval as regional
    on interval.region_code = regional.region_code
    and interval.year = regional.year
    and interval.marker_code = regional.marker_code
