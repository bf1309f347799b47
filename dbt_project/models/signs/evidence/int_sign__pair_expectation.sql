{{
    config(
        materialized="incremental",
        incremental_strategy="by_test",
        indexes=[{"columns": ["test_id"]}],
    )
}}

with
    item as (
        select
            low.region_code,
            low.test_id,
            low.variant,
            low.total as low_total,
            high.total as high_total,
            low.item_no,
            sum(low.share * high.share) as e
        from {{ ref("int_sign__item_curve") }} as low
        inner join
            {{ ref("int_sign__item_curve") }} as high
            on low.region_code = high.region_code
            and low.test_id = high.test_id
            and low.variant = high.variant
            and low.item_no = high.item_no
            and low.item_score = high.item_score
            and low.total <= high.total
        where {{ only_new_tests("low.test_id") }}
        group by low.region_code, low.test_id, low.variant, low.total, high.total, low.item_no
    ),

    summed as (
        select
            item.region_code,
            item.test_id,
            item.variant,
            item.low_total,
            item.high_total,
            sum(item.e) as expected,
            greatest(sum(item.e * (1 - item.e)), min(test.pair_variance_min)) as variance,
            min(test.pair_z) as pair_z
        from item
        inner join {{ ref("int_sign__test") }} as test using (region_code, test_id)
        group by item.region_code, item.test_id, item.variant, item.low_total, item.high_total
    )

select
    region_code,
    test_id,
    variant,
    low_total,
    high_total,
    round(expected, 6) as expected,
    round(variance, 6) as variance,
    (floor(expected + pair_z * sqrt(variance)) + 1)::smallint as similar_from
from summed
