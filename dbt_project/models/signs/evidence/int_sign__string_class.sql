{{
    config(
        materialized="incremental",
        incremental_strategy="by_test",
        indexes=[{"columns": ["test_id"]}],
    )
}}

with
    string as (
        select
            region_code,
            test_id,
            group_no,
            class_label,
            variant,
            total,
            -- Eight bytes instead of an array: two different strings of answers have equal ones by a chance of 2⁻⁶⁴.
            hash_array_extended(scores, 0) as answers,
            count(*) as participants
        from {{ ref("int_sign__participant") }}
        where {{ only_new_tests() }} and has_all_items
        group by region_code, test_id, group_no, class_label, variant, total, hash_array_extended(scores, 0)
    )

select
    region_code,
    test_id,
    group_no,
    class_label,
    variant,
    total,
    sum(participants)::integer as participants,
    (sum(participants) * (sum(participants) - 1) / 2)::bigint as pairs,
    sum(participants * (participants - 1) / 2)::bigint as equal_pairs
from string
group by region_code, test_id, group_no, class_label, variant, total
having sum(participants) > 1
