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
    ),

    enrolled as (
        select
            groups.region_code,
            groups.test_id,
            groups.group_no,
            groups.absent,
            groups.enrolled,
            test.attend_share_min,
            test.attend_small_share,
            test.attend_schools_min,
            test.attend_z_max,
            test.attend_noise,
            test.excess_cap_sd,
            test.excess_cap_add,
            journal.marked_absent,
            journal.sum_mark_absent,
            journal.sum_mark / journal.marked as mean_mark,
            journal.sum_mark_squared / journal.marked
            - (journal.sum_mark / journal.marked) * (journal.sum_mark / journal.marked) as mark_variance,
            journal.marked_absent * (journal.marked - journal.marked_absent) / nullif(journal.marked - 1, 0) as drawn
        from {{ ref("int_sign__group") }} as groups
        inner join {{ ref("int_sign__test") }} as test using (region_code, test_id)
        left join journal using (region_code, test_id, group_no)
        where groups.n >= test.n_min
    ),

    usual as (
        select
            region_code,
            test_id,
            greatest(
                (percentile_cont(0.5) within group (order by absent::numeric / enrolled))::numeric,
                min(attend_share_min)
            ) as share,
            -- A gap known from a handful of schools would accuse by their slips.
            case
                when
                    count(*) filter (where marked_absent > 0 and absent <= attend_small_share * enrolled)
                    >= min(attend_schools_min)
                then
                    sum(marked_absent * mean_mark - sum_mark_absent) filter (
                        where absent <= attend_small_share * enrolled
                    )
                    / sum(marked_absent) filter (where absent <= attend_small_share * enrolled)
            end as mark_gap
        from enrolled
        group by region_code, test_id
    ),

    expected as (
        select
            enrolled.*,
            enrolled.absent as k,
            round(enrolled.enrolled * usual.share, 9) as lambda,
            usual.mark_gap as mark_gap_usual,
            round(
                (
                    enrolled.marked_absent * enrolled.mean_mark
                    - enrolled.sum_mark_absent
                    - enrolled.marked_absent * usual.mark_gap
                )
                / sqrt(enrolled.mark_variance * nullif(enrolled.drawn, 0) + enrolled.attend_noise),
                6
            ) as mark_z
        from enrolled
        inner join usual using (region_code, test_id)
    ),

    work as (
        select
            region_code,
            test_id,
            round({{ over_dispersion("k", "lambda", "excess_cap_sd", "excess_cap_add") }}, 9) as phi
        from expected
        group by region_code, test_id
    ),

    judged as (select expected.*, work.phi from expected inner join work using (region_code, test_id)),

    counted as (
        select *, least(round(({{ normal_quantile("greatest(mid_p, 1e-15)") }})::numeric, 6), attend_z_max) as count_z
        from ({{ negative_binomial_mid_p("judged", "region_code, test_id, group_no") }}) as tail
    )

select
    region_code,
    test_id,
    group_no,
    enrolled as n,
    absent,
    enrolled,
    round(lambda, 6) as expected_absent,
    phi,
    count_z,
    marked_absent::integer as marked_absent,
    round(mean_mark - sum_mark_absent::numeric / nullif(marked_absent, 0), 6) as mark_gap,
    mark_z,
    -- Participation alone is not a sign, in one work or in thirty: without the marks of those absent there is no z.
    case
        when mark_z is not null or (mark_gap_usual is not null and absent = 0)
        then round((count_z + coalesce(mark_z, 0)) / sqrt(2::numeric), 6)
    end as z
from counted
