select
    region_code,
    year,
    organisation_code,
    degree,
    count(*)::integer as claimants,
    count(is_confirmed)::integer as n,
    count(*) filter (where is_confirmed)::integer as confirmed,
    count(*) filter (where not is_confirmed)::integer as unconfirmed,
    count(*) filter (where is_issued)::integer as issued,
    count(*) filter (where is_issued and not is_confirmed)::integer as issued_unconfirmed,
    round(100.0 * count(*) filter (where not is_confirmed) / nullif(count(is_confirmed), 0), 6)::numeric(
        18, 6
    ) as unconfirmed_share,
    case
        when count(is_confirmed) = 0
        then 'insufficient'
        when count(*) filter (where is_issued and not is_confirmed) > 0
        then 'red'
        when count(*) filter (where not is_confirmed) > 0
        then 'amber'
        else 'none'
    end as flag
from {{ ref("int_medal__confirmation") }}
group by region_code, year, organisation_code, degree
