with
    -- One row of many slices.
    region as (select distinct region_code from {{ ref("stg_meta__current_slice") }}),

    -- A region's own list takes the place of the whole default list.
    valid as (
        select
            region.region_code,
            year.academic_year as year,
            item.parameter_set,
            item.parameter_code,
            item.item,
            item.region_code is not null as is_own,
            item.source,
            item.source_status,
            rank() over (
                partition by region.region_code, year.academic_year, item.parameter_set, item.parameter_code
                order by item.region_code nulls last
            ) as precedence
        from region
        cross join {{ ref("dim_academic_year") }} as year
        inner join
            {{ ref("parameter_item") }} as item
            on coalesce(item.region_code, region.region_code) = region.region_code
            and {{ parameter_valid_in("item", "year.academic_year") }}
    )

select region_code, year, parameter_set, parameter_code, item, is_own, source, source_status
from valid
where precedence = 1
