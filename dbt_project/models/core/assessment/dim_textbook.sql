{{
    config(
        indexes=[{"columns": ["region_code", "textbook_code"], "unique": true}],
        post_hook="analyze {{ this }}",
    )
}}

select region_code, textbook_code, title
from {{ ref("stg_textbook__title") }}
