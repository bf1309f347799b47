{{
    config(
        indexes=[{"columns": ["region_code", "test_id"], "unique": true}],
    )
}}

select
    test.region_code,
    test.test_id,
    test.max_score,
    count(item.item_no)::integer as items,
    max(item.item_no) as last_item,
    sum(item.max_score + 1)::integer as answers,
    -- By item number, whether or not the work has the items between.
    array_agg(coalesce(item.answer_offset, 0) order by numbered.item_no) as answer_offsets,
    array_agg(coalesce(item.max_score, 0) order by numbered.item_no) as max_scores
from {{ ref("int_sign__test") }} as test
cross join generate_series(1, {{ item_numbers() | length }}) as numbered(item_no)
left join
    {{ ref("int_sign__item") }} as item
    on test.region_code = item.region_code
    and test.test_id = item.test_id
    and numbered.item_no = item.item_no
group by test.region_code, test.test_id, test.max_score
