-- Made by `make generate` from rsoko/contracts/sources/codifier.yml
select region_code, grade, subject_code, codifier_kind, code, title, line_no, load_id, slice_id, sheet, row_no
from {{ current_rows("codifier") }} as current_row
