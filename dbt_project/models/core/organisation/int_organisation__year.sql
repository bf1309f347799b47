{{
    config(
        materialized="incremental",
        incremental_strategy="synchronise",
        unique_key=["region_code", "organisation_code", "year"],
        indexes=[{"columns": ["region_code", "organisation_code", "year"], "unique": true}],
    )
}}

with
    organisation as (select * from {{ ref("dim_organisation") }}),

    year as (select distinct year from {{ ref("stg_meta__current_slice") }} where year is not null)

-- The row in force on the day that counts; where the register's dates leave a gap, the nearest before it, else the
-- first after it.
select distinct
    on (organisation.region_code, organisation.organisation_code, year.year)
    organisation.region_code,
    organisation.organisation_code,
    year.year,
    organisation.organisation_kind,
    organisation.municipality_code,
    organisation.settlement_kind,
    organisation.is_provisional
from organisation
cross join year
order by
    organisation.region_code,
    organisation.organisation_code,
    year.year,
    organisation.valid_from <= {{ in_force_on("assessment", "year.year") }} desc,
    abs({{ in_force_on("assessment", "year.year") }} - organisation.valid_from)
