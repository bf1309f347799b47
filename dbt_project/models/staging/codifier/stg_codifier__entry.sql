select region_code, grade, subject_code, codifier_kind, line_no, code, title, load_id, slice_id, sheet, row_no
from {{ current_rows("codifier") }} as current_row
