select
    municipality.region_code,
    municipality.register_code,
    municipality.municipality_code,
    municipality.ate_code,
    municipality.municipality_name,
    municipality.load_id,
    municipality.slice_id,
    municipality.sheet,
    municipality.row_no
from {{ current_rows("municipality") }} as municipality
