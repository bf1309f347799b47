-- Made by `make generate` from rsoko/contracts/sources/task_catalogue.yml
select
    region_code,
    coalesce(procedure_code, 'vpr')::text as procedure_code,
    year,
    grade,
    subject_code,
    item_no,
    item_label,
    max_score,
    item_kind,
    level,
    skill,
    planned_result,
    content_code,
    requirement_code,
    minutes,
    variant_count,
    line_no,
    load_id,
    slice_id,
    sheet,
    row_no
from {{ current_rows("task_catalogue") }} as current_row
