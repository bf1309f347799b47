{{ config(materialized="view") }}

select
    region_code,
    procedure_code,
    year,
    grade,
    subject_code,
    null::date as exam_date,
    code_system,
    source_organisation_code,
    null::text as station_code,
    null::text as room_code,
    participation,
    primary_score,
    max_score,
    mark,
    journal_mark,
    participants,
    load_id,
    slice_id
from {{ ref("int_vpr__score_count") }}
union all
select
    region_code,
    procedure_code,
    year,
    grade,
    subject_code,
    exam_date,
    code_system,
    source_organisation_code,
    station_code,
    room_code,
    participation,
    primary_score,
    null::smallint as max_score,
    mark,
    null::smallint as journal_mark,
    participants,
    load_id,
    slice_id
from {{ ref("int_gia__score_count") }}
