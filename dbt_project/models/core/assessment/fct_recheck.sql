-- Made by `make generate` from rsoko/contracts/sources/recheck.yml
select
    region_code,
    year,
    grade,
    subject_code,
    organisation_code as source_organisation_code,
    rechecked_by,
    participant_code,
    school_score,
    recheck_score,
    rechecked_on,
    load_id,
    slice_id,
    sheet,
    row_no
from {{ ref("stg_recheck__recheck") }}
where {{ only_new_slices("recheck") }}
