with
    quality as (select *, greatest(coalesce(children, 1), 1) as weight from {{ ref("mart_preschool__quality") }}),

    levelled as (
        select 'region' as object_level, region_code::text as object_id, *
        from quality
        union all
        select 'municipality' as object_level, municipality_code as object_id, *
        from quality
        where municipality_code is not null
    )

select
    region_code,
    year,
    object_level,
    object_id,
    area_no,
    area,
    count(*)::integer as n_organisations,
    sum(children)::integer as children,
    count(self_level)::integer as n_self_organisations,
    round(sum(self_level * weight) / sum(weight) filter (where self_level is not null), 6)::numeric(9, 6) as self_level,
    count(expert_level)::integer as n_expert_organisations,
    round(sum(expert_level * weight) / sum(weight) filter (where expert_level is not null), 6)::numeric(
        9, 6
    ) as expert_level,
    count(gap)::integer as n_compared_organisations,
    round(sum(gap * weight) / sum(weight) filter (where gap is not null), 6)::numeric(9, 6) as gap,
    (count(*) filter (where is_self_assessment_biased))::integer as n_biased_organisations,
    round(100.0 * count(*) filter (where is_self_assessment_biased) / nullif(count(gap), 0), 4)::numeric(
        7, 4
    ) as biased_share,
    (count(*) filter (where is_at_base_level))::integer as n_organisations_at_base,
    round(100.0 * count(*) filter (where is_at_base_level) / nullif(count(expert_level), 0), 4)::numeric(
        7, 4
    ) as organisations_at_base_share,
    sum(n_self_indicators)::integer as n_self_indicators,
    sum(n_self_indicators_at_base)::integer as n_self_indicators_at_base,
    round(100.0 * sum(n_self_indicators_at_base) / nullif(sum(n_self_indicators), 0), 4)::numeric(
        7, 4
    ) as self_base_share,
    sum(n_expert_indicators)::integer as n_expert_indicators,
    sum(n_expert_indicators_at_base)::integer as n_expert_indicators_at_base,
    round(100.0 * sum(n_expert_indicators_at_base) / nullif(sum(n_expert_indicators), 0), 4)::numeric(
        7, 4
    ) as expert_base_share
from levelled
group by region_code, year, object_level, object_id, area_no, area
