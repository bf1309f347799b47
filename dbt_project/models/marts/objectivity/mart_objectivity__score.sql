{{ config(indexes=[{"columns": ["region_code", "organisation_code", "year"]}]) }}

with
    score as (
        select region_code, test_id, group_no, primary_score, sum(participants)::integer as participants
        from {{ ref("int_sign__score_count") }}
        where participation = 'present' and primary_score is not null
        group by region_code, test_id, group_no, primary_score
    ),

    region as (
        select region_code, test_id, primary_score, sum(participants)::integer as participants
        from score
        group by region_code, test_id, primary_score
    )

select
    score.region_code,
    groups.organisation_code,
    test.procedure_code,
    test.year,
    test.grade,
    test.subject_code,
    score.primary_score,
    score.primary_score in (test.min_score_3, test.min_score_4, test.min_score_5) as is_boundary,
    score.participants,
    groups.n,
    region.participants as region_participants,
    test.participants as region_n
from score
inner join region using (region_code, test_id, primary_score)
inner join {{ ref("int_sign__group") }} as groups using (region_code, test_id, group_no)
inner join {{ ref("int_sign__test") }} as test using (region_code, test_id)
where test.unit_kind = 'organisation' and groups.n >= test.n_min
