{%- set work = "region_code, procedure_code, year, grade, subject_code" -%}
with
    work as (select distinct {{ work }} from {{ ref("int_task__slice_maximum") }}),

    -- Of delivered scales that overlap the later one is the correction.
    delivered as (
        select distinct
            on (work.region_code, work.procedure_code, work.year, work.grade, work.subject_code)
            work.region_code,
            work.procedure_code,
            work.year,
            work.grade,
            work.subject_code,
            scale.max_score,
            scale.min_score_3,
            scale.min_score_4,
            scale.min_score_5
        from work
        inner join
            {{ ref("stg_mark_scale__scale") }} as scale
            on work.region_code = scale.region_code
            and work.procedure_code = scale.procedure_code
            and work.grade = scale.grade
            and work.subject_code = scale.subject_code
            and work.year between scale.year_from and scale.year_to
        order by work.region_code, work.procedure_code, work.year, work.grade, work.subject_code, scale.year_from desc
    )

select
    work.region_code,
    work.procedure_code,
    work.year,
    work.grade,
    work.subject_code,
    coalesce(delivered.max_score, scale.max_score) as max_score,
    coalesce(delivered.min_score_3, scale.min_score_3) as min_score_3,
    coalesce(delivered.min_score_4, scale.min_score_4) as min_score_4,
    coalesce(delivered.min_score_5, scale.min_score_5) as min_score_5,
    case
        when delivered.min_score_3 is not null then 'region' when scale.min_score_3 is not null then 'federal'
    end as scale_source,
    (delivered.min_score_3, delivered.min_score_4, delivered.min_score_5)
    = (scale.min_score_3, scale.min_score_4, scale.min_score_5) as is_same,
    scale.threshold_scale,
    scale.threshold_value
from work
left join delivered using ({{ work }})
left join {{ ref("int_work__scale") }} as scale using (procedure_code, year, grade, subject_code)
