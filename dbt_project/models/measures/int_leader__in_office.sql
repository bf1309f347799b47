with
    period as (select distinct region_code, year from {{ ref("stg_meta__current_slice") }} where year is not null),

    spell as (
        select
            tenure.region_code,
            period.year,
            tenure.organisation_code,
            tenure.person_hash,
            tenure.position,
            tenure.valid_from,
            tenure.valid_to,
            least(tenure.valid_to, make_date(period.year, 12, 31))
            - greatest(tenure.valid_from, make_date(period.year, 1, 1))
            + 1 as days_in_office
        from {{ ref("dim_leader_tenure") }} as tenure
        inner join
            period
            on tenure.region_code = period.region_code
            and tenure.valid_from <= make_date(period.year, 12, 31)
            and tenure.valid_to >= make_date(period.year, 1, 1)
            and tenure.valid_from <= tenure.valid_to
    )

select distinct
    on (region_code, year, organisation_code)
    region_code,
    year,
    organisation_code,
    person_hash,
    position,
    valid_from,
    valid_to,
    days_in_office,
    count(*) over (partition by region_code, year, organisation_code) as spells_in_year
from spell
order by region_code, year, organisation_code, days_in_office desc, valid_from desc
