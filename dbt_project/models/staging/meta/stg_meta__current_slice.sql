{{
    config(
        materialized="incremental",
        incremental_strategy="synchronise",
        unique_key=["load_id", "slice_id"],
        on_schema_change="append_new_columns",
        indexes=[{"columns": ["load_id", "slice_id"], "unique": true}],
    )
}}

with
    current_load as (select * from {{ source("meta", "current_load") }}),

    slice as (select * from {{ source("meta", "slice") }})

select
    current_load.region_code,
    current_load.source,
    current_load.slice_id,
    current_load.load_id,
    case
        when slice.slice_key ? 'organisation_code'
        then {{ code_system("(slice.slice_key ->> 'organisation_code')") }}
        when slice.slice_key ? 'ris_code'
        then 'ris'
    end as code_system,
    coalesce(slice.slice_key ->> 'organisation_code', slice.slice_key ->> 'ris_code') as source_organisation_code,
    coalesce(nullif(slice.slice_key ->> 'year', ''), left(slice.slice_key ->> 'exam_date', 4))::smallint as year,
    current_load.row_count,
    current_load.controls
from current_load
inner join slice on current_load.slice_id = slice.slice_id
