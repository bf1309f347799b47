-- Every total can be traced: it is the weighted sum of the scores shown beside it, up to the rounding of weights.
with
    traced as (
        select region_code, year, organisation_code, person_hash, 100 * sum(weight_in_total * score) as total
        from {{ ref("mart_leader__indicator") }}
        group by region_code, year, organisation_code, person_hash
    )

select
    effectiveness.region_code,
    effectiveness.year,
    effectiveness.organisation_code,
    effectiveness.total,
    traced.total as traced
from {{ ref("mart_leader__effectiveness") }} as effectiveness
full outer join traced using (region_code, year, organisation_code, person_hash)
where abs(effectiveness.total - traced.total) > 0.002 or (effectiveness.total is null) <> (traced.total is null)
