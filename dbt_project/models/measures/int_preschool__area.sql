{%- set measures = ["groups", "indicators", "indicators_at_base"] -%}

with
    area as (
        select
            region_code,
            year,
            organisation_code,
            area_no,
            max(level) filter (where assessor = 'self') as self_level,
            max(level) filter (where assessor = 'expert') as expert_level,
            max(level) filter (where assessor = 'self') - max(level) filter (where assessor = 'expert') as gap
            {%- for measure in measures %}
                {%- for assessor in ("self", "expert") %}
                    ,
                    coalesce(
                        max({{ measure }}) filter (where assessor = '{{ assessor }}'), 0
                    ) as {{ assessor }}_{{ measure }}
                {%- endfor %}
            {%- endfor %}
        from {{ ref("int_preschool__level") }}
        group by region_code, year, organisation_code, area_no
    ),

    all_areas as (
        select
            region_code,
            year,
            organisation_code,
            avg(self_level) as self_level,
            avg(expert_level) as expert_level,
            avg(gap) as gap,
            sum(self_indicators) as self_indicators,
            sum(expert_indicators) as expert_indicators,
            sum(self_indicators_at_base) as self_indicators_at_base,
            sum(expert_indicators_at_base) as expert_indicators_at_base,
            count(*) as areas,
            count(gap) as areas_compared
        from area
        group by region_code, year, organisation_code
    ),

    levelled as (
        select
            region_code,
            year,
            organisation_code,
            area_no,
            self_level,
            expert_level,
            gap,
            self_groups,
            expert_groups,
            1 as areas,
            (gap is not null)::integer as areas_compared,
            self_indicators,
            self_indicators_at_base,
            expert_indicators,
            expert_indicators_at_base
        from area
        union all
        select
            region_code,
            year,
            organisation_code,
            0 as area_no,
            all_areas.self_level,
            all_areas.expert_level,
            all_areas.gap,
            organisation.self_groups,
            organisation.expert_groups,
            all_areas.areas,
            all_areas.areas_compared,
            all_areas.self_indicators,
            all_areas.self_indicators_at_base,
            all_areas.expert_indicators,
            all_areas.expert_indicators_at_base
        from all_areas
        inner join {{ ref("int_preschool__organisation") }} as organisation using (region_code, year, organisation_code)
    )

select
    region_code,
    year,
    organisation_code,
    levelled.area_no::smallint as area_no,
    levelled.self_level::numeric(9, 6) as self_level,
    levelled.expert_level::numeric(9, 6) as expert_level,
    levelled.gap::numeric(9, 6) as gap,
    levelled.self_groups,
    levelled.expert_groups,
    levelled.areas::integer as areas,
    levelled.areas_compared::integer as areas_compared,
    levelled.self_indicators::integer as self_indicators,
    levelled.self_indicators_at_base::integer as self_indicators_at_base,
    levelled.expert_indicators::integer as expert_indicators,
    levelled.expert_indicators_at_base::integer as expert_indicators_at_base,
    organisation.children,
    organisation.weight
from levelled
inner join {{ ref("int_preschool__organisation") }} as organisation using (region_code, year, organisation_code)
