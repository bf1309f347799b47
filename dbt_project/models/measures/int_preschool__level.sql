with
    rating as (
        select level.*, level.level >= rated.base_level as is_at_base
        from {{ at_organisation(ref("fct_preschool_level"), in_force_on("preschool", "fact.year")) }} as level
        inner join
            (
                select region_code, year, {{ parameter("preschool", "base_level", "year") }} as base_level
                from (select distinct region_code, year from {{ ref("fct_preschool_level") }}) as rated_year
            ) as rated
            on level.region_code = rated.region_code
            and level.year = rated.year
    ),

    group_area as (
        select
            region_code,
            year,
            organisation_code,
            area_no,
            assessor,
            group_name,
            avg(level) as level,
            count(*) as indicators,
            count(*) filter (where is_at_base) as indicators_at_base
        from rating
        group by region_code, year, organisation_code, area_no, assessor, group_name
    )

select
    region_code,
    year,
    organisation_code,
    area_no,
    assessor,
    -- Six decimals: equal fractions stay equal after rounding, so a gap of exactly the limit is never over it.
    round(avg(level), 6)::numeric(9, 6) as level,
    count(*)::integer as groups,
    sum(indicators)::integer as indicators,
    sum(indicators_at_base)::integer as indicators_at_base
from group_area
group by region_code, year, organisation_code, area_no, assessor
