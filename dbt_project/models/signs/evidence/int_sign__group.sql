{{
    config(
        indexes=[{"columns": ["region_code", "test_id", "group_no"], "unique": true}],
    )
}}

with
    counted as (
        select
            region_code,
            test_id,
            group_no,
            coalesce(sum(participants) filter (where primary_score is not null), 0)::integer as n,
            coalesce(sum(participants) filter (where participation = 'absent'), 0)::integer as absent,
            sum(participants * primary_score) as sum_score,
            sum(participants * primary_score * primary_score) as sum_score_squared
        from {{ ref("int_sign__score_count") }}
        where participation = 'absent' or (participation = 'present' and primary_score is not null)
        group by region_code, test_id, group_no
    ),

    -- One row of many slices.
    unit as (
        select distinct region_code, test_id, group_no, organisation_code, exam_date, station_code, room_code
        from {{ ref("int_sign__seat") }}
    )

select
    counted.region_code,
    counted.test_id,
    counted.group_no,
    unit.organisation_code,
    unit.exam_date,
    unit.station_code,
    unit.room_code,
    counted.n,
    counted.absent,
    counted.n + counted.absent as enrolled,
    counted.sum_score,
    counted.sum_score_squared,
    case
        when counted.n > 0
        then
            ntile(5) over (
                partition by counted.region_code, counted.test_id, counted.n > 0
                order by counted.sum_score::numeric / nullif(counted.n, 0), counted.group_no
            )
    end::smallint as level_band,
    band.min_participants as size_band,
    coalesce(context.context_group, 'unknown') as context_group,
    context.social_index
from counted
inner join unit using (region_code, test_id, group_no)
inner join {{ ref("int_sign__test") }} as test using (region_code, test_id)
left join
    {{ ref("dim_school_context") }} as context
    on unit.region_code = context.region_code
    and unit.organisation_code = context.organisation_code
    and test.year = context.year
left join
    {{ ref("objectivity_size_band") }} as band
    on counted.n between band.min_participants and band.max_participants
    and {{ valid_in("band", "test.year") }}
