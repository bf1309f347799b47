select
    region_code,
    year,
    organisation_code,
    marker_code,
    n,
    value,
    lower_bound,
    upper_bound,
    region_lower_bound,
    region_upper_bound,
    is_marked
from {{ ref("int_objectivity__marker") }}
