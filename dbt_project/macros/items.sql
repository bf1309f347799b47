{#- Names of `count` item columns, item_01 first. -#}
{% macro item_columns(count) -%}
    {%- set names = [] -%}
    {%- for number in range(1, count + 1) -%} {%- do names.append("item_%02d" % number) -%} {%- endfor -%}
    {{- return(names) -}}
{%- endmacro %}
