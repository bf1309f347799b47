{{
    config(
        materialized="incremental",
        incremental_strategy="by_load",
        on_schema_change="append_new_columns",
        indexes=[{"columns": ["load_id", "slice_id"]}],
        post_hook="{{ record_core_totals('medal', {'rows': 'count(*)', 'sum_degree': 'coalesce(sum(degree), 0)'}) }}",
    )
}}

select *
from {{ ref("stg_medal__medal") }}
where {{ only_new_slices("medal") }}
