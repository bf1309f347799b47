-- Made by `make generate` from rsoko/contracts/sources/leader.yml
select
    region_code,
    organisation_code,
    person_hash,
    person_name_hash,
    position,
    started_on,
    ended_on,
    load_id,
    slice_id,
    sheet,
    row_no
from {{ current_rows("leader") }} as current_row
