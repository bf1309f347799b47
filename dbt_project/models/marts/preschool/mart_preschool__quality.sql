select
    area.region_code,
    area.year,
    area.organisation_code,
    organisation.municipality_code,
    area.area_no,
    preschool_area.title as area,
    area.self_level,
    area.expert_level,
    area.gap,
    abs(area.gap) > {{ parameter("preschool", "gap_limit", "area.year") }} as is_self_assessment_biased,
    area.expert_level >= {{ parameter("preschool", "base_level", "area.year") }} as is_at_base_level,
    area.children,
    area.self_groups as n_self_groups,
    area.expert_groups as n_expert_groups,
    area.areas as n_areas,
    area.areas_compared as n_areas_compared,
    area.self_indicators as n_self_indicators,
    area.self_indicators_at_base as n_self_indicators_at_base,
    round(100.0 * area.self_indicators_at_base / nullif(area.self_indicators, 0), 4)::numeric(7, 4) as self_base_share,
    area.expert_indicators as n_expert_indicators,
    area.expert_indicators_at_base as n_expert_indicators_at_base,
    round(100.0 * area.expert_indicators_at_base / nullif(area.expert_indicators, 0), 4)::numeric(
        7, 4
    ) as expert_base_share
from {{ ref("int_preschool__area") }} as area
inner join
    {{ ref("preschool_area") }} as preschool_area
    on area.area_no = preschool_area.area_no
    and {{ valid_in("preschool_area", "area.year", "preschool") }}
inner join
    {{ ref("int_organisation__year") }} as organisation
    on area.region_code = organisation.region_code
    and area.year = organisation.year
    and area.organisation_code = organisation.organisation_code
