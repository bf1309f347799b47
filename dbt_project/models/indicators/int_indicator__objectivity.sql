select
    region_code,
    year,
    organisation_code,
    'objectivity_marked' as indicator_code,
    bool_or(is_marked)::integer::numeric as numerator,
    1::numeric as denominator,
    count(*)::integer as n
from {{ ref("int_objectivity__marker") }}
group by region_code, year, organisation_code
