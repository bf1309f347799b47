{%- set columns = [
    "organisation_name",
    "settlement_type",
    "settlement_size",
    "remoteness",
    "is_selective",
    "has_advanced_primary",
    "has_advanced_basic",
    "has_advanced_senior",
    "has_adapted_programmes",
    "is_special",
    "is_evening",
    "is_boarding",
    "enrolment",
    "cohort_pupils",
    "cohort_adapted",
    "cohort_pupils_2",
    "cohort_adapted_2",
    "teachers",
    "teachers_qualified",
    "parents_at_meetings",
    "parents_at_events",
    "parents_help",
    "social_index",
] -%}
with
    answer as (
        select *, organisation_code as source_organisation_code, {{ code_system("organisation_code") }} as code_system
        from {{ ref("stg_school_context__answer") }}
    )

select
    answer.region_code,
    coalesce(
        codes.organisation_code, {{ provisional_code("answer.code_system", "answer.source_organisation_code") }}
    ) as organisation_code,
    answer.year,
    {%- for column in columns %}
        {{ answered("answer." ~ column) }} as {{ column }} {%- if not loop.last %}, {%- endif %}
    {%- endfor %}
from answer
left join {{ ref("dim_organisation_code") }} as codes on {{ organisation_of("answer", "codes") }}
group by
    answer.region_code,
    coalesce(codes.organisation_code, {{ provisional_code("answer.code_system", "answer.source_organisation_code") }}),
    answer.year
