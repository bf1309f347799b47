{{ config(indexes=[{"columns": ["region_code", "station_code", "year"]}]) }}

select
    region_code,
    procedure_code,
    exam_date,
    year,
    grade,
    subject_code,
    station_code,
    room_code,
    n,
    score,
    p,
    q,
    {{ flag_of_group() }} as flag,
    mechanism,
    {{ sign_columns(["profile", "misfit", "expgap", "boundary", "sim_dup", "sim_pairs"]) | join(",\n    ") }}
from {{ ref("int_sign__verdict") }}
where unit_kind = 'room'
