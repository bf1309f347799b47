{{
    config(
        materialized="incremental",
        incremental_strategy="by_load",
        on_schema_change="append_new_columns",
        indexes=[{"columns": ["load_id", "slice_id"]}],
        post_hook="{{ record_core_totals('observation', {'rows': 'count(*)'}) }}",
    )
}}

select *
from {{ ref("stg_observation__observation") }}
where {{ only_new_slices("observation") }}
