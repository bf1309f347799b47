{{
    config(
        materialized="incremental",
        incremental_strategy="by_load",
        on_schema_change="append_new_columns",
        indexes=[{"columns": ["load_id", "slice_id"]}],
        post_hook="{{ record_core_totals('objectivity_explanation', {'rows': 'count(*)'}) }}",
    )
}}

select *
from {{ ref("stg_objectivity_explanation__explanation") }}
where {{ only_new_slices("objectivity_explanation") }}
