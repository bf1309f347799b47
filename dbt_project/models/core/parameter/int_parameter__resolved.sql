{{
    config(
        indexes=[
            {"columns": ["parameter_set", "parameter_code", "region_code", "year"], "unique": true},
        ],
    )
}}

with
    -- One row of many slices.
    region as (select distinct region_code from {{ ref("stg_meta__current_slice") }}),

    -- A region's own row comes before the default.
    valid as (
        select distinct
            on (region.region_code, year.academic_year, parameter.parameter_set, parameter.parameter_code)
            region.region_code,
            year.academic_year as year,
            parameter.parameter_set,
            parameter.parameter_code,
            parameter.value,
            parameter.unit,
            parameter.region_code is not null as is_own,
            parameter.source,
            parameter.source_status
        from region
        cross join {{ ref("dim_academic_year") }} as year
        inner join
            {{ ref("parameter") }} as parameter
            on coalesce(parameter.region_code, region.region_code) = region.region_code
            and {{ parameter_valid_in("parameter", "year.academic_year") }}
        order by
            region.region_code,
            year.academic_year,
            parameter.parameter_set,
            parameter.parameter_code,
            parameter.region_code nulls last
    )

select region_code, year, parameter_set, parameter_code, value, unit, is_own, source, source_status
from valid
