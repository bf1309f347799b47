with
    school as (
        select
            absence.*,
            test.attend_share_min,
            test.attend_schools_min,
            absence.absent <= test.attend_small_share * absence.enrolled as is_small
        from {{ ref("int_sign__absence") }} as absence
        inner join {{ ref("int_sign__test") }} as test using (region_code, test_id)
    )

select
    region_code,
    test_id,
    greatest(
        (percentile_cont(0.5) within group (order by absent::numeric / enrolled))::numeric, min(attend_share_min)
    ) as absent_share,
    -- A gap known from a handful of schools would accuse by their slips.
    case
        when count(*) filter (where marked_absent > 0 and is_small) >= min(attend_schools_min)
        then
            sum(marked_absent * mean_mark - sum_mark_absent) filter (where is_small)
            / sum(marked_absent) filter (where is_small)
    end as mark_gap
from school
group by region_code, test_id
