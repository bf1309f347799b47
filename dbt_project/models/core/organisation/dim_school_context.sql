{%- set in_force = [
    "organisation_name",
    "settlement_type",
    "settlement_size",
    "is_selective",
    "has_advanced_primary",
    "has_advanced_basic",
    "has_advanced_senior",
    "has_adapted_programmes",
    "is_special",
    "is_evening",
    "is_boarding",
    "enrolment",
] -%}
{{
    config(
        indexes=[{"columns": ["region_code", "organisation_code", "year"], "unique": true}],
    )
}}

with
    context as (
        select context.*, social_index.social_index as index_z
        from {{ ref("int_school_context__year") }} as context
        left join {{ ref("int_school_context__index") }} as social_index using (region_code, organisation_code, year)
    ),

    school as (
        select region_code, organisation_code, year, settlement_kind
        from {{ ref("int_organisation__year") }}
        where
            organisation_kind = 'school'
            or (region_code, organisation_code) in (select region_code, organisation_code from context)
    ),

    answer as (
        select
            school.region_code,
            school.organisation_code,
            school.year,
            school.settlement_kind,
            {%- for column in in_force %}
                {{ answer_in_force("context", column, "school.year") }} as {{ column }},
            {%- endfor %}
            {{ answer_in_force("context", "index_z", "school.year") }} as social_index,
            {{ answer_in_force("context", "year", "school.year") }} as answer_year
        from school
        left join
            context on school.region_code = context.region_code and school.organisation_code = context.organisation_code
        group by school.region_code, school.organisation_code, school.year, school.settlement_kind
    ),

    named as (
        select
            answer.*,
            lower(
                concat_ws(' ', organisation.organisation_name, organisation.full_name, answer.organisation_name)
            ) as names,
            coalesce(
                case
                    when answer.settlement_type = 'village'
                    then 'rural'
                    when answer.settlement_type is not null
                    then 'urban'
                end,
                answer.settlement_kind
            ) as settlement
        from answer
        left join
            {{ ref("dim_organisation") }} as organisation
            on answer.region_code = organisation.region_code
            and answer.organisation_code = organisation.organisation_code
            and {{ in_force_on("assessment", "answer.year") }} between organisation.valid_from and organisation.valid_to
    ),

    -- What makes a school one of advanced level, as the region says: patterns of its name and stages of advanced study.
    rule as (
        select
            region_code,
            year,
            string_agg(item, '|' order by item) filter (where parameter_code = 'selective_name') as name_pattern,
            array_agg(item) filter (where parameter_code = 'selective_advanced') as advanced_stages
        from {{ ref("int_parameter__item") }}
        where parameter_set = 'school_context'
        group by region_code, year
    ),

    judged as (
        select
            named.*,
            coalesce(
                named.is_selective,
                named.names ~ rule.name_pattern
                {%- for stage in ("primary", "basic", "senior") %}
                    or (coalesce(named.has_advanced_{{ stage }}, false) and '{{ stage }}' = any(rule.advanced_stages))
                {%- endfor %}
            ) as is_selective_school
        from named
        left join rule on named.region_code = rule.region_code and named.year = rule.year
    )

select
    region_code,
    organisation_code,
    year,
    settlement as settlement_kind,
    settlement_type,
    settlement_size,
    is_selective_school as is_selective,
    case
        when is_special
        then 'special'
        when has_adapted_programmes
        then 'mixed'
        when not has_adapted_programmes
        then 'general'
    end as programme_type,
    is_evening,
    is_boarding,
    enrolment,
    social_index,
    case when is_selective_school then 'selective' else settlement end as context_group,
    answer_year
from judged
