{{ config(indexes=[{"columns": ["region_code", "organisation_code", "year"]}]) }}

with
    deviation as (
        select given.*, test.year, test.grade, test.subject_code, test.outlier_ratio, groups.organisation_code
        from {{ ref("int_sign__item_deviation") }} as given
        inner join {{ ref("int_sign__group") }} as groups using (region_code, test_id, group_no)
        inner join {{ ref("int_sign__test") }} as test using (region_code, test_id)
        where groups.n >= test.n_min and given.variance > 0
    ),

    usual as (
        select region_code, test_id, item_no, {{ excess_variance("deviation", "variance", "outlier_ratio") }} as omega
        from deviation
        group by region_code, test_id, item_no
    )

select
    deviation.region_code,
    deviation.organisation_code,
    deviation.year,
    deviation.grade,
    deviation.subject_code,
    deviation.item_no,
    task.item_label,
    task.skill,
    item.is_expert,
    item.max_score,
    deviation.n,
    round(deviation.deviation, 6) as deviation,
    round(sqrt(deviation.variance + usual.omega * deviation.variance * deviation.variance), 6) as usual_deviation,
    round(100 * deviation.deviation / (deviation.n * item.max_score), 6) as deviation_share,
    round(
        deviation.deviation / sqrt(deviation.variance + usual.omega * deviation.variance * deviation.variance), 6
    ) as z
from deviation
inner join usual using (region_code, test_id, item_no)
inner join {{ ref("int_sign__item") }} as item using (region_code, test_id, item_no)
left join
    {{ ref("dim_task") }} as task
    on deviation.region_code = task.region_code
    and task.procedure_code = 'vpr'
    and deviation.year = task.year
    and deviation.grade = task.grade
    and deviation.subject_code = task.subject_code
    and deviation.item_no = task.item_no
where item.max_score > 0
