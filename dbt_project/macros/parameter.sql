{#- Value of parameter `code` of seed `seed` in `year`, for one row: use it after aggregation. -#}
{% macro parameter(seed, code, year) -%}
    (
        select parameter.value
        from {{ ref(seed) }} as parameter
        where parameter.parameter_code = '{{ code }}' and {{ valid_in("parameter", year) }}
    )
{%- endmacro %}


{#- Condition that a row of a seed is valid in `year`. -#}
{% macro valid_in(row, year) -%}
    {{ year }} between {{ row }}.valid_from and coalesce({{ row }}.valid_to, {{ year }})
{%- endmacro %}
