{#- Names of the answer columns of a questionnaire, as the contract numbers them. -#}
{% macro answer_columns() -%}
    {%- set names = [] -%}
    {%- for number in range(1, 41) -%} {%- do names.append("answer_%02d" % number) -%} {%- endfor -%}
    {{- return(names) -}}
{%- endmacro %}


{#- Sum of the answers of one questionnaire; states below zero add nothing, as in the contract's control total. -#}
{% macro sum_of_answers() -%}
    {%- for name in answer_columns() -%}
        coalesce(greatest({{ name }}, 0), 0) {{- " + " if not loop.last -}}
    {%- endfor -%}
{%- endmacro %}
