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
    case
        when not is_sufficient
        then 'insufficient'
        when q <= {{ parameter("objectivity_parameter", "red_q", "year") }}
        then 'red'
        when p <= {{ parameter("objectivity_parameter", "amber_p", "year") }}
        then 'amber'
        else 'none'
    end as flag,
    mechanism,
    {{ sign_columns(["profile", "misfit", "expgap", "boundary", "sim_dup", "sim_pairs"]) | join(",\n    ") }}
from {{ ref("int_sign__verdict") }}
where unit_kind = 'room'
