select
    region_code,
    year,
    organisation_code,
    person_hash,
    direction_no,
    round(
        sum(indicator_weight * score) filter (where is_available) / sum(indicator_weight) filter (where is_available), 6
    )::numeric(7, 6) as score,
    direction_weight,
    round(coalesce(sum(indicator_weight) filter (where is_available), 0) / sum(indicator_weight), 6)::numeric(
        7, 6
    ) as weight_available,
    (count(*) filter (where is_available))::integer as n_indicators_available,
    count(*)::integer as n_indicators_applicable
from {{ ref("int_leader__score") }}
group by region_code, year, organisation_code, person_hash, direction_no, direction_weight
