with
    counted as (
        select
            groups.region_code,
            groups.test_id,
            groups.group_no,
            groups.n,
            test.excess_cap_sd,
            test.excess_cap_add,
            sum(pair_count.pairs) as pairs,
            sum(pair_count.similar_pairs) as k,
            round(sum(pair_count.pairs * rate.rate), 9) as lambda
        from {{ ref("int_sign__group") }} as groups
        inner join {{ ref("int_sign__test") }} as test using (region_code, test_id)
        inner join {{ ref("int_sign__pair_count") }} as pair_count using (region_code, test_id, group_no)
        inner join {{ ref("int_sign__pair_rate") }} as rate using (region_code, test_id, score_tenth)
        where groups.n >= test.n_min
        group by groups.region_code, groups.test_id, groups.group_no, groups.n, test.excess_cap_sd, test.excess_cap_add
    ),

    work as (
        select
            region_code,
            test_id,
            round({{ over_dispersion("k", "lambda", "excess_cap_sd", "excess_cap_add") }}, 9) as phi
        from counted
        group by region_code, test_id
    ),

    judged as (
        select
            counted.region_code,
            counted.test_id,
            counted.group_no,
            counted.n,
            counted.pairs::bigint as pairs,
            counted.k::integer as k,
            counted.lambda,
            work.phi
        from counted
        inner join work using (region_code, test_id)
    )

select
    region_code,
    test_id,
    group_no,
    n,
    pairs,
    k,
    lambda,
    phi,
    mid_p::numeric as mid_p,
    round(({{ normal_quantile("greatest(mid_p, 1e-15)") }})::numeric, 6) as z
from ({{ negative_binomial_mid_p("judged", "region_code, test_id, group_no") }}) as tail
