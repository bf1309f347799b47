select
    region_code,
    procedure_code,
    year,
    grade,
    subject_code,
    item_no,
    mode() within group (order by item_label) as item_label,
    mode() within group (order by max_score) as max_score,
    mode() within group (order by item_kind) as item_kind,
    mode() within group (order by level) as item_level,
    mode() within group (order by skill) as skill,
    mode() within group (order by planned_result) as planned_result,
    string_agg(distinct content_code, ', ' order by content_code) as content_code,
    string_agg(distinct requirement_code, ', ' order by requirement_code) as requirement_code,
    max(variant_count) as variant_count
from {{ ref("stg_task_catalogue__task") }}
group by region_code, procedure_code, year, grade, subject_code, item_no
