{{ config(indexes=[{"columns": ["region_code", "organisation_code", "year"]}]) }}

with
    pair as (
        select region_code, test_id, group_no, journal_mark, mark, sum(participants)::integer as participants
        from {{ ref("int_sign__score_count") }}
        where participation = 'present' and mark is not null and journal_mark is not null
        group by region_code, test_id, group_no, journal_mark, mark
    ),

    region as (
        select
            region_code,
            test_id,
            journal_mark,
            mark,
            sum(participants)::integer as participants,
            sum(sum(participants)) over (partition by region_code, test_id)::integer as n
        from pair
        group by region_code, test_id, journal_mark, mark
    )

select
    pair.region_code,
    groups.organisation_code,
    test.year,
    test.grade,
    test.subject_code,
    pair.journal_mark,
    pair.mark,
    pair.participants,
    sum(pair.participants) over (partition by pair.region_code, pair.test_id, pair.group_no)::integer as n,
    region.participants as region_participants,
    region.n as region_n
from pair
inner join region using (region_code, test_id, journal_mark, mark)
inner join {{ ref("int_sign__group") }} as groups using (region_code, test_id, group_no)
inner join {{ ref("int_sign__test") }} as test using (region_code, test_id)
where test.procedure_code = 'vpr' and test.unit_kind = 'organisation' and groups.n >= test.n_min
