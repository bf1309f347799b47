{#- Mark of a result: as delivered, else by the least scores of the work; `test` is int_sign__test. -#}
{% macro mark_of(result, test) -%}
    coalesce(
        {{ result }}.mark,
        case
            when {{ result }}.primary_score >= {{ test }}.min_score_5
            then 5
            when {{ result }}.primary_score >= {{ test }}.min_score_4
            then 4
            when {{ result }}.primary_score >= {{ test }}.min_score_3
            then 3
            when {{ test }}.min_score_3 is not null and {{ result }}.primary_score is not null
            then 2
        end
    )::smallint
{%- endmacro %}
