with
    area as (
        select
            *,
            case when area_no = 0 then '' else '_' || area_no end as area_suffix,
            {{ parameter("preschool", "base_level", "year") }} as base_level
        from {{ ref("int_preschool__area") }}
    ),

    measured as (
        select
            area.region_code,
            area.year,
            area.organisation_code,
            measure.indicator_code,
            measure.numerator,
            measure.denominator,
            measure.n
        from area
        cross join
            lateral(
                values
                    (
                        'preschool_self' || area.area_suffix,
                        area.self_level * area.weight,
                        area.weight,
                        area.self_groups,
                        area.self_level is not null
                    ),
                    (
                        'preschool_expert' || area.area_suffix,
                        area.expert_level * area.weight,
                        area.weight,
                        area.expert_groups,
                        area.expert_level is not null
                    ),
                    (
                        'preschool_gap',
                        area.gap * area.weight,
                        area.weight,
                        area.areas_compared,
                        area.area_no = 0 and area.gap is not null
                    ),
                    (
                        'preschool_base_self',
                        area.self_indicators_at_base::numeric,
                        area.self_indicators::numeric,
                        area.self_groups,
                        area.area_no = 0 and area.self_indicators > 0
                    ),
                    (
                        'preschool_base_expert',
                        area.expert_indicators_at_base::numeric,
                        area.expert_indicators::numeric,
                        area.expert_groups,
                        area.area_no = 0 and area.expert_indicators > 0
                    ),
                    (
                        'preschool_at_base',
                        (area.expert_level >= area.base_level)::integer::numeric,
                        1::numeric,
                        1,
                        area.area_no = 0 and area.expert_level is not null
                    )
            ) as measure(indicator_code, numerator, denominator, n, is_measured)
        where measure.is_measured
    )

select
    region_code,
    year,
    organisation_code,
    indicator_code,
    numerator::numeric(18, 6) as numerator,
    denominator::numeric(18, 6) as denominator,
    n
from measured
