{{
    config(
        materialized="incremental",
        incremental_strategy="by_test",
        indexes=[{"columns": ["test_id"]}],
    )
}}

with
    work as (
        select
            test.region_code,
            test.test_id,
            array_agg(coalesce(item.is_expert, false)::integer order by numbered.item_no) as is_expert
        from {{ ref("int_sign__test") }} as test
        cross join generate_series(1, {{ item_numbers() | length }}) as numbered(item_no)
        left join
            {{ ref("int_sign__item") }} as item
            on test.region_code = item.region_code
            and test.test_id = item.test_id
            and numbered.item_no = item.item_no
        where {{ only_new_tests("test.test_id") }}
        group by test.region_code, test.test_id
        having bool_or(item.is_expert) and bool_or(not item.is_expert)
    ),

    participant as ({{ unpacked_participants() }}),

    points as (
        select
            participant.region_code,
            participant.test_id,
            participant.group_no,
            participant.variant,
            participant.total,
            (
                {%- for number in item_numbers() %}
                    coalesce(
                        participant.scores[{{ number }}] * work.is_expert[{{ number }}], 0
                    ){{ " +" if not loop.last }}
                {%- endfor %}
            )::smallint as expert_points
        from participant
        inner join work using (region_code, test_id)
        where participant.has_all_items
    )

select
    region_code,
    test_id,
    group_no,
    variant,
    (total - expert_points)::smallint as short_points,
    expert_points,
    count(*)::integer as participants
from points
group by region_code, test_id, group_no, variant, total, expert_points
