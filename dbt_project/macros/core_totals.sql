{#
    Post-hook of a fact: writes what core now holds of every load of `name` to `meta.control_total`, stage `core`.
    `measures` are the contract's controls: measure -> aggregate over the columns of the fact. The generic test
    `reconciles_with_ledger` compares them with what the ledger says is current.
    `condition` picks the rows of the source where a fact holds several.
#}
{% macro record_core_totals(name, measures, condition="true") -%}
    {%- if execute -%}
        with
            held as (
                select
                    load_id
                    {%- for measure, aggregate in measures.items() %}
                        , ({{ aggregate }})::numeric as {{ measure }}
                    {%- endfor %}
                from {{ this }}
                where {{ condition }}
                group by load_id
            ),
            totals as (
                {%- for measure in measures %}
                    {% if not loop.first %}
                        union all
                    {% endif %}
                    select load.load_id, '{{ measure }}' as measure, coalesce(held.{{ measure }}, 0) as value
                    from {{ source("meta", "load") }} as load
                    left join held on load.load_id = held.load_id
                    where load.source = '{{ name }}'
                {%- endfor %}
            )
            insert into {{ source("meta", "control_total") }} as recorded(load_id, stage, measure, value)
        select load_id, 'core', measure, value
        from totals on conflict(load_id, stage, measure) do update set value = excluded.value
        where recorded.value <> excluded.value
    {%- endif -%}
{%- endmacro %}
