{#- What the questionnaires of one year say: the region's own template before the federal questionnaires. -#}
{% macro answered(column) -%}
    (array_agg({{ column }} order by questionnaire_code nulls first) filter (where {{ column }} is not null))[1]
{%- endmacro %}


{#- What holds in a year: the latest answer up to it, else the earliest after it. -#}
{% macro answer_in_force(answers, column, year) -%}
    (
        array_agg(
            {{ answers }}.{{ column }}
            order by {{ answers }}.year <= {{ year }} desc, abs({{ answers }}.year - {{ year }})
        ) filter (where {{ answers }}.{{ column }} is not null)
    )[1]
{%- endmacro %}
