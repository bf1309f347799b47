{#- Names of the answer columns of a questionnaire, as the contract numbers them. -#}
{% macro answer_columns() -%}
    {%- set names = [] -%}
    {%- for number in range(1, 41) -%} {%- do names.append("answer_%02d" % number) -%} {%- endfor -%}
    {{- return(names) -}}
{%- endmacro %}
