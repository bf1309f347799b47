{#-
    Value of a parameter in the region and the `year` of one row: use it after aggregation. The region is the `region_code`
    beside `year`: of the same table, if that is named.
-#}
{% macro parameter(parameter_set, code, year) -%}
    {%- set row = year.rpartition(".")[0] -%}
    (
        select parameter.value
        -- Renamed: `year` and `region_code` mean the row that asks.
        from
            (
                select region_code as for_region, year as for_year, value
                from {{ ref("int_parameter__resolved") }}
                where parameter_set = '{{ parameter_set }}' and parameter_code = '{{ code }}'
            ) as parameter
        where parameter.for_region = {{ row ~ "." if row }}region_code and parameter.for_year = {{ year }}
    )
{%- endmacro %}


{#- Condition that a row of a seed is valid on the day of `year` that counts for a procedure. -#}
{% macro valid_in(row, year, procedure="assessment") -%}
    {{ in_force_on(procedure, year) }} between {{ row }}.valid_from and {{ row }}.valid_to
{%- endmacro %}


{#- The same for a row of the seed `parameter` or `parameter_item`, by the procedure that its set serves. -#}
{% macro parameter_valid_in(row, year) -%}
    case
        {%- for procedure in ("leader", "survey", "preschool") %}
            when {{ row }}.parameter_set = '{{ procedure }}' then {{ in_force_on(procedure, year) }}
        {%- endfor %}
        else {{ in_force_on("assessment", year) }}
    end
    between {{ row }}.valid_from and {{ row }}.valid_to
{%- endmacro %}
