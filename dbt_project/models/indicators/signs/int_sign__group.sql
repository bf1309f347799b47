{{
    config(
        indexes=[{"columns": ["region_code", "test_id", "group_no"], "unique": true}],
        post_hook="analyze {{ this }}",
    )
}}

with
    counted as (
        select
            test.region_code,
            test.test_id,
            test.year,
            slice.organisation_code,
            coalesce(sum(counted.participants) filter (where counted.primary_score is not null), 0)::integer as n,
            coalesce(sum(counted.participants) filter (where counted.participation = 'absent'), 0)::integer as absent,
            sum(counted.participants * counted.primary_score) as sum_score,
            sum(counted.participants * counted.primary_score * counted.primary_score) as sum_score_squared
        from {{ ref("int_vpr__score_count") }} as counted
        inner join {{ ref("int_sign__slice") }} as slice using (region_code, slice_id, load_id)
        inner join
            {{ ref("int_sign__test") }} as test
            on slice.region_code = test.region_code
            and slice.year = test.year
            and slice.grade = test.grade
            and slice.subject_code = test.subject_code
        where
            counted.participation = 'absent'
            or (counted.participation = 'present' and counted.primary_score is not null)
        group by test.region_code, test.test_id, test.year, slice.organisation_code
    )

select
    counted.region_code,
    counted.test_id,
    row_number() over (partition by counted.region_code, counted.test_id order by counted.organisation_code)::integer
    as group_no,
    counted.organisation_code,
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
                order by counted.sum_score::numeric / nullif(counted.n, 0), counted.organisation_code
            )
    end::smallint as level_band,
    coalesce(context.context_group, 'unknown') as context_group,
    context.social_index
from counted
left join {{ ref("dim_school_context") }} as context using (region_code, organisation_code, year)
