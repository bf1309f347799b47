{{ config(materialized="view") }}

select
    counted.region_code,
    groups.test_id,
    groups.group_no,
    counted.participation,
    counted.primary_score,
    coalesce(
        counted.mark,
        case
            when counted.primary_score >= test.min_score_5
            then 5
            when counted.primary_score >= test.min_score_4
            then 4
            when counted.primary_score >= test.min_score_3
            then 3
            when test.min_score_3 is not null and counted.primary_score is not null
            then 2
        end
    )::smallint as mark,
    counted.journal_mark,
    counted.participants
from {{ ref("int_vpr__score_count") }} as counted
inner join {{ ref("int_sign__slice") }} as slice using (region_code, slice_id, load_id)
inner join
    {{ ref("int_sign__test") }} as test
    on slice.region_code = test.region_code
    and slice.year = test.year
    and slice.grade = test.grade
    and slice.subject_code = test.subject_code
inner join
    {{ ref("int_sign__group") }} as groups
    on test.region_code = groups.region_code
    and test.test_id = groups.test_id
    and slice.organisation_code = groups.organisation_code
