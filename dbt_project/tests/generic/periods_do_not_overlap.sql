{#- For the same columns, no two validity periods (valid_from … valid_to, both included) share a day. -#}
{% test periods_do_not_overlap(model, columns) %}
    with
        ordered as (
            select *, lead(valid_from) over (partition by {{ columns | join(", ") }} order by valid_from) as next_from
            from {{ model }}
        )
    select *
    from ordered
    where valid_to < valid_from or next_from <= valid_to
{% endtest %}
