{{
    config(
        materialized="incremental",
        incremental_strategy="by_load",
        on_schema_change="append_new_columns",
        indexes=[{"columns": ["load_id", "slice_id"]}],
    )
}}

select
    region_code,
    procedure_code,
    year,
    grade,
    subject_code,
    {%- for name in item_columns(60) %} max({{ name }}) as {{ name }}, {%- endfor %}
    load_id,
    slice_id
from {{ ref("fct_assessment_result") }}
where
    (procedure_code = 'vpr' and {{ only_new_slices("vpr") }})
    or (procedure_code <> 'vpr' and {{ only_new_slices("gia") }})
group by region_code, load_id, slice_id, procedure_code, year, grade, subject_code
