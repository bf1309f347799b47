{{ config(materialized="view") }}

select
    counted.region_code,
    seat.test_id,
    seat.group_no,
    counted.participation,
    counted.primary_score,
    {{ mark_of("counted", "test") }} as mark,
    counted.journal_mark,
    counted.participants
from {{ ref("int_result__score_count") }} as counted
inner join {{ ref("int_sign__seat") }} as seat on {{ at_seat("counted", "seat") }}
inner join {{ ref("int_sign__test") }} as test on seat.region_code = test.region_code and seat.test_id = test.test_id
