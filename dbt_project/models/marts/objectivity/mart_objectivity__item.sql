{{ config(indexes=[{"columns": ["region_code", "organisation_code", "year"]}]) }}

with
    work as (
        select
            region_code,
            test_id,
            procedure_code,
            year,
            grade,
            subject_code,
            n_min,
            {{ parameter("objectivity", "item_z", "year") }} as item_z
        from {{ ref("int_sign__test") }}
        where unit_kind = 'organisation'
    ),

    placed as (
        select
            deviation.region_code,
            groups.organisation_code,
            work.procedure_code,
            work.year,
            work.grade,
            work.subject_code,
            deviation.item_no,
            item.is_expert,
            item.max_score,
            deviation.n,
            deviation.deviation,
            sqrt(deviation.variance + spread.omega * deviation.variance * deviation.variance) as usual_deviation,
            work.item_z
        from {{ ref("int_sign__item_deviation") }} as deviation
        inner join {{ ref("int_sign__item_spread") }} as spread using (region_code, test_id, item_no)
        inner join {{ ref("int_sign__item") }} as item using (region_code, test_id, item_no)
        inner join {{ ref("int_sign__group") }} as groups using (region_code, test_id, group_no)
        inner join work using (region_code, test_id)
        where groups.n >= work.n_min and deviation.variance > 0 and item.max_score > 0
    )

select
    placed.region_code,
    placed.organisation_code,
    placed.procedure_code,
    placed.year,
    placed.grade,
    placed.subject_code,
    placed.item_no,
    task.item_label,
    task.skill,
    placed.is_expert,
    placed.max_score,
    placed.n,
    round(placed.deviation, 6) as deviation,
    round(placed.usual_deviation, 6) as usual_deviation,
    round(100 * placed.deviation / (placed.n * placed.max_score), 6) as deviation_share,
    round(placed.deviation / placed.usual_deviation, 6) as z,
    abs(placed.deviation) > placed.item_z * placed.usual_deviation as is_notable
from placed
left join
    {{ ref("dim_task") }} as task
    on placed.region_code = task.region_code
    and placed.procedure_code = task.procedure_code
    and placed.year = task.year
    and placed.grade = task.grade
    and placed.subject_code = task.subject_code
    and placed.item_no = task.item_no
