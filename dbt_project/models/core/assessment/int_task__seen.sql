{%- set work = "region_code, procedure_code, year, grade, subject_code" -%}
with
    slice as (select * from {{ ref("int_task__slice_maximum") }}),

    -- Not the largest value: a slip in one school of a hundred would pass for the maximum.
    seen as (
        select {{ work }}, item.item_no, percentile_disc(0.99) within group (order by item.value) as seen_max
        from slice
        cross join
            lateral(
                values
                    {%- for name in item_columns(60) %}
                        ({{ loop.index }}::smallint, {{ name }}) {%- if not loop.last %}, {%- endif %}
                    {%- endfor %}
            ) as item(item_no, value)
        where item.value is not null
        group by {{ work }}, item.item_no
    ),

    told as (
        select
            {{ work }},
            load_item.item_no,
            mode() within group (order by load_item.item_label) as item_label,
            max(load_item.max_score) as told_max,
            mode() within group (order by load_item.item_kind) as told_kind
        from (select distinct {{ work }}, load_id from slice) as work_load
        inner join {{ source("meta", "load_item") }} as load_item using (load_id, year, grade, subject_code)
        group by {{ work }}, load_item.item_no
    )

select {{ work }}, item_no, told.item_label, told.told_max, told.told_kind, seen.seen_max
from seen
left join told using ({{ work }}, item_no)
