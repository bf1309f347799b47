{{ config(post_hook="analyze {{ this }}") }}

with
    deviation as (
        select given.*, groups.n as participants, test.outlier_ratio
        from {{ ref("int_sign__item_deviation") }} as given
        inner join {{ ref("int_sign__group") }} as groups using (region_code, test_id, group_no)
        inner join {{ ref("int_sign__test") }} as test using (region_code, test_id)
        where groups.n >= test.n_min and given.variance > 0
    ),

    item as (
        select region_code, test_id, item_no, {{ excess_variance("deviation", "variance", "outlier_ratio") }} as omega
        from deviation
        group by region_code, test_id, item_no
    ),

    summed as (
        select
            deviation.region_code,
            deviation.test_id,
            deviation.group_no,
            deviation.participants as n,
            count(*) - 1 as df,
            sum(
                deviation.deviation
                * deviation.deviation
                / (deviation.variance + item.omega * deviation.variance * deviation.variance)
            ) as q
        from deviation
        inner join item using (region_code, test_id, item_no)
        group by deviation.region_code, deviation.test_id, deviation.group_no, deviation.participants
    )

select
    region_code,
    test_id,
    group_no,
    n,
    df::integer as df,
    round(q, 6) as q,
    round((power(q / df, 1 / 3::numeric) - (1 - 2 / (9 * df::numeric))) / sqrt(2 / (9 * df::numeric)), 6) as z
from summed
where df > 0
