{{
    config(
        materialized="incremental",
        incremental_strategy="by_test",
        indexes=[{"columns": ["test_id"]}],
    )
}}

select
    class_item.region_code,
    class_item.test_id,
    class_item.group_no,
    class_item.class_label,
    bit_or(1::bigint << class_item.item_no) as item_bits
from {{ ref("int_sign__class_item") }} as class_item
inner join {{ ref("int_sign__test") }} as test using (region_code, test_id)
where
    {{ only_new_tests("class_item.test_id") }}
    and class_item.missed >= test.not_taught_share * class_item.participants
    and class_item.participants >= test.n_min
group by class_item.region_code, class_item.test_id, class_item.group_no, class_item.class_label
