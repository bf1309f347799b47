{#- Every model of indicators at organisation level: region_code, year, organisation_code, indicator_code, numerator, denominator, n. -#}
{%- set indicators = [
    "int_indicator__result",
    "int_indicator__ege_220",
    "int_indicator__objectivity",
    "int_indicator__vpr_below_region",
    "int_indicator__low_results",
    "int_indicator__teacher_category",
    "int_indicator__survey",
    "int_indicator__leader",
    "int_indicator__preschool",
    "int_indicator__control",
] -%}
{{
    config(
        contract={"enforced": true},
        indexes=[{"columns": ["region_code", "indicator_code", "year", "object_level"]}],
    )
}}

with
    organisation as (
        {%- for model in indicators %}
            select region_code, year, organisation_code, indicator_code, numerator, denominator, n
            from {{ ref(model) }}
            {%- if not loop.last %}
                union all
            {%- endif %}
        {%- endfor %}
    ),

    placed as (
        select organisation.*, organisation_year.municipality_code
        from organisation
        left join
            {{ ref("int_organisation__year") }} as organisation_year
            on organisation.region_code = organisation_year.region_code
            and organisation.organisation_code = organisation_year.organisation_code
            and organisation.year = organisation_year.year
    ),

    value as (
        select
            region_code,
            'organisation' as object_level,
            organisation_code as object_id,
            year,
            indicator_code,
            numerator,
            denominator,
            n
        from placed
        union all
        select
            region_code,
            'municipality',
            municipality_code,
            year,
            indicator_code,
            sum(numerator),
            sum(denominator),
            sum(n)::integer
        from placed
        where municipality_code is not null
        group by region_code, municipality_code, year, indicator_code
        union all
        select
            region_code,
            'region',
            region_code::text,
            year,
            indicator_code,
            sum(numerator),
            sum(denominator),
            sum(n)::integer
        from placed
        group by region_code, year, indicator_code
    )

select
    value.region_code,
    value.object_level,
    value.object_id,
    value.year::smallint as year,
    value.indicator_code,
    round(value.numerator, 9) as numerator,
    round(value.denominator, 9) as denominator,
    value.n,
    round(indicator.multiplier * value.numerator / nullif(value.denominator, 0), 6) as value
from value
left join {{ ref("indicator") }} as indicator on value.indicator_code = indicator.indicator_code
left join
    {{ ref("indicator_level") }} as level
    on value.indicator_code = level.indicator_code
    and value.object_level = level.object_level
-- An indicator that the catalogue does not know stays visible, and fails the test.
where indicator.indicator_code is null or level.object_level is not null
