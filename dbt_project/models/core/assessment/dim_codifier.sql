{{
    config(
        indexes=[{"columns": ["region_code", "grade", "subject_code", "codifier_kind", "code"], "unique": true}],
    )
}}

-- Numbering may start anew in a later section: a code means what it meant first.
select distinct
    on (region_code, grade, subject_code, codifier_kind, code)
    region_code,
    grade,
    subject_code,
    codifier_kind,
    code,
    title
from {{ ref("stg_codifier__entry") }}
where code is not null and title is not null
order by region_code, grade, subject_code, codifier_kind, code, line_no
