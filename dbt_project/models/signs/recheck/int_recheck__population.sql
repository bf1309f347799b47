with
    work as (
        select
            score.region_code,
            codes.organisation_code,
            score.year,
            score.grade,
            score.subject_code,
            score.participants,
            {{ at_boundary("score.primary_score", "test") }} as is_at_boundary
        from {{ ref("int_result__score_count") }} as score
        inner join {{ ref("dim_organisation_code") }} as codes on {{ organisation_of("score", "codes") }}
        left join
            {{ ref("int_sign__test") }} as test
            on score.region_code = test.region_code
            and score.procedure_code = test.procedure_code
            and test.unit_kind = 'organisation'
            and score.year = test.year
            and score.grade = test.grade
            and score.subject_code = test.subject_code
        where score.procedure_code = 'vpr' and score.participation = 'present' and score.primary_score is not null
    )

select
    work.region_code,
    work.organisation_code,
    work.year,
    work.grade,
    work.subject_code,
    kind.population,
    sum(work.participants)::integer as works
from work
cross join lateral(values ('all', true), ('boundary', work.is_at_boundary)) as kind(population, is_in)
where kind.is_in
group by work.region_code, work.organisation_code, work.year, work.grade, work.subject_code, kind.population
