{{
    config(
        materialized="incremental",
        incremental_strategy="by_load",
        on_schema_change="append_new_columns",
        indexes=[{"columns": ["load_id", "slice_id"]}],
        post_hook="{{ record_core_totals('yearly_mark', {'rows': 'count(*)', 'sum_yearly_mark': 'coalesce(sum(yearly_mark), 0)'}) }}",
    )
}}

select *
from {{ ref("stg_yearly_mark__mark") }}
where {{ only_new_slices("yearly_mark") }}
