with
    attempt as (
        select
            region_code,
            year,
            participant_key,
            code_system,
            source_organisation_code,
            test_score,
            row_number() over (
                partition by region_code, year, participant_key order by test_score desc, subject_code
            ) as place
        from {{ ref("int_gia__result") }}
        where procedure_code = 'ege' and test_score is not null
    ),

    participant as (
        select
            region_code,
            year,
            code_system,
            min(source_organisation_code) as source_organisation_code,
            sum(test_score) filter (where place <= 3) as best_three
        from attempt
        group by region_code, year, code_system, participant_key
    )

select
    participant.region_code,
    participant.year,
    codes.organisation_code,
    'ege_220' as indicator_code,
    count(*) filter (where participant.best_three >= 220)::numeric as numerator,
    count(*)::numeric as denominator,
    count(*)::integer as n
from participant
inner join {{ ref("dim_organisation_code") }} as codes on {{ organisation_of("participant", "codes") }}
group by participant.region_code, participant.year, codes.organisation_code
