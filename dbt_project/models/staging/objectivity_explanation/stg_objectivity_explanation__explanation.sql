-- Made by `make generate` from rsoko/contracts/sources/objectivity_explanation.yml
select
    region_code,
    coalesce(procedure_code, 'vpr')::text as procedure_code,
    year,
    organisation_code,
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
from {{ current_rows("objectivity_explanation") }} as current_row
