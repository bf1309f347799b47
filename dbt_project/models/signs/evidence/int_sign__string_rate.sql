{{
    config(
        materialized="incremental",
        incremental_strategy="by_test",
        indexes=[{"columns": ["test_id"]}],
    )
}}

with
    string as (
        select region_code, test_id, variant, total, hash_array_extended(scores, 0) as answers, count(*) as participants
        from {{ ref("int_sign__participant") }}
        where {{ only_new_tests() }} and has_all_items
        group by region_code, test_id, variant, total, hash_array_extended(scores, 0)
    ),

    region as (
        select
            region_code,
            test_id,
            variant,
            total,
            sum(participants) * (sum(participants) - 1) / 2 as pairs,
            sum(participants * (participants - 1) / 2) as equal_pairs
        from string
        group by region_code, test_id, variant, total
    ),

    inside as (
        select region_code, test_id, variant, total, sum(pairs) as pairs, sum(equal_pairs) as equal_pairs
        from {{ ref("int_sign__string_class") }}
        where {{ only_new_tests() }}
        group by region_code, test_id, variant, total
    ),

    outside as (
        select
            region.region_code,
            region.test_id,
            region.variant,
            region.total,
            region.pairs - coalesce(inside.pairs, 0) as pairs,
            region.equal_pairs - coalesce(inside.equal_pairs, 0) as equal_pairs
        from region
        left join inside using (region_code, test_id, variant, total)
    )

select
    outside.region_code,
    outside.test_id,
    outside.variant,
    outside.total,
    outside.pairs::bigint as pairs,
    outside.equal_pairs::bigint as equal_pairs,
    round(least((outside.equal_pairs + test.pair_smoothing) / outside.pairs, 1), 12) as rate
from outside
inner join {{ ref("int_sign__test") }} as test using (region_code, test_id)
where outside.pairs > 0
