{#
    Rows of `raw.<name>` that are current in this build: a relation to select from, as in
    `from {{ current_rows("vpr") }} as vpr`. What is current is fixed once per build in `stg_meta__current_slice`,
    so a delivery that is published meanwhile cannot make two models of one build disagree.
#}
{% macro current_rows(name) -%}
    (
        select {{ name }}.*
        from {{ source("raw", name) }} as {{ name }}
        inner join
            {{ ref("stg_meta__current_slice") }} as current_slice
            on {{ name }}.region_code = current_slice.region_code
            and {{ name }}.load_id = current_slice.load_id
            and {{ name }}.slice_id = current_slice.slice_id
    )
{%- endmacro %}


{#
    Condition that leaves, in an incremental run, only the rows of slices of `name` that this model does not hold yet.
    The array of load ids lets PostgreSQL find the few new loads by the block index of the raw table.
#}
{% macro only_new_slices(name) -%}
    {#- Named outside the condition, so that dbt sees the dependency when it parses. -#}
    {%- set current_slices = ref("stg_meta__current_slice") -%}
    {%- if is_incremental() -%}
        {%- set new_slices -%}
            select current_slice.load_id, current_slice.slice_id
            from {{ current_slices }} as current_slice
            where
                current_slice.source = '{{ name }}'
                and not exists (
                    select 1
                    from {{ this }} as held
                    where held.load_id = current_slice.load_id and held.slice_id = current_slice.slice_id
                )
        {%- endset -%}
        load_id = any(array(select distinct new_slice.load_id from ({{ new_slices }}) as new_slice))
        and (load_id, slice_id) in ({{ new_slices }})
    {%- else -%} true
    {%- endif -%}
{%- endmacro %}
