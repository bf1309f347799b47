with
    rating as (
        select
            rating.region_code,
            rating.year,
            rating.organisation_code,
            rating.area_no,
            rating.assessor,
            rating.group_name,
            rating.level,
            year_base.base_level
        from {{ ref("fct_preschool_level") }} as rating
        inner join
            (
                select year, {{ parameter("preschool_parameter", "base_level", "year") }} as base_level
                from (select distinct year from {{ ref("fct_preschool_level") }}) as rated
            ) as year_base
            on rating.year = year_base.year
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
            count(*) filter (where level >= base_level) as indicators_at_base
        from rating
        group by region_code, year, organisation_code, area_no, assessor, group_name
    ),

    -- Six decimals: equal fractions stay equal after rounding, so a gap of exactly the limit is never over it.
    area_by_assessor as (
        select
            region_code,
            year,
            organisation_code,
            area_no,
            assessor,
            round(avg(level), 6) as level,
            count(*) as groups,
            sum(indicators) as indicators,
            sum(indicators_at_base) as indicators_at_base
        from group_area
        group by region_code, year, organisation_code, area_no, assessor
    ),

    area as (
        select
            region_code,
            year,
            organisation_code,
            area_no,
            max(level) filter (where assessor = 'self') as self_level,
            max(level) filter (where assessor = 'expert') as expert_level,
            max(level) filter (where assessor = 'self') - max(level) filter (where assessor = 'expert') as gap,
            coalesce(max(groups) filter (where assessor = 'self'), 0) as self_groups,
            coalesce(max(groups) filter (where assessor = 'expert'), 0) as expert_groups,
            coalesce(max(indicators) filter (where assessor = 'self'), 0) as self_indicators,
            coalesce(max(indicators) filter (where assessor = 'expert'), 0) as expert_indicators,
            coalesce(max(indicators_at_base) filter (where assessor = 'self'), 0) as self_indicators_at_base,
            coalesce(max(indicators_at_base) filter (where assessor = 'expert'), 0) as expert_indicators_at_base
        from area_by_assessor
        group by region_code, year, organisation_code, area_no
    ),

    organisation_groups as (
        select
            region_code,
            year,
            organisation_code,
            count(distinct group_name) filter (where assessor = 'self') as self_groups,
            count(distinct group_name) filter (where assessor = 'expert') as expert_groups
        from rating
        group by region_code, year, organisation_code
    ),

    level_of_area as (
        select *, 1 as areas, (gap is not null)::integer as areas_compared
        from area
        union all
        select
            area.region_code,
            area.year,
            area.organisation_code,
            0 as area_no,
            round(avg(area.self_level), 6) as self_level,
            round(avg(area.expert_level), 6) as expert_level,
            round(avg(area.gap), 6) as gap,
            organisation_groups.self_groups,
            organisation_groups.expert_groups,
            sum(area.self_indicators) as self_indicators,
            sum(area.expert_indicators) as expert_indicators,
            sum(area.self_indicators_at_base) as self_indicators_at_base,
            sum(area.expert_indicators_at_base) as expert_indicators_at_base,
            count(*) as areas,
            count(area.gap) as areas_compared
        from area
        inner join
            organisation_groups
            on area.region_code = organisation_groups.region_code
            and area.year = organisation_groups.year
            and area.organisation_code = organisation_groups.organisation_code
        group by
            area.region_code,
            area.year,
            area.organisation_code,
            organisation_groups.self_groups,
            organisation_groups.expert_groups
    ),

    group_children as (
        select region_code, year, organisation_code, group_name, max(children) as children
        from {{ ref("fct_preschool_level") }}
        group by region_code, year, organisation_code, group_name
    ),

    organisation_children as (
        select
            region_code,
            year,
            organisation_code,
            coalesce(
                sum(children) filter (where group_name <> 'ДОО'), sum(children) filter (where group_name = 'ДОО')
            ) as children
        from group_children
        group by region_code, year, organisation_code
    )

select
    level_of_area.region_code,
    level_of_area.year,
    level_of_area.organisation_code,
    level_of_area.area_no::smallint as area_no,
    level_of_area.self_level::numeric(9, 6) as self_level,
    level_of_area.expert_level::numeric(9, 6) as expert_level,
    level_of_area.gap::numeric(9, 6) as gap,
    level_of_area.self_groups::integer as self_groups,
    level_of_area.expert_groups::integer as expert_groups,
    level_of_area.areas::integer as areas,
    level_of_area.areas_compared::integer as areas_compared,
    level_of_area.self_indicators::integer as self_indicators,
    level_of_area.self_indicators_at_base::integer as self_indicators_at_base,
    level_of_area.expert_indicators::integer as expert_indicators,
    level_of_area.expert_indicators_at_base::integer as expert_indicators_at_base,
    organisation_children.children::integer as children,
    -- A preschool that does not say how many children it has is not lost, but weighs as one child.
    greatest(coalesce(organisation_children.children, 1), 1)::integer as weight
from level_of_area
inner join
    organisation_children
    on level_of_area.region_code = organisation_children.region_code
    and level_of_area.year = organisation_children.year
    and level_of_area.organisation_code = organisation_children.organisation_code
