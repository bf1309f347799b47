-- Made by `make generate` from rsoko/contracts/sources/observation.yml
select
    region_code,
    year,
    organisation_code,
    observer_kind,
    grade,
    subject_code,
    observed_on,
    coalesce(is_observed, true)::boolean as is_observed,
    load_id,
    slice_id,
    sheet,
    row_no
from {{ current_rows("observation") }} as current_row
