-- Who takes an exam of a year again counts once, by the last attempt.
select distinct
    on (region_code, procedure_code, year, subject_code, participant_key)
    region_code,
    procedure_code,
    year,
    grade,
    subject_code,
    code_system,
    source_organisation_code,
    participant_key,
    participation,
    primary_score,
    mark,
    test_score
from {{ ref("fct_assessment_result") }}
where procedure_code <> 'vpr'
order by
    region_code, procedure_code, year, subject_code, participant_key, exam_date desc, source_organisation_code, grade
