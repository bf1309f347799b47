{#- Value of parameter `code` of seed `seed` in `year`, for one row: use it after aggregation. -#}
{% macro parameter(seed, code, year) -%}
    (
        select parameter.value
        from {{ ref(seed) }} as parameter
        where parameter.parameter_code = '{{ code }}' and {{ valid_in("parameter", year) }}
    )
{%- endmacro %}


{#- Condition that a row of a seed is valid at the end of `year`. -#}
{% macro valid_in(row, year) -%}
    make_date({{ year }}, 12, 31) between {{ row }}.valid_from and {{ row }}.valid_to
{%- endmacro %}
