{{ config(materialized="view") }}

select
    answer.region_code,
    answer.year,
    answer.survey_code,
    answer.source_organisation_code,
    answer.respondent_group,
    answer.respondent_no,
    question.question_no,
    question.answer,
    answer.load_id,
    answer.slice_id,
    answer.sheet,
    answer.row_no
from {{ ref("fct_survey_answer") }} as answer
cross join
    lateral(
        values
            {%- for name in answer_columns() %}
                ({{ loop.index }}::smallint, answer.{{ name }}) {{- "," if not loop.last }}
            {%- endfor %}
    ) as question(question_no, answer)
where question.answer is not null
