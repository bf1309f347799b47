-- Made by `make generate` from rsoko/contracts/sources/municipality.yml
select region_code, register_code, municipality_code, ate_code, municipality_name, load_id, slice_id, sheet, row_no
from {{ current_rows("municipality") }} as current_row
