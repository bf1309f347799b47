{{
    config(
        materialized="incremental",
        incremental_strategy="by_load",
        on_schema_change="append_new_columns",
        indexes=[{"columns": ["load_id", "slice_id"]}],
        post_hook="{{ record_core_totals('survey', {'rows': 'count(*)', 'sum_answers': 'coalesce(sum(' ~ sum_of_answers() ~ '), 0)'}) }}",
    )
}}

select *
from {{ ref("stg_survey__answer") }}
where {{ only_new_slices("survey") }}
