select
    region_code,
    object_level,
    object_id,
    year,
    denominator::integer as organisations,
    numerator::integer as marked_organisations,
    value as marked_share,
    100 - value as objectivity_index
from {{ ref("fct_indicator_value") }}
where indicator_code = 'objectivity_marked' and object_level in ('municipality', 'region')
