-- Made by `make generate` from rsoko/contracts/sources/preschool.yml
select
    region_code,
    year,
    organisation_code,
    group_name,
    children,
    area_no,
    indicator_no,
    assessor,
    level,
    load_id,
    slice_id,
    sheet,
    row_no
from {{ current_rows("preschool") }} as current_row
