{{
    config(
        materialized="incremental",
        incremental_strategy="by_test",
        indexes=[{"columns": ["test_id"]}],
    )
}}

with
    participant as (
        select
            participant.region_code,
            participant.test_id,
            participant.group_no,
            participant.class_label,
            participant.variant,
            participant.total,
            participant.answer_bits,
            test.max_score,
            row_number() over () as place
        from {{ ref("int_sign__participant") }} as participant
        inner join {{ ref("int_sign__test") }} as test using (region_code, test_id)
        where {{ only_new_tests("participant.test_id") }} and participant.has_all_items
    )

select
    one.region_code,
    one.test_id,
    one.group_no,
    one.class_label,
    (5 * (one.total + other.total) / greatest(one.max_score, 1))::smallint as score_tenth,
    count(*) as pairs,
    count(*) filter (where bit_count(one.answer_bits & other.answer_bits) >= expectation.similar_from) as similar_pairs
from participant as one
inner join
    participant as other
    on one.region_code = other.region_code
    and one.test_id = other.test_id
    and one.group_no = other.group_no
    and one.class_label = other.class_label
    and one.variant = other.variant
    -- Each pair once.
    and one.place < other.place
inner join
    {{ ref("int_sign__pair_expectation") }} as expectation
    on one.region_code = expectation.region_code
    and one.test_id = expectation.test_id
    and one.variant = expectation.variant
    and least(one.total, other.total) = expectation.low_total
    and greatest(one.total, other.total) = expectation.high_total
group by
    one.region_code,
    one.test_id,
    one.group_no,
    one.class_label,
    5 * (one.total + other.total) / greatest(one.max_score, 1)
