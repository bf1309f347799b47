with
    -- The order looks random and is the same in every build: nobody can choose the works.
    drawn as (
        select
            list.region_code,
            list.year,
            list.grade,
            list.subject_code,
            list.organisation_code,
            result.participant_key,
            result.class_label,
            list.works_to_remark,
            row_number() over (
                partition by list.region_code, list.year, list.grade, list.subject_code, list.organisation_code
                order by
                    md5(
                        concat_ws(
                            '|',
                            list.year,
                            list.grade,
                            list.subject_code,
                            list.organisation_code,
                            result.participant_key
                        )
                    ),
                    result.participant_key
            )::integer as place
        from {{ ref("mart_objectivity__work_list") }} as list
        inner join
            {{ ref("int_sign__test") }} as test
            on list.region_code = test.region_code
            and test.procedure_code = 'vpr'
            and test.unit_kind = 'organisation'
            and list.year = test.year
            and list.grade = test.grade
            and list.subject_code = test.subject_code
        inner join
            {{ ref("int_sign__seat") }} as seat
            on test.region_code = seat.region_code
            and test.test_id = seat.test_id
            and list.organisation_code = seat.organisation_code
        inner join {{ ref("fct_assessment_result") }} as result on {{ at_seat("result", "seat") }}
        where
            list.action = 'remark'
            and result.participation = 'present'
            and result.primary_score is not null
            and (list.population = 'all' or {{ at_boundary("result.primary_score", "test") }})
    )

select region_code, year, grade, subject_code, organisation_code, place, participant_key, class_label
from drawn
where place <= works_to_remark
