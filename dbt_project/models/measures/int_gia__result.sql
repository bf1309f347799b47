{%- set participant = "region_code, procedure_code, year, subject_code, participant_key" -%}
{%- set outcome = ["exam_date", "participation", "primary_score", "mark", "test_score"] -%}
with
    -- No sitting without a result (absent, annulled, not yet marked) takes the place of one that has a result. Zeros
    -- without answers are how РИС exports «none».
    sitting as (
        select
            *,
            case
                when mark is not null or test_score > 0 or (test_score is not null and computed_score is not null)
                then 2
                when participation = 'present'
                then 1
                else 0
            end as has_result
        from {{ ref("fct_assessment_result") }}
        where procedure_code <> 'vpr'
    )

select distinct
    on ({{ participant }})
    region_code,
    procedure_code,
    year,
    grade,
    subject_code,
    code_system,
    source_organisation_code,
    participant_key,
    {{ outcome | join(",\n    ") }},
    {%- for column in outcome %} first_value({{ column }}) over first_sitting as first_{{ column }}, {%- endfor %}
    (count(*) over (partition by {{ participant }}))::integer as sittings
from sitting
window
    first_sitting as (
        partition by {{ participant }} order by has_result desc, exam_date, source_organisation_code, grade
    )
order by {{ participant }}, has_result desc, exam_date desc, source_organisation_code, grade
