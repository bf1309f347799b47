-- Of explanations that came under two codes of an organisation the later decision counts.
select distinct
    on (region_code, procedure_code, year, grade, subject_code, organisation_code)
    region_code,
    procedure_code,
    year,
    grade,
    subject_code,
    organisation_code,
    reason_code,
    public_comment,
    decision,
    decided_on
from {{ at_organisation(ref("fct_objectivity_explanation"), in_force_on("assessment", "fact.year")) }} as explanation
order by
    region_code,
    procedure_code,
    year,
    grade,
    subject_code,
    organisation_code,
    decided_on desc nulls last,
    source_organisation_code
