with
    seen as (
        select region_code, test_id, item_no, max(max_score) as max_score, sum(participants) as participants
        from {{ ref("int_sign__class_item") }}
        group by region_code, test_id, item_no
    )

select
    test.region_code,
    test.test_id,
    test.procedure_code,
    test.year,
    test.grade,
    test.subject_code,
    seen.item_no,
    seen.max_score,
    seen.participants::integer as participants,
    task.item_kind = 'expert' as is_expert,
    (
        sum(seen.max_score + 1) over (partition by test.region_code, test.test_id order by seen.item_no)
        - seen.max_score
        - 1
    )::smallint as answer_offset
from seen
inner join {{ ref("int_sign__test") }} as test using (region_code, test_id)
left join
    {{ ref("dim_task") }} as task
    on test.region_code = task.region_code
    and test.procedure_code = task.procedure_code
    and test.year = task.year
    and test.grade = task.grade
    and test.subject_code = task.subject_code
    and seen.item_no = task.item_no
