{{
    config(
        materialized="incremental",
        incremental_strategy="by_load",
        on_schema_change="append_new_columns",
        indexes=[{"columns": ["load_id", "slice_id"]}],
        post_hook="{{ record_core_totals('recheck', {'rows': 'count(*)', 'sum_school_score': 'coalesce(sum(school_score), 0)', 'sum_recheck_score': 'coalesce(sum(recheck_score), 0)'}) }}",
    )
}}

select *
from {{ ref("stg_recheck__recheck") }}
where {{ only_new_slices("recheck") }}
