{{ config(post_hook="analyze {{ this }}") }}

select
    slice.region_code,
    slice.procedure_code,
    slice.year,
    slice.grade,
    slice.subject_code,
    item.item_no,
    mode() within group (order by load_item.item_label) as item_label,
    max(load_item.max_score) as told_max,
    mode() within group (order by load_item.item_kind) as told_kind,
    -- Not the largest: a slip in one school of a hundred would pass for the maximum.
    percentile_disc(0.99) within group (order by item.value) as seen_max
from {{ ref("int_task__slice_maximum") }} as slice
cross join
    lateral(
        values
            {%- for name in item_columns(60) %}
                ({{ loop.index }}::smallint, slice.{{ name }}) {%- if not loop.last %}, {%- endif %}
            {%- endfor %}
    ) as item(item_no, value)
left join
    {{ source("meta", "load_item") }} as load_item
    on slice.load_id = load_item.load_id
    and slice.year = load_item.year
    and slice.grade = load_item.grade
    and slice.subject_code = load_item.subject_code
    and item.item_no = load_item.item_no
where item.value is not null
group by slice.region_code, slice.procedure_code, slice.year, slice.grade, slice.subject_code, item.item_no
