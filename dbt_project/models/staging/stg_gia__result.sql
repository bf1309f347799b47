select
    gia.region_code,
    gia.year,
    gia.procedure_code,
    gia.exam_date,
    gia.subject_code,
    gia.exam_subject_no,
    gia.grade,
    gia.ris_code,
    gia.municipality_code,
    gia.class_label,
    gia.station_code,
    gia.room_code,
    gia.participant_hash,
    gia.short_mask,
    gia.long_mask,
    gia.primary_score,
    gia.computed_score,
    gia.short_count,
    gia.test_score,
    gia.mark,
    {%- for name in item_columns(60) %}
        gia.{{ name }},
    {%- endfor %}
    gia.load_id,
    gia.slice_id,
    gia.sheet,
    gia.row_no
from {{ current_rows("gia") }} as gia
