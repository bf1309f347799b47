{#- Value that parameter `code` of seed `seed` has at the end of `year`, for one row: use it after aggregation. -#}
{% macro parameter(seed, code, year) -%}
    (
        select parameter.value
        from {{ ref(seed) }} as parameter
        where
            parameter.parameter_code = '{{ code }}'
            and make_date({{ year }}, 12, 31) between parameter.valid_from and parameter.valid_to
    )
{%- endmacro %}


{#- Condition that a row of a seed holds at the end of `year`. -#}
{% macro valid_in(seed_alias, year) -%}
    make_date({{ year }}, 12, 31) between {{ seed_alias }}.valid_from and {{ seed_alias }}.valid_to
{%- endmacro %}
