{#- Without the hint: 3.5 s instead of 1.2. -#}
{{ config(pre_hook="{{ hash_joins() }}") }}

with
    summed as (
        select
            deviation.region_code,
            deviation.test_id,
            deviation.group_no,
            groups.n,
            count(*) - 1 as df,
            sum(
                deviation.deviation
                * deviation.deviation
                / (deviation.variance + spread.omega * deviation.variance * deviation.variance)
            ) as chi_squared
        from {{ ref("int_sign__item_deviation") }} as deviation
        inner join {{ ref("int_sign__item_spread") }} as spread using (region_code, test_id, item_no)
        inner join {{ ref("int_sign__group") }} as groups using (region_code, test_id, group_no)
        inner join {{ ref("int_sign__test") }} as test using (region_code, test_id)
        where groups.n >= test.n_min and deviation.variance > 0
        group by deviation.region_code, deviation.test_id, deviation.group_no, groups.n
    )

select
    region_code,
    test_id,
    group_no,
    n,
    df::integer as df,
    round(chi_squared, 6) as chi_squared,
    round((power(chi_squared / df, 1 / 3::numeric) - (1 - 2 / (9 * df::numeric))) / sqrt(2 / (9 * df::numeric)), 6) as z
from summed
where df > 0
