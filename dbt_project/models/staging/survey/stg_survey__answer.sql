select
    region_code,
    year,
    survey_code,
    organisation_code,
    respondent_group,
    respondent_no,
    answered_at,
    {{ answer_columns() | join(", ") }},
    load_id,
    slice_id,
    sheet,
    row_no
from {{ current_rows("survey") }} as current_row
