select procedure_code, title, full_title, responsible, score_kind from {{ ref("procedure") }}
