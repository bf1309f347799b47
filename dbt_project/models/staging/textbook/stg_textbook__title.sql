-- Made by `make generate` from rsoko/contracts/sources/textbook.yml
select region_code, textbook_code, title, load_id, slice_id, sheet, row_no
from {{ current_rows("textbook") }} as current_row
