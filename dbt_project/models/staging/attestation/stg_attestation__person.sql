-- Made by `make generate` from rsoko/contracts/sources/attestation.yml
select
    region_code,
    year,
    organisation_code,
    organisation_name,
    person_hash,
    person_name_hash,
    person_role,
    position,
    category,
    decided_on,
    valid_until,
    order_number,
    test_percent,
    project_percent,
    has_management_education,
    trained_on,
    has_reserve,
    load_id,
    slice_id,
    sheet,
    row_no
from {{ current_rows("attestation") }} as current_row
