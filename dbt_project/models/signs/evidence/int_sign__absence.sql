{{
    config(
        indexes=[{"columns": ["region_code", "test_id", "group_no"], "unique": true}],
    )
}}

with
    journal as (
        select
            region_code,
            test_id,
            group_no,
            sum(participants)::numeric as marked,
            sum(participants * journal_mark) as sum_mark,
            sum(participants * journal_mark * journal_mark) as sum_mark_squared,
            coalesce(sum(participants) filter (where participation = 'absent'), 0) as marked_absent,
            coalesce(sum(participants * journal_mark) filter (where participation = 'absent'), 0) as sum_mark_absent
        from {{ ref("int_sign__score_count") }}
        where
            journal_mark is not null
            and (participation = 'absent' or (participation = 'present' and primary_score is not null))
        group by region_code, test_id, group_no
    )

select
    groups.region_code,
    groups.test_id,
    groups.group_no,
    groups.absent,
    groups.enrolled,
    journal.marked::integer as marked,
    journal.marked_absent::integer as marked_absent,
    journal.sum_mark_absent::integer as sum_mark_absent,
    journal.sum_mark / journal.marked as mean_mark,
    journal.sum_mark_squared / journal.marked
    - (journal.sum_mark / journal.marked) * (journal.sum_mark / journal.marked) as mark_variance
from {{ ref("int_sign__group") }} as groups
inner join {{ ref("int_sign__test") }} as test using (region_code, test_id)
left join journal using (region_code, test_id, group_no)
where groups.n >= test.n_min
