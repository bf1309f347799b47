{{
    config(
        materialized="incremental",
        incremental_strategy="by_test",
        indexes=[{"columns": ["test_id"]}],
    )
}}

with
    result as (
        select
            seat.region_code,
            seat.test_id,
            seat.group_no,
            {{ class_at("result", "seat") }} as class_label,
            -- Each day of an exam has its own tasks.
            coalesce(result.variant, result.exam_date - make_date(result.year, 1, 1), 0)::smallint as variant,
            result.primary_score,
            work.max_score,
            work.items,
            work.answers,
            work.answer_offsets,
            work.max_scores,
            (
                array[
                    {%- for item in item_columns(item_numbers() | length) %}
                        case
                            when result.{{ item }} >= -1 and coalesce(not_taught.item_bits, 0) & {{ 2**loop.index }} = 0
                            then greatest(result.{{ item }}, 0)
                        end
                        {%- if not loop.last %}, {%- endif %}
                    {%- endfor %}
                ]::smallint[]
            )[:work.last_item] as scores
        from {{ ref("fct_assessment_result") }} as result
        inner join {{ ref("int_sign__seat") }} as seat on {{ at_seat("result", "seat") }}
        inner join
            {{ ref("int_sign__work_item") }} as work
            on seat.region_code = work.region_code
            and seat.test_id = work.test_id
        left join
            {{ ref("int_sign__not_taught") }} as not_taught
            on seat.region_code = not_taught.region_code
            and seat.test_id = not_taught.test_id
            and seat.group_no = not_taught.group_no
            and {{ class_at("result", "seat") }} = not_taught.class_label
        where
            {{ only_new_tests("work.test_id") }}
            and result.participation = 'present'
            and result.primary_score is not null
        -- Without the fence the array would be built anew for every use below.
        offset 0
    ),

    -- A work may lack the items between: masks of long answers have numbers of their own.
    known as (select *, cardinality(array_remove(scores, null)) = items as has_all_items from result offset 0)

select
    region_code,
    test_id,
    group_no,
    class_label,
    variant,
    case
        when has_all_items
        then primary_score
        else
            least(
                round(
                    primary_score::numeric
                    * max_score
                    / nullif(
                        max_score
                        {%- for number in item_numbers() %}
                            - case
                                when scores[{{ number }}] is null then coalesce(max_scores[{{ number }}], 0) else 0
                            end
                        {%- endfor %},
                        0
                    )
                ),
                max_score
            )
    end::smallint as total,
    scores,
    has_all_items,
    substring(
        {% for number in item_numbers() -%}set_bit({%- endfor -%}repeat('0', answers + 1)::varbit
        {%- for number in item_numbers() %}
                , coalesce(answer_offsets[{{ number }}] + scores[{{ number }}], answers)::integer, 1)
        {%- endfor %}
        for answers
    ) as answer_bits
from known
