{{ config(materialized="view") }}

select
    counted.region_code,
    seat.test_id,
    seat.group_no,
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
from {{ ref("int_result__score_count") }} as counted
inner join {{ ref("int_sign__seat") }} as seat on {{ at_seat("counted", "seat") }}
inner join {{ ref("int_sign__test") }} as test on seat.region_code = test.region_code and seat.test_id = test.test_id
