{#- For the same columns, a validity period (valid_from … valid_to, both included) begins the day after the one before it. -#}
{% test periods_have_no_gap(model, columns) %}
    with
        ordered as (
            select *, lead(valid_from) over (partition by {{ columns | join(", ") }} order by valid_from) as next_from
            from {{ model }}
        )
    select {{ columns | join(", ") }}, valid_to + 1 as gap_from, next_from - 1 as gap_to
    from ordered
    where next_from > valid_to + 1
{% endtest %}
