-- Made by `make generate` from rsoko/contracts/sources/mark_scale.yml
select
    region_code,
    coalesce(procedure_code, 'vpr')::text as procedure_code,
    grade,
    subject_code,
    year_from,
    coalesce(year_to, 2050)::smallint as year_to,
    max_score,
    min_score_3,
    min_score_4,
    min_score_5,
    load_id,
    slice_id,
    sheet,
    row_no
from {{ current_rows("mark_scale") }} as current_row
