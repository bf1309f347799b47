-- Made by `make generate` from rsoko/contracts/sources/preschool.yml
select
    region_code,
    year,
    organisation_code as source_organisation_code,
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
from {{ ref("stg_preschool__level") }}
where {{ only_new_slices("preschool") }}
