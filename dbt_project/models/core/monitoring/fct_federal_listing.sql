{{
    config(
        materialized="incremental",
        incremental_strategy="by_load",
        on_schema_change="append_new_columns",
        indexes=[{"columns": ["load_id", "slice_id"]}],
        post_hook="{{ record_core_totals('federal_bias_list', {                 'rows': \"count(*) filter (where grade = 4 and subject_code = 'RU')\",                 'sum_listed_ru_4': \"count(*) filter (where is_listed and grade = 4 and subject_code = 'RU')\",                 'sum_listed_ma_4': \"count(*) filter (where is_listed and grade = 4 and subject_code = 'MA')\",                 'sum_listed_ru_5': \"count(*) filter (where is_listed and grade = 5 and subject_code = 'RU')\",                 'sum_listed_ma_5': \"count(*) filter (where is_listed and grade = 5 and subject_code = 'MA')\",             }) }}",
    )
}}

with
    listing as (
        select * from {{ ref("stg_federal_bias_list__listing") }} where {{ only_new_slices("federal_bias_list") }}
    )

select
    listing.region_code,
    listing.year,
    listing.organisation_code as source_organisation_code,
    list_column.grade::smallint as grade,
    list_column.subject_code,
    list_column.listed = 1 as is_listed,
    listing.load_id,
    listing.slice_id,
    listing.sheet,
    listing.row_no
from listing
cross join
    lateral(
        values
            (4, 'RU', listing.listed_ru_4),
            (4, 'MA', listing.listed_ma_4),
            (5, 'RU', listing.listed_ru_5),
            (5, 'MA', listing.listed_ma_5)
    ) as list_column(grade, subject_code, listed)
