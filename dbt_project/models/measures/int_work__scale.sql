with
    work as (select distinct procedure_code, year, grade, subject_code from {{ ref("int_task__slice_maximum") }}),

    -- A university threshold stands in where the subject is no condition of the certificate.
    threshold as (
        select distinct
            on (work.procedure_code, work.year, work.subject_code)
            work.procedure_code,
            work.year,
            work.subject_code,
            threshold.scale,
            threshold.min_value
        from work
        inner join
            {{ ref("exam_threshold") }} as threshold
            on work.procedure_code = threshold.procedure_code
            and work.subject_code = threshold.subject_code
            and {{ valid_in("threshold", "work.year") }}
        order by work.procedure_code, work.year, work.subject_code, threshold.threshold_kind <> 'certificate'
    )

select
    work.procedure_code,
    work.year,
    work.grade,
    work.subject_code,
    scale.max_score,
    scale.min_score_3,
    scale.min_score_4,
    scale.min_score_5,
    threshold.scale as threshold_scale,
    threshold.min_value as threshold_value
from work
left join
    {{ ref("work_scale") }} as scale
    on work.procedure_code = scale.procedure_code
    and work.grade = scale.grade
    and work.subject_code = scale.subject_code
    and {{ valid_in("scale", "work.year") }}
left join
    threshold
    on work.procedure_code = threshold.procedure_code
    and work.year = threshold.year
    and work.subject_code = threshold.subject_code
