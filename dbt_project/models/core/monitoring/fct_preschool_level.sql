{{
    config(
        materialized="incremental",
        incremental_strategy="by_load",
        on_schema_change="append_new_columns",
        indexes=[{"columns": ["load_id", "slice_id"]}],
        post_hook="{{ record_core_totals('preschool', {'rows': 'count(*)', 'sum_level': 'coalesce(sum(level), 0)'}) }}",
    )
}}

select *
from {{ ref("stg_preschool__level") }}
where {{ only_new_slices("preschool") }}
