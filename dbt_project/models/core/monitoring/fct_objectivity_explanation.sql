-- Made by `make generate` from rsoko/contracts/sources/objectivity_explanation.yml
select
    region_code,
    procedure_code,
    year,
    organisation_code as source_organisation_code,
    grade,
    subject_code,
    reason_code,
    public_comment,
    decision,
    decided_on,
    load_id,
    slice_id,
    sheet,
    row_no
from {{ ref("stg_objectivity_explanation__explanation") }}
where {{ only_new_slices("objectivity_explanation") }}
