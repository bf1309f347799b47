-- Made by `make generate` from rsoko/contracts/sources/observation.yml
select
    region_code,
    year,
    organisation_code as source_organisation_code,
    observer_kind,
    grade,
    subject_code,
    observed_on,
    is_observed,
    load_id,
    slice_id,
    sheet,
    row_no
from {{ ref("stg_observation__observation") }}
where {{ only_new_slices("observation") }}
