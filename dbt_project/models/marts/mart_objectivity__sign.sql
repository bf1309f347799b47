{{
    config(
        indexes=[
            {"columns": ["region_code", "organisation_code", "year", "grade", "subject_code"], "unique": true},
            {"columns": ["region_code", "year", "flag"]},
        ],
    )
}}

{%- set beside = ["level", "journal_gap", "growth"] -%}
with
    detector as (
        select
            region_code,
            test_id,
            group_no
            {%- for detector in sign_detectors() + beside %}
                ,
                max(z) filter (where detector_code = '{{ detector }}') as {{ detector }}_z,
                max(p) filter (where detector_code = '{{ detector }}') as {{ detector }}_p,
                max(n) filter (where detector_code = '{{ detector }}') as {{ detector }}_n
            {%- endfor %}
        from {{ ref("int_sign__calibrated") }}
        group by region_code, test_id, group_no
    ),

    named as (
        select
            groups.region_code,
            groups.test_id,
            groups.group_no,
            groups.organisation_code,
            test.year,
            test.grade,
            test.subject_code,
            groups.n,
            groups.absent,
            groups.enrolled,
            test.n_min
        from {{ ref("int_sign__group") }} as groups
        inner join {{ ref("int_sign__test") }} as test using (region_code, test_id)
    ),

    judged as (
        select
            named.*,
            named.n >= named.n_min and combined.p is not null as is_sufficient,
            combined.p,
            combined.q,
            combined.mechanism,
            least(school_year.q, school_subject.q) as pool_q,
            {{ is_observed("named") }} as is_observed
        from named
        left join {{ ref("int_sign__combined") }} as combined using (region_code, test_id, group_no)
        left join
            {{ ref("int_sign__pool") }} as school_year
            on school_year.pool_kind = 'year'
            and named.region_code = school_year.region_code
            and named.organisation_code = school_year.organisation_code
            and named.year = school_year.year
        left join
            {{ ref("int_sign__pool") }} as school_subject
            on school_subject.pool_kind = 'subject'
            and named.region_code = school_subject.region_code
            and named.organisation_code = school_subject.organisation_code
            and named.subject_code = school_subject.subject_code
    ),

    flagged as (
        select
            judged.*,
            case
                when not judged.is_sufficient
                then 'insufficient'
                when
                    judged.q <= {{ parameter("objectivity_parameter", "red_q", "judged.year") }}
                    or (
                        judged.pool_q <= {{ parameter("objectivity_parameter", "red_q", "judged.year") }}
                        and judged.p <= {{ parameter("objectivity_parameter", "red_pool_p", "judged.year") }}
                        and not judged.is_observed
                    )
                then 'red'
                when judged.p <= {{ parameter("objectivity_parameter", "amber_p", "judged.year") }}
                then 'amber'
                when detector.level_z > {{ parameter("objectivity_parameter", "amber_level_z", "judged.year") }}
                then 'amber_level'
                else 'none'
            end as verdict,
            detector.level_z,
            detector.level_p,
            detector.journal_gap_z,
            detector.growth_z
            {%- for code in sign_detectors() %}
                , detector.{{ code }}_z, detector.{{ code }}_p, detector.{{ code }}_n
            {%- endfor %}
        from judged
        left join detector using (region_code, test_id, group_no)
    )

select
    flagged.region_code,
    flagged.organisation_code,
    flagged.year,
    flagged.grade,
    flagged.subject_code,
    flagged.n,
    case when flagged.is_sufficient then round(- log(flagged.p::numeric), 4) end as score,
    case when flagged.is_sufficient then flagged.p::double precision end as p,
    case when flagged.is_sufficient then flagged.q::double precision end as q,
    case when flagged.is_sufficient then flagged.pool_q::double precision end as pool_q,
    case when flagged.verdict = 'amber_level' then 'amber' else flagged.verdict end as flag,
    case
        when flagged.verdict = 'amber_level' then 'level' when flagged.is_sufficient then flagged.mechanism
    end as mechanism,
    flagged.is_observed,
    {%- for code in sign_detectors() %}
        case when flagged.is_sufficient then flagged.{{ code }}_z end as {{ code }}_z,
        case when flagged.is_sufficient then flagged.{{ code }}_p::double precision end as {{ code }}_p,
        case when flagged.is_sufficient then flagged.{{ code }}_n end as {{ code }}_n,
    {%- endfor %}
    case when flagged.is_sufficient then sim_dup.k end as sim_dup_k,
    case when flagged.is_sufficient then sim_dup.lambda end as sim_dup_lambda,
    case when flagged.is_sufficient then sim_pairs.k end as sim_pairs_k,
    case when flagged.is_sufficient then sim_pairs.lambda end as sim_pairs_lambda,
    flagged.absent,
    flagged.enrolled,
    case when flagged.is_sufficient then flagged.level_z end as level_z,
    case when flagged.is_sufficient then flagged.journal_gap_z end as journal_gap_z,
    case when flagged.is_sufficient then flagged.growth_z end as growth_z
from flagged
left join {{ ref("int_sign__sim_dup") }} as sim_dup using (region_code, test_id, group_no)
left join {{ ref("int_sign__sim_pairs") }} as sim_pairs using (region_code, test_id, group_no)
