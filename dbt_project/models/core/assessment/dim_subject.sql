select subject_code, title, short_title, gia_number from {{ ref("subject") }}
