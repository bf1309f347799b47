{#-
    Join condition between rows of an assessment that name an organisation by a source's code and `dim_organisation_code`:
    the code's owner on the day of the year that counts.
-#}
{% macro organisation_of(facts, codes) -%}
    {{ facts }}.region_code = {{ codes }}.region_code
    and {{ facts }}.code_system = {{ codes }}.code_system
    and {{ facts }}.source_organisation_code = {{ codes }}.code
    and {{ in_force_on("assessment", facts ~ ".year") }} between {{ codes }}.valid_from and {{ codes }}.valid_to
{%- endmacro %}


{#-
    Rows of a fact that names organisations by what stands where a login is asked for (`source_organisation_code`), each with
    the `organisation_code` of whose code it is on `day` of the row.
-#}
{% macro at_organisation(fact, day) -%}
    (
        select
            fact.*,
            coalesce(
                codes.organisation_code,
                {{ provisional_code(code_system("fact.source_organisation_code"), "fact.source_organisation_code") }}
            ) as organisation_code
        from {{ fact }} as fact
        left join
            {{ ref("dim_organisation_code") }} as codes
            on fact.region_code = codes.region_code
            and {{ code_system("fact.source_organisation_code") }} = codes.code_system
            and fact.source_organisation_code = codes.code
            and {{ day }} between codes.valid_from and codes.valid_to
    )
{%- endmacro %}


{#- The code of an organisation that no register knows. -#}
{% macro provisional_code(code_system, code) -%}
    case when {{ code_system }} = 'fisoko' then {{ code }} else {{ code_system }} || '-' || {{ code }} end
{%- endmacro %}


{#- The first value that is there, in the order of registers: the better register, then the later row. -#}
{% macro best_known(column) -%}
    (
        array_agg({{ column }} order by register_rank, row_from desc, register_code, source_organisation_code) filter (
            where {{ column }} is not null
        )
    )[1]
{%- endmacro %}
