{{
    config(
        materialized="incremental",
        incremental_strategy="synchronise",
        unique_key=["procedure_code"],
    )
}}

select procedure_code, title, full_title, responsible, score_kind
from {{ ref("procedure") }}
