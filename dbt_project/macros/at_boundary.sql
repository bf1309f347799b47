{#- Condition: a score stands at a boundary of marks or a point above it, where lifted works are found; `test` is int_sign__test. -#}
{% macro at_boundary(score, test) -%}
    coalesce(
        {{ score }} in (
            {%- for mark in (3, 4, 5) %}
                {{ test }}.min_score_{{ mark }}, {{ test }}.min_score_{{ mark }} + 1 {{- "," if not loop.last }}
            {%- endfor %}
        ),
        false
    )
{%- endmacro %}
