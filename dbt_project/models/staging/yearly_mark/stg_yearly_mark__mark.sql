-- Made by `make generate` from rsoko/contracts/sources/yearly_mark.yml
select
    region_code,
    year,
    grade,
    subject_code,
    ris_code,
    participant_hash,
    participant_name_hash,
    yearly_mark,
    load_id,
    slice_id,
    sheet,
    row_no
from {{ current_rows("yearly_mark") }} as current_row
