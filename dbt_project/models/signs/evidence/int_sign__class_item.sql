{{
    config(
        materialized="incremental",
        incremental_strategy="by_test",
        indexes=[{"columns": ["test_id"]}],
    )
}}

with
    class as (
        select
            seat.region_code,
            seat.test_id,
            seat.group_no,
            {{ class_at("result", "seat") }} as class_label,
            count(*) as participants
            {%- for item in item_columns(item_numbers() | length) %}
                ,
                max(result.{{ item }}) as max_{{ loop.index }},
                count(*) filter (where result.{{ item }} in (-1, -2)) as missed_{{ loop.index }}
            {%- endfor %}
        from {{ ref("fct_assessment_result") }} as result
        inner join {{ ref("int_sign__seat") }} as seat on {{ at_seat("result", "seat") }}
        where
            result.participation = 'present'
            and result.primary_score is not null
            and {{ only_new_tests("seat.test_id") }}
        group by seat.region_code, seat.test_id, seat.group_no, {{ class_at("result", "seat") }}
    )

select
    class.region_code,
    class.test_id,
    class.group_no,
    class.class_label,
    item.item_no,
    class.participants::integer as participants,
    greatest(item.max_score, 0)::smallint as max_score,
    item.missed::integer as missed
from class
cross join
    lateral(
        values
            {%- for item in item_columns(item_numbers() | length) %}
                ({{ loop.index }}::smallint, class.max_{{ loop.index }}, class.missed_{{ loop.index }})
                {%- if not loop.last %}, {%- endif %}
            {%- endfor %}
    ) as item(item_no, max_score, missed)
where item.max_score is not null
