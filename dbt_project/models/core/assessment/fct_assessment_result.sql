{{
    config(
        materialized="incremental",
        incremental_strategy="by_load",
        on_schema_change="append_new_columns",
        contract={"enforced": true},
        indexes=[
            {"columns": ["region_code", "slice_id", "participant_key"], "unique": true},
            {"columns": ["load_id", "slice_id"]},
            {"columns": ["region_code", "source_organisation_code", "year"]},
        ],
        meta={
            "analyze": [
                "region_code",
                "procedure_code",
                "year",
                "grade",
                "subject_code",
                "load_id",
                "slice_id",
            ]
        },
        post_hook=[
            "{{ record_core_totals('vpr', {                 'rows': 'count(*)',                 'present': \"count(*) filter (where participation = 'present')\",                 'absent': \"count(*) filter (where participation = 'absent')\",                 'sum_primary_score': 'coalesce(sum(primary_score), 0)'             }, \"procedure_code = 'vpr'\") }}",
            "{{ record_core_totals('gia', {                 'rows': 'count(*)',                 'sum_primary_score': 'coalesce(sum(primary_score), 0)',                 'sum_test_score': 'coalesce(sum(test_score), 0)'             }, \"procedure_code <> 'vpr'\") }}",
        ],
    )
}}

with
    vpr as (select * from {{ ref("stg_vpr__result") }} where {{ only_new_slices("vpr") }}),

    gia as (select * from {{ ref("stg_gia__result") }} where {{ only_new_slices("gia") }})

select
    region_code,
    'vpr' as procedure_code,
    year,
    grade,
    subject_code,
    null::date as exam_date,
    {{ code_system("organisation_code") }} as code_system,
    organisation_code as source_organisation_code,
    participant_code as participant_key,
    class_label,
    null::text as station_code,
    null::text as room_code,
    gender,
    variant,
    participation,
    journal_mark,
    reported_score,
    computed_score,
    primary_score,
    max_score,
    mark,
    null::smallint as test_score,
    {%- for name in item_columns(50) %} {{ name }}, {%- endfor %}
    {%- for name in item_columns(60)[50:] %} null::smallint as {{ name }}, {%- endfor %}
    load_id,
    slice_id,
    sheet,
    row_no
from vpr
union all
select
    region_code,
    procedure_code,
    year,
    grade,
    subject_code,
    exam_date,
    'ris' as code_system,
    ris_code as source_organisation_code,
    participant_hash as participant_key,
    class_label,
    station_code,
    room_code,
    null as gender,
    null::smallint as variant,
    case
        when primary_score is not null or test_score is not null or mark is not null then 'present' else 'no_result'
    end as participation,
    null::smallint as journal_mark,
    null::smallint as reported_score,
    computed_score,
    primary_score,
    null::smallint as max_score,
    mark,
    test_score,
    {%- for name in item_columns(60) %} {{ name }}, {%- endfor %}
    load_id,
    slice_id,
    sheet,
    row_no
from gia
