{#- Core holds exactly what the ledger says is current: per load and measure of the contract of `source_name`. -#}
{% test reconciles_with_ledger(model, source_name) %}
    with
        expected as (
            select current_slice.load_id, control.key as measure, sum(control.value::numeric) as value
            from {{ ref("stg_meta__current_slice") }} as current_slice
            cross join lateral jsonb_each_text(current_slice.controls) as control
            where current_slice.source = '{{ source_name }}'
            group by current_slice.load_id, control.key
        ),
        held as (
            select total.load_id, total.measure, total.value
            from {{ source("meta", "control_total") }} as total
            inner join {{ source("meta", "load") }} as load on total.load_id = load.load_id
            where total.stage = 'core' and load.source = '{{ source_name }}'
        )
    -- {{ model }} wrote the totals in its post-hook.
    select load_id, measure, expected.value as expected_value, held.value as held_value
    from expected
    full outer join held using (load_id, measure)
    where expected.value is distinct from held.value and not (expected.value is null and held.value = 0)
{% endtest %}
