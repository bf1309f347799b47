{#- Without the hint: more than 280 s instead of 1.3. -#}
{{ config(pre_hook="{{ hash_joins() }}") }}

with
    score as (
        select
            region_code,
            test_id,
            group_no,
            journal_mark,
            sum(participants) as participants,
            sum(participants * primary_score) as sum_score,
            sum(participants * primary_score * primary_score) as sum_score_squared
        from {{ ref("int_sign__score_count") }}
        where participation = 'present' and primary_score is not null and journal_mark is not null
        group by region_code, test_id, group_no, journal_mark
    ),

    expected as (
        select
            region_code,
            test_id,
            journal_mark,
            sum(sum_score) / sum(participants) as mean,
            sum(sum_score_squared) / sum(participants)
            - (sum(sum_score) / sum(participants)) * (sum(sum_score) / sum(participants)) as variance
        from score
        group by region_code, test_id, journal_mark
    ),

    gap as (
        select
            score.region_code,
            score.test_id,
            score.group_no,
            sum(score.participants) as n,
            round(
                sum(score.sum_score - score.participants * expected.mean) / sum(score.participants) / test.sd_score, 9
            ) as r,
            round(
                sum(score.participants * expected.variance)
                / (sum(score.participants) * sum(score.participants))
                / (test.sd_score * test.sd_score),
                9
            ) as v
        from score
        inner join expected using (region_code, test_id, journal_mark)
        inner join {{ ref("int_sign__test") }} as test using (region_code, test_id)
        where test.sd_score > 0
        group by score.region_code, score.test_id, score.group_no, test.sd_score, test.n_min
        having sum(score.participants) >= test.n_min
    )

select region_code, test_id, group_no, n::integer as n, r, v, resid, z
from ({{ residual_on_context("gap") }}) as judged
