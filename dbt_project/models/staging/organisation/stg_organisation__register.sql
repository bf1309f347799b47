-- Made by `make generate` from rsoko/contracts/sources/organisation.yml
select
    region_code,
    register_code,
    source_organisation_code,
    organisation_code,
    ris_code,
    ris_code_ege,
    inn,
    ogrn,
    register_number,
    organisation_name,
    full_name,
    organisation_kind,
    municipality_code,
    municipality_name,
    settlement_kind,
    valid_from,
    valid_to,
    load_id,
    slice_id,
    sheet,
    row_no
from {{ current_rows("organisation") }} as current_row
