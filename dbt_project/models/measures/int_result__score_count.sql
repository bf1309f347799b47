{%- set counted = [
    "region_code",
    "procedure_code",
    "year",
    "grade",
    "subject_code",
    "exam_date",
    "code_system",
    "source_organisation_code",
    "station_code",
    "room_code",
    "participation",
    "primary_score",
    "max_score",
    "test_score",
    "mark",
    "journal_mark",
] -%}
{{
    config(
        materialized="incremental",
        incremental_strategy="by_load",
        on_schema_change="append_new_columns",
        indexes=[{"columns": ["load_id", "slice_id"]}],
    )
}}

select {{ counted | join(", ") }}, count(*)::integer as participants, load_id, slice_id
from {{ ref("fct_assessment_result") }}
where
    (procedure_code = 'vpr' and {{ only_new_slices("vpr") }})
    or (procedure_code <> 'vpr' and {{ only_new_slices("gia") }})
group by load_id, slice_id, {{ counted | join(", ") }}
