-- Made by `make generate` from rsoko/contracts/sources/medal.yml
select
    region_code,
    year,
    ris_code,
    participant_hash,
    participant_name_hash,
    degree,
    is_issued,
    load_id,
    slice_id,
    sheet,
    row_no
from {{ current_rows("medal") }} as current_row
