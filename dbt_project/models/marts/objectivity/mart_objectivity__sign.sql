{{
    config(
        indexes=[
            {"columns": ["region_code", "organisation_code", "year", "grade", "subject_code"], "unique": true},
            {"columns": ["region_code", "year", "flag"]},
        ],
    )
}}

with
    verdict as (
        select * from {{ ref("int_sign__verdict") }} where procedure_code = 'vpr' and unit_kind = 'organisation'
    ),

    pooled as (
        select
            verdict.*,
            case when verdict.is_sufficient then least(school_year.q, school_subject.q) end as pool_q,
            {{ is_observed("verdict") }} as is_observed
        from verdict
        left join
            {{ ref("int_sign__pool") }} as school_year
            on school_year.pool_kind = 'year'
            and verdict.region_code = school_year.region_code
            and verdict.organisation_code = school_year.organisation_code
            and verdict.year = school_year.year
        left join
            {{ ref("int_sign__pool") }} as school_subject
            on school_subject.pool_kind = 'subject'
            and verdict.region_code = school_subject.region_code
            and verdict.organisation_code = school_subject.organisation_code
            and verdict.subject_code = school_subject.subject_code
    ),

    flagged as (
        select
            *,
            case
                when not is_sufficient
                then 'insufficient'
                when
                    q <= {{ parameter("objectivity", "red_q", "year") }}
                    or (
                        pool_q <= {{ parameter("objectivity", "red_q", "year") }}
                        and p <= {{ parameter("objectivity", "red_pool_p", "year") }}
                        and not is_observed
                    )
                then 'red'
                when p <= {{ parameter("objectivity", "amber_p", "year") }}
                then 'amber'
                when level_z > {{ parameter("objectivity", "amber_level_z", "year") }}
                then 'amber_level'
                else 'none'
            end as verdict
        from pooled
    )

select
    region_code,
    organisation_code,
    year,
    grade,
    subject_code,
    n,
    score,
    p,
    q,
    pool_q,
    case when verdict = 'amber_level' then 'amber' else verdict end as flag,
    case when verdict = 'amber_level' then 'level' else mechanism end as mechanism,
    is_observed,
    {{ sign_columns() | join(",\n    ") }},
    absent,
    enrolled,
    level_z,
    journal_gap_z,
    growth_z
from flagged
