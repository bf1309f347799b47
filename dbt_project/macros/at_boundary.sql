{#- Condition: a score stands at a boundary of marks or a point above it, where lifted works are found; `scale` is int_work__scale. -#}
{% macro at_boundary(score, scale) -%}
    coalesce(
        {{ score }} in (
            {%- for mark in (3, 4, 5) %}
                {{ scale }}.min_score_{{ mark }}, {{ scale }}.min_score_{{ mark }} + 1 {{- "," if not loop.last }}
            {%- endfor %}
        ),
        false
    )
{%- endmacro %}
