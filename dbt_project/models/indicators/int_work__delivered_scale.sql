{{ config(post_hook="analyze {{ this }}") }}

with
    work as (
        select distinct region_code, procedure_code, year, grade, subject_code from {{ ref("int_task__slice_maximum") }}
    )

select
    work.region_code,
    work.procedure_code,
    work.year,
    work.grade,
    work.subject_code,
    delivered.max_score,
    delivered.min_score_3,
    delivered.min_score_4,
    delivered.min_score_5,
    scale.min_score_3 as scale_min_score_3,
    scale.min_score_4 as scale_min_score_4,
    scale.min_score_5 as scale_min_score_5,
    (delivered.min_score_3, delivered.min_score_4, delivered.min_score_5)
    = (scale.min_score_3, scale.min_score_4, scale.min_score_5) as is_same
from work
inner join
    lateral(
        select *
        from {{ ref("stg_mark_scale__scale") }} as delivered
        where
            delivered.region_code = work.region_code
            and delivered.procedure_code = work.procedure_code
            and delivered.grade = work.grade
            and delivered.subject_code = work.subject_code
            and work.year between delivered.year_from and delivered.year_to
        order by delivered.year_from desc
        limit 1
    ) as delivered
    on true
left join
    {{ ref("int_work__scale") }} as scale
    on work.procedure_code = scale.procedure_code
    and work.year = scale.year
    and work.grade = scale.grade
    and work.subject_code = scale.subject_code
