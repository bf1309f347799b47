{{ config(indexes=[{"columns": ["region_code", "organisation_code", "year"]}]) }}

select
    region_code,
    procedure_code,
    organisation_code,
    year,
    grade,
    subject_code,
    n,
    score,
    p,
    q,
    {{ flag_of_group() }} as flag,
    mechanism,
    {{ sign_columns(["profile", "misfit", "expgap", "boundary", "sim_dup", "sim_pairs"]) | join(",\n    ") }},
    level_z
from {{ ref("int_sign__verdict") }}
where procedure_code <> 'vpr' and unit_kind = 'organisation'
