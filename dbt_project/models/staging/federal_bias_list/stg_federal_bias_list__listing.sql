-- Made by `make generate` from rsoko/contracts/sources/federal_bias_list.yml
select
    region_code,
    year,
    organisation_code,
    municipality_name,
    organisation_name,
    coalesce(listed_ru_4, 0)::smallint as listed_ru_4,
    coalesce(listed_ma_4, 0)::smallint as listed_ma_4,
    coalesce(listed_ru_5, 0)::smallint as listed_ru_5,
    coalesce(listed_ma_5, 0)::smallint as listed_ma_5,
    marker_count,
    load_id,
    slice_id,
    sheet,
    row_no
from {{ current_rows("federal_bias_list") }} as current_row
