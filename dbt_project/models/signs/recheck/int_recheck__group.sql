with
    -- Of commissions that marked one work again the highest decides.
    work as (
        select distinct
            on (region_code, year, grade, subject_code, organisation_code, participant_code)
            region_code,
            year,
            grade,
            subject_code,
            organisation_code,
            school_score,
            school_score - recheck_score as difference
        from {{ at_organisation(ref("fct_recheck"), in_force_on("assessment", "fact.year")) }} as recheck
        order by
            region_code,
            year,
            grade,
            subject_code,
            organisation_code,
            participant_code,
            array_position(array['federal', 'regional', 'municipal'], rechecked_by)
    ),

    limits as (
        select region_code, year, {{ parameter("control", "recheck_tolerance", "year") }} as tolerance
        from (select distinct region_code, year from work) as rechecked
    ),

    judged as (
        select
            work.region_code,
            work.year,
            work.grade,
            work.subject_code,
            work.organisation_code,
            work.difference,
            limits.tolerance,
            {{ at_boundary("work.school_score", "test") }} as is_at_boundary
        from work
        inner join limits on work.region_code = limits.region_code and work.year = limits.year
        left join
            {{ ref("int_sign__test") }} as test
            on work.region_code = test.region_code
            and test.procedure_code = 'vpr'
            and test.unit_kind = 'organisation'
            and work.year = test.year
            and work.grade = test.grade
            and work.subject_code = test.subject_code
    )

select
    region_code,
    year,
    grade,
    subject_code,
    organisation_code
    {%- for prefix, population in (("", "true"), ("boundary_", "is_at_boundary")) %}
        ,
        count(*) filter (where {{ population }})::integer as {{ prefix }}works,
        count(*) filter (where {{ population }} and difference > tolerance)::integer as {{ prefix }}raised,
        count(*) filter (where {{ population }} and difference < - tolerance)::integer as {{ prefix }}lowered,
        count(*) filter (where {{ population }} and abs(difference) <= tolerance)::integer as {{ prefix }}objective,
        coalesce(sum(difference) filter (where {{ population }}), 0)::integer as {{ prefix }}sum_difference
    {%- endfor %}
from judged
group by region_code, year, grade, subject_code, organisation_code
