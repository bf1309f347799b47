{#- Without the hint: more than 45 s instead of 1.5. -#}
{{ config(pre_hook="{{ hash_joins() }}") }}

with
    gap as (
        select
            counted.region_code,
            counted.test_id,
            counted.group_no,
            sum(counted.participants) as n,
            round(
                sum(counted.participants * (counted.expert_points - curve.expected_points)) / sum(counted.participants),
                9
            ) as r,
            round(
                sum(counted.participants * curve.points_variance)
                / (sum(counted.participants) * sum(counted.participants)),
                9
            ) as v,
            round(
                sum(counted.participants * counted.short_points)::numeric / sum(counted.participants), 9
            ) as mean_short
        from {{ ref("int_sign__expert_count") }} as counted
        inner join {{ ref("int_sign__expert_curve") }} as curve using (region_code, test_id, variant, short_points)
        inner join {{ ref("int_sign__test") }} as test using (region_code, test_id)
        group by counted.region_code, counted.test_id, counted.group_no, test.n_min
        having sum(counted.participants) >= test.n_min
    )

select region_code, test_id, group_no, n::integer as n, r, v, resid, z
from ({{ residual_on_context("gap", covariate="given.mean_short") }}) as judged
