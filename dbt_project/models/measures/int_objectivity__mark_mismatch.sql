{%- set grain = "region_code, year, marker_code, organisation_code" -%}
with
    score_count as (
        select
            counted.region_code,
            counted.year,
            codes.organisation_code,
            marker.marker_code,
            counted.journal_mark,
            counted.primary_score,
            sum(counted.participants) as participants
        from {{ ref("int_result__score_count") }} as counted
        inner join
            {{ ref("objectivity_marker") }} as marker
            on marker.marker_kind = 'mark_mismatch'
            and counted.procedure_code = marker.procedure_code
            and counted.grade = marker.grade
            and counted.subject_code = marker.subject_code
            and {{ valid_in("marker", "counted.year") }}
        inner join {{ ref("dim_organisation_code") }} as codes on {{ organisation_of("counted", "codes") }}
        where
            counted.participation = 'present' and counted.primary_score is not null and counted.journal_mark is not null
        group by
            counted.region_code,
            counted.year,
            codes.organisation_code,
            marker.marker_code,
            counted.journal_mark,
            counted.primary_score
    ),

    -- Twice the average rank of a tied value: twice those not above it, less its own number, plus one. Integers.
    ranked as (
        select
            {{ grain }},
            participants,
            2 * sum(participants) over (partition by {{ grain }} order by journal_mark)
            - sum(participants) over (partition by {{ grain }}, journal_mark)
            + 1 as mark_rank,
            2 * sum(participants) over (partition by {{ grain }} order by primary_score)
            - sum(participants) over (partition by {{ grain }}, primary_score)
            + 1 as score_rank
        from score_count
    ),

    summed as (
        select
            {{ grain }},
            sum(participants) as n,
            sum(participants * mark_rank) as sum_mark,
            sum(participants * score_rank) as sum_score,
            sum(participants * mark_rank * mark_rank) as sum_mark_squared,
            sum(participants * score_rank * score_rank) as sum_score_squared,
            sum(participants * mark_rank * score_rank) as sum_product
        from ranked
        group by {{ grain }}
    ),

    correlated as (
        select
            {{ grain }},
            n,
            (n * sum_product - sum_mark * sum_score) / sqrt(
                nullif(
                    (n * sum_mark_squared - sum_mark * sum_mark) * (n * sum_score_squared - sum_score * sum_score), 0
                )
            ) as value
        from summed
    )

select
    region_code,
    year,
    organisation_code,
    marker_code,
    n::integer as n,
    round(value, 6) as value,
    null::numeric as lower_bound,
    null::numeric as upper_bound,
    null::numeric as region_lower_bound,
    null::numeric as region_upper_bound,
    coalesce(value < 0, false) as is_marked
from correlated
