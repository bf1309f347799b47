{{
    config(
        materialized="incremental",
        incremental_strategy="synchronise",
        unique_key=["subject_code"],
    )
}}

select subject_code, title, short_title, gia_number
from {{ ref("subject") }}
