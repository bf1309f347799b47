{#- The columns identify a row: no two rows agree in all of them. NULL counts as a value. -#}
{% test unique_grain(model, columns) %}
    select {{ columns | join(", ") }}, count(*) as rows
    from {{ model }}
    group by {{ columns | join(", ") }}
    having count(*) > 1
{% endtest %}
