{#-
    Condition: an outside observer was there when the group of `groups` (region_code, organisation_code, year, grade,
    subject_code) wrote its work. An observation without grade or subject is one of all works of that year.
-#}
{% macro is_observed(groups) -%}
    exists (
        select 1
        from {{ at_organisation(ref("fct_observation"), in_force_on("assessment", "fact.year")) }} as observation
        where
            observation.region_code = {{ groups }}.region_code
            and observation.organisation_code = {{ groups }}.organisation_code
            and observation.year = {{ groups }}.year
            and coalesce(observation.grade, {{ groups }}.grade) = {{ groups }}.grade
            and coalesce(observation.subject_code, {{ groups }}.subject_code) = {{ groups }}.subject_code
            and observation.is_observed
    )
{%- endmacro %}
