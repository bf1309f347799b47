{{ config(indexes=[{"columns": ["region_code", "organisation_code", "year"]}]) }}

select
    deviation.region_code,
    groups.organisation_code,
    test.year,
    test.grade,
    test.subject_code,
    deviation.item_no,
    task.item_label,
    task.skill,
    item.is_expert,
    item.max_score,
    deviation.n,
    round(deviation.deviation, 6) as deviation,
    round(sqrt(deviation.variance + spread.omega * deviation.variance * deviation.variance), 6) as usual_deviation,
    round(100 * deviation.deviation / (deviation.n * item.max_score), 6) as deviation_share,
    round(
        deviation.deviation / sqrt(deviation.variance + spread.omega * deviation.variance * deviation.variance), 6
    ) as z
from {{ ref("int_sign__item_deviation") }} as deviation
inner join {{ ref("int_sign__item_spread") }} as spread using (region_code, test_id, item_no)
inner join {{ ref("int_sign__item") }} as item using (region_code, test_id, item_no)
inner join {{ ref("int_sign__group") }} as groups using (region_code, test_id, group_no)
inner join {{ ref("int_sign__test") }} as test using (region_code, test_id)
left join
    {{ ref("dim_task") }} as task
    on deviation.region_code = task.region_code
    and task.procedure_code = 'vpr'
    and test.year = task.year
    and test.grade = task.grade
    and test.subject_code = task.subject_code
    and deviation.item_no = task.item_no
where groups.n >= test.n_min and deviation.variance > 0 and item.max_score > 0
