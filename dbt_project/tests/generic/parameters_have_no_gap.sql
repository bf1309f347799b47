{#-
    Every day on which a set of parameters (parameter_set) is in use has a default of each of its parameters: from the set's
    first day on, without end. Rows of a region (region_code) may begin and end as they like: the default fills in.
-#}
{% test parameters_have_no_gap(model) %}
    with
        -- One row of many periods.
        named as (select distinct parameter_set, parameter_code from {{ model }}),

        used as (select parameter_set, min(valid_from) as used_from from {{ model }} group by parameter_set),

        -- One row of many words: what a list holds may change on any day.
        period as (
            select distinct parameter_set, parameter_code, valid_from, valid_to
            from {{ model }}
            where region_code is null
        ),

        edge as (
            select parameter_set, parameter_code, valid_from, valid_to
            from period
            union all
            select parameter_set, parameter_code, null, used_from - 1
            from named
            inner join used using (parameter_set)
            union all
            select parameter_set, parameter_code, date '9999-12-31' + 1, null
            from named
        ),

        -- The farthest day that is covered before each period, and the period after it.
        ordered as (
            select
                parameter_set,
                parameter_code,
                valid_from,
                max(valid_to) over (
                    partition by parameter_set, parameter_code
                    order by valid_from nulls first, valid_to
                    rows between unbounded preceding and 1 preceding
                ) as covered_to
            from edge
        )
    select parameter_set, parameter_code, covered_to + 1 as gap_from, valid_from - 1 as gap_to
    from ordered
    where valid_from > covered_to + 1
{% endtest %}
