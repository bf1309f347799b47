with
    judged as (
        select
            absence.*,
            counted.expected_absent,
            counted.phi,
            counted.count_z,
            usual.mark_gap as usual_mark_gap,
            test.attend_noise,
            -- Variance of how many of the marked would be absent by chance.
            absence.marked_absent
            * (absence.marked - absence.marked_absent)
            / nullif(absence.marked - 1, 0)::numeric as drawn
        from {{ ref("int_sign__absence") }} as absence
        inner join {{ ref("int_sign__absence_count") }} as counted using (region_code, test_id, group_no)
        inner join {{ ref("int_sign__usual_absence") }} as usual using (region_code, test_id)
        inner join {{ ref("int_sign__test") }} as test using (region_code, test_id)
    ),

    marked as (
        select
            *,
            round(
                (marked_absent * mean_mark - sum_mark_absent - marked_absent * usual_mark_gap)
                / sqrt(mark_variance * nullif(drawn, 0) + attend_noise),
                6
            ) as mark_z
        from judged
    )

select
    region_code,
    test_id,
    group_no,
    enrolled as n,
    absent,
    enrolled,
    round(expected_absent, 6) as expected_absent,
    phi,
    count_z,
    marked_absent,
    round(mean_mark - sum_mark_absent::numeric / nullif(marked_absent, 0), 6) as mark_gap,
    mark_z,
    -- Participation alone is not a sign, in one work or in thirty: without the marks of those absent there is no z.
    case
        when mark_z is not null or (usual_mark_gap is not null and absent = 0)
        then round((count_z + coalesce(mark_z, 0)) / sqrt(2::numeric), 6)
    end as z
from marked
