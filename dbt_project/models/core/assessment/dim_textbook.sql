{{
    config(
        indexes=[{"columns": ["region_code", "textbook_code"], "unique": true}],
    )
}}

select region_code, textbook_code, title
from {{ ref("stg_textbook__title") }}
