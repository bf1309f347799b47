select distinct
    counted.region_code,
    counted.procedure_code,
    counted.year,
    counted.grade,
    counted.subject_code,
    counted.exam_date,
    codes.organisation_code,
    counted.slice_id,
    counted.load_id
from {{ ref("int_result__score_count") }} as counted
inner join {{ ref("dim_organisation_code") }} as codes on {{ organisation_of("counted", "codes") }}
