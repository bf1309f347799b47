{{ config(materialized="view") }}

select
    result.region_code,
    result.procedure_code,
    result.year,
    result.grade,
    result.subject_code,
    result.exam_date,
    result.code_system,
    result.source_organisation_code,
    result.participant_key,
    item.item_no,
    load_item.item_label,
    load_item.item_kind,
    load_item.max_score as item_max_score,
    case when item.value >= 0 then item.value end as item_score,
    case
        when item.value >= 0
        then 'scored'
        when item.value = -1
        then 'not_attempted'
        when item.value = -2
        then 'not_taught'
        else 'unreadable'
    end as item_state,
    result.load_id,
    result.row_no
from {{ ref("fct_assessment_result") }} as result
cross join
    lateral(
        values
            {%- for name in item_columns(60) %}
                ({{ loop.index }}::smallint, result.{{ name }}) {%- if not loop.last %}, {%- endif %}
            {%- endfor %}
    ) as item(item_no, value)
left join
    {{ source("meta", "load_item") }} as load_item
    on result.load_id = load_item.load_id
    and result.year = load_item.year
    and result.grade = load_item.grade
    and result.subject_code = load_item.subject_code
    and item.item_no = load_item.item_no
where item.value is not null
