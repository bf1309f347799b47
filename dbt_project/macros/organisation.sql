{#-
    Join condition between rows that name an organisation by a source's code and `dim_organisation_code`: the code's owner
    on 1 May of the year, the height of the year's procedures.
-#}
{% macro organisation_of(facts, codes) -%}
    {{ facts }}.region_code = {{ codes }}.region_code
    and {{ facts }}.code_system = {{ codes }}.code_system
    and {{ facts }}.source_organisation_code = {{ codes }}.code
    and make_date({{ facts }}.year, 5, 1) between {{ codes }}.valid_from and {{ codes }}.valid_to
{%- endmacro %}


{#- The first value that is there, in the order of registers: the better register, then the later row. -#}
{% macro best_known(column) -%}
    (
        array_agg({{ column }} order by register_rank, row_from desc, register_code, source_organisation_code) filter (
            where {{ column }} is not null
        )
    )[1]
{%- endmacro %}
