-- fmt: off
{#- sqlfmt cannot read «delete … using». -#}
{#
    Strategy `by_load`: rows of slices that are no longer current leave, rows of newly current slices come. The model
    selects the new ones with `only_new_slices`, has columns load_id and slice_id and an index on both. The result does
    not depend on the order in which loads were published.
#}
{% macro get_incremental_by_load_sql(arg_dict) -%}
    delete from {{ arg_dict["target_relation"] }} as held
    using {{ source("meta", "slice_load") }} as slice_load
    where
        held.load_id = slice_load.load_id
        and held.slice_id = slice_load.slice_id
        and not exists (
            select 1
            from {{ ref("stg_meta__current_slice") }} as current_slice
            where current_slice.load_id = slice_load.load_id and current_slice.slice_id = slice_load.slice_id
        );
    {{ get_incremental_append_sql(arg_dict) }}
{%- endmacro %}


{#
    Strategy `synchronise`: the table becomes what the query returns, but only the rows that differ are written, so views
    on the table survive and a build without news writes nothing. `unique_key` lists the columns of the grain.
#}
{% macro get_incremental_synchronise_sql(arg_dict) -%}
    {%- set target, given = arg_dict["target_relation"], arg_dict["temp_relation"] -%}
    {%- set columns = arg_dict["dest_columns"] | map(attribute="quoted") | join(", ") -%}
    {%- set key = arg_dict["unique_key"] | join(", ") -%}
    delete from {{ target }}
    where ({{ key }}) in (
        select {{ key }}
        from (select {{ columns }} from {{ target }} except select {{ columns }} from {{ given }}) as changed
    );
    insert into {{ target }} ({{ columns }})
    select {{ columns }} from {{ given }}
    except
    select {{ columns }} from {{ target }}
{%- endmacro %}
