select
    counted.region_code,
    counted.test_id,
    groups.level_band,
    counted.journal_mark,
    sum(counted.participants)::integer as participants,
    coalesce(sum(counted.participants) filter (where counted.mark = counted.journal_mark), 0)::integer as agreed,
    round(
        least(
            greatest(
                coalesce(sum(counted.participants) filter (where counted.mark = counted.journal_mark), 0)::numeric
                / sum(counted.participants),
                test.share_min
            ),
            test.share_max
        ),
        9
    ) as share
from {{ ref("int_sign__score_count") }} as counted
inner join {{ ref("int_sign__group") }} as groups using (region_code, test_id, group_no)
inner join {{ ref("int_sign__test") }} as test using (region_code, test_id)
where counted.participation = 'present' and counted.mark is not null and counted.journal_mark is not null
group by counted.region_code, counted.test_id, groups.level_band, counted.journal_mark, test.share_min, test.share_max
