with
    class_pairs as (
        select
            string_class.region_code,
            string_class.test_id,
            string_class.group_no,
            sum(string_class.equal_pairs) as k,
            sum(string_class.pairs * rate.rate) as lambda
        from {{ ref("int_sign__string_class") }} as string_class
        inner join {{ ref("int_sign__string_rate") }} as rate using (region_code, test_id, variant, total)
        inner join {{ ref("int_sign__test") }} as test using (region_code, test_id)
        where string_class.total <= test.full_score_share * test.max_score
        group by string_class.region_code, string_class.test_id, string_class.group_no
    ),

    counted as (
        select
            groups.region_code,
            groups.test_id,
            groups.group_no,
            groups.n,
            test.excess_cap_sd,
            test.excess_cap_add,
            test.pair_class_share,
            coalesce(class_pairs.k, 0) as k,
            round(coalesce(class_pairs.lambda, 0), 9) as lambda
        from {{ ref("int_sign__group") }} as groups
        inner join {{ ref("int_sign__test") }} as test using (region_code, test_id)
        left join class_pairs using (region_code, test_id, group_no)
        where groups.n >= test.n_min
    ),

    -- Deskmates copy everywhere to some extent: what the region's classes have in common is nobody's sign.
    ranked as (
        select
            *,
            percent_rank() over (
                partition by region_code, test_id order by (k - lambda) / sqrt(lambda + 1), group_no
            ) as similarity_rank
        from counted
    ),

    common as (
        select
            region_code,
            test_id,
            round(
                greatest(
                    coalesce(
                        sum(k) filter (where similarity_rank <= 1 - pair_class_share)
                        / nullif(sum(lambda) filter (where similarity_rank <= 1 - pair_class_share), 0),
                        1
                    ),
                    1
                ),
                6
            ) as class_ratio
        from ranked
        group by region_code, test_id
    ),

    expected as (
        select
            counted.region_code,
            counted.test_id,
            counted.group_no,
            counted.n,
            counted.excess_cap_sd,
            counted.excess_cap_add,
            counted.k,
            common.class_ratio,
            round(counted.lambda * common.class_ratio, 9) as lambda
        from counted
        inner join common using (region_code, test_id)
    ),

    work as (
        select
            region_code,
            test_id,
            round({{ over_dispersion("k", "lambda", "excess_cap_sd", "excess_cap_add") }}, 9) as phi
        from expected
        group by region_code, test_id
    ),

    judged as (
        select
            expected.region_code,
            expected.test_id,
            expected.group_no,
            expected.n,
            expected.k::integer as k,
            expected.lambda,
            expected.class_ratio,
            work.phi
        from expected
        inner join work using (region_code, test_id)
    )

select
    region_code,
    test_id,
    group_no,
    n,
    k,
    lambda,
    class_ratio,
    phi,
    mid_p::numeric as mid_p,
    round(({{ normal_quantile("greatest(mid_p, 1e-15)") }})::numeric, 6) as z
from ({{ negative_binomial_mid_p("judged", "region_code, test_id, group_no") }}) as tail
