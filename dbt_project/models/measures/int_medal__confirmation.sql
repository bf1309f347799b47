with
    medal as (select *, 'ris' as code_system, ris_code as source_organisation_code from {{ ref("fct_medal") }}),

    claimant as (
        select
            medal.region_code,
            medal.year,
            codes.organisation_code,
            medal.participant_hash,
            medal.participant_name_hash,
            medal.degree,
            medal.is_issued,
            rule.russian_min,
            rule.other_min,
            rule.other_subject_code,
            rule.base_math_mark,
            rule.is_base_math_alone
        from medal
        inner join {{ ref("dim_organisation_code") }} as codes on {{ organisation_of("medal", "codes") }}
        left join {{ ref("medal_rule") }} as rule on medal.degree = rule.degree and {{ valid_in("rule", "medal.year") }}
    ),

    -- A protocol without documents knows a participant by name.
    known as (
        select distinct claimant.region_code, claimant.year, claimant.participant_hash, known.participant_key
        from claimant
        cross join
            lateral(values (claimant.participant_hash), (claimant.participant_name_hash)) as known(participant_key)
        where known.participant_key is not null
    ),

    attempt as (
        select
            known.region_code,
            known.year,
            known.participant_hash,
            result.subject_code,
            max(result.test_score) as test_score,
            max(result.mark) as mark
        from known
        inner join
            {{ ref("int_gia__result") }} as result
            on known.region_code = result.region_code
            and known.year = result.year
            and known.participant_key = result.participant_key
        where result.procedure_code = 'ege' and result.participation = 'present'
        group by known.region_code, known.year, known.participant_hash, result.subject_code
    ),

    reached as (
        select
            claimant.region_code,
            claimant.year,
            claimant.organisation_code,
            claimant.participant_hash,
            claimant.degree,
            claimant.is_issued,
            max(attempt.test_score) filter (where attempt.subject_code = 'RU') as russian_score,
            max(attempt.test_score) filter (where attempt.subject_code not in ('RU', 'MB')) as best_other_score,
            max(attempt.test_score) filter (
                where
                    attempt.subject_code not in ('RU', 'MB')
                    and attempt.subject_code = coalesce(claimant.other_subject_code, attempt.subject_code)
            ) as other_score,
            max(attempt.mark) filter (where attempt.subject_code = 'MB') as base_math_mark,
            min(claimant.russian_min) as russian_min,
            min(claimant.other_min) as other_min,
            min(claimant.base_math_mark) as base_math_mark_min,
            bool_and(claimant.is_base_math_alone) as is_base_math_alone
        from claimant
        left join
            attempt
            on claimant.region_code = attempt.region_code
            and claimant.year = attempt.year
            and claimant.participant_hash = attempt.participant_hash
        group by
            claimant.region_code,
            claimant.year,
            claimant.organisation_code,
            claimant.participant_hash,
            claimant.degree,
            claimant.is_issued
    )

select
    region_code,
    year,
    organisation_code,
    participant_hash,
    degree,
    is_issued,
    russian_score,
    best_other_score,
    base_math_mark,
    -- NULL: no ЕГЭ found, or no rule of that year and degree.
    case
        when russian_score is not null and russian_min is not null
        then
            russian_score >= russian_min
            and (
                coalesce(other_score >= other_min, false)
                or coalesce(
                    base_math_mark >= base_math_mark_min and (best_other_score is null or not is_base_math_alone), false
                )
            )
    end as is_confirmed
from reached
